// Main.swift — the command line's door: what the program is called with, and how it ends.

import ArgumentParser
import Engine
import Foundation

@main
struct Specchat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "specchat",
        abstract: "Chat about a picture in the terminal, with speculative decoding that never changes the answer.",
        discussion: """
            Without a subcommand the chat starts. Nothing leaves the machine.

            EXAMPLES:
              specchat --image scene.png
              specchat --image photo.jpg --model llava-1.5-7b.gguf --mmproj mmproj.gguf
              specchat --continue
              specchat -p "Does this text fit?" --image scene.png < notes.txt > out.txt
              specchat ask "Describe the picture." --image scene.png --trace rounds.jsonl

            EXIT CODES:
            \(ProgramStatus.allCases.map { "  \($0.rawValue)\t\($0.meaning)" }.joined(separator: "\n"))
            """,
        version: "0.1.0",
        subcommands: [
            ChatCommand.self, AskCommand.self, ScoreCommand.self, InspectCommand.self,
            ModelsCommand.self, ReplayCommand.self, DemoCommand.self, SessionsCommand.self, BenchCommand.self,
            ConfigCommand.self, DoctorCommand.self,
        ],
        defaultSubcommand: ChatCommand.self)

    /// Runs on the main thread and keeps a command without `async` there: the chat blocks the thread that it is given,
    /// and the pool's may be the only one.
    @MainActor static func main() async {
        // First of all: this process may be the child that decodes one picture.
        if let status = DecodeWorker.serve(ifAskedBy: CommandLine.arguments) { Foundation.exit(status) }
        TextOutput.fillClosedStreams()
        leave(with: await runCommand())
    }

    /// Runs what was asked for and returns the exit code.
    @MainActor private static func runCommand() async -> Int32 {
        do {
            if CommandLine.arguments.dropFirst() == [ManualPage.argument] {
                try TextOutput.standard.write(ManualPage.text())
                return 0
            }
            var command = try parseAsRoot(spelledOut(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return end(with: error).rawValue
        }
    }

    /// Ends the process without the libraries' own endings: the engine may still be at work when someone leaves while
    /// it loads, and would crash in an OpenBLAS that has been put away.
    private static func leave(with status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    /// The arguments with their subcommand: `specchat -p QUESTION` asks where the chat would not know what to do with it.
    static func spelledOut(_ arguments: [String]) -> [String] {
        // Three dashes begin a shell's request for completions.
        guard let first = arguments.first, first.hasPrefix("-"), !first.hasPrefix("---") else { return arguments }
        let isQuestion = arguments.prefix { $0 != "--" }.contains {
            $0 == "-p" || $0 == "--prompt" || $0.hasPrefix("--prompt=")
        }
        return isQuestion ? ["ask"] + arguments : arguments
    }

    /// Says why the program ends and returns the status that goes with it.
    private static func end(with error: any Error) -> ProgramStatus {
        switch exitCode(for: error) {
        case .success:
            // Not an error at all: help, the version or a completion script was asked for.
            do {
                let text = ZshCompletion.amended(FishCompletion.amended(fullMessage(for: error)))
                try TextOutput.standard.line(BashCompletion.amended(text))
                return .success
            } catch {
                TextOutput.complain("\(error)")
                return .failure
            }
        case .validationFailure:
            TextOutput.complain("\(sentence(message(for: error))) \(helpHint(for: error))")
            return .usage
        default:
            let status = ProgramStatus(of: error)
            // Whoever pressed Ctrl-C knows.
            if status != .interrupted && status != .terminated { TextOutput.complain("\(error)") }
            return status
        }
    }

    /// `text` with a full stop, on one line.
    private static func sentence(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.hasSuffix(".") || line.hasSuffix("?") ? line : line + "."
    }

    /// Where to read on: the parser knows which subcommand was meant.
    private static func helpHint(for error: any Error) -> String {
        let lines = fullMessage(for: error).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return lines.last { $0.hasPrefix("See '") } ?? "See 'specchat --help' for more information."
    }
}
