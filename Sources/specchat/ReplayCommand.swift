// ReplayCommand.swift — `specchat replay`: the draft trees of a trace, no model loaded.

public import ArgumentParser
public import ChatTUI
import Engine
import Foundation

extension RoundFormat: ExpressibleByArgument {}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Show the draft trees of a trace again, round by round, without a model.",
        discussion: """
            With --export the rounds are written in a form for papers and slides: svg is a still picture of one round, \
            html a page that plays all of them and loads nothing from elsewhere, dot a graph for Graphviz.

            EXAMPLES:
              specchat ask "Describe the picture." --image scene.png --trace rounds.jsonl
              specchat replay rounds.jsonl
              specchat replay rounds.jsonl --speed 0.5
              specchat replay rounds.jsonl --export svg --round 4 --output round.svg
              specchat replay rounds.jsonl --export html --round 3-9 --output rounds.html
              specchat replay rounds.jsonl --export dot --round 4 | dot -Tpdf -o round.pdf
              specchat replay rounds.jsonl | less
            """)

    @Argument(help: ArgumentHelp("A file that --trace has written.", valueName: "trace"), completion: .file())
    var trace: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How fast; 1 shows five rounds in four seconds.", valueName: "factor"))
    var speed = 1.0

    @Option(help: "Write the rounds in this form instead of showing them.")
    var export: RoundFormat?

    @Option(
        help: ArgumentHelp("Export only this round, or these: 4, 3-9. Without --export, begin there."))
    var round: RoundRange?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write the export here; default: standard output.", valueName: "file"))
    var output: String?

    @Flag(help: "Write over a file that exists.")
    var force = false

    func validate() throws {
        guard speed > 0, speed.isFinite else { throw ValidationError("--speed must be above 0") }
        guard export != nil || (output == nil && !force) else {
            throw ValidationError("--output and --force belong to --export")
        }
        guard round.map({ $0.first == $0.last }) ?? true || export != .svg && export != .dot else {
            throw ValidationError("--export \(export?.rawValue ?? "") shows one round; give --round one number")
        }
    }

    func run() throws {
        let trace = try Trace.read(path: self.trace)
        let all = trace.answers.flatMap { answer in
            answer.rounds.enumerated().map { ($1, $0 == 0 ? answer.header.question : nil) }
        }
        let numbered = all.enumerated().map { NumberedRound(number: $0 + 1, round: $1.0, question: $1.1) }
        let rounds = try chosen(numbered)
        if let export {
            try write(rounds, as: export)
            return
        }
        let title = URL(fileURLWithPath: self.trace).lastPathComponent
        let status = ReplayApp(rounds: numbered, title: title, speed: speed, range: round.map { $0.first...$0.last })
            .run()
        if status != 0 { throw ExitCode(status) }
    }

    /// The rounds that --round names.
    private func chosen(_ all: [NumberedRound]) throws -> [NumberedRound] {
        guard let round else { return all }
        guard round.last <= all.count else {
            throw CommandFailure(
                .usage, "--round \(round): \(trace) has \(all.count) \(all.count == 1 ? "round" : "rounds").")
        }
        return Array(all[round.first - 1..<round.last])
    }

    private func write(_ rounds: [NumberedRound], as format: RoundFormat) throws {
        guard !rounds.isEmpty else { throw CommandFailure(.failure, "\(trace) has no rounds to export.") }
        var rounds = rounds
        // A picture of a round without a tree says nothing.
        if format == .svg || format == .dot, round == nil {
            rounds = [rounds.first { $0.round.drafted > 0 } ?? rounds[0]]
        }
        let title = URL(fileURLWithPath: trace).lastPathComponent
        let text = RoundExport.render(rounds, as: format, title: title)
        guard let output else {
            try TextOutput.standard.write(text)
            return
        }
        try AtomicFile(path: output, replacing: force).write(text)
    }
}

/// "4" or "3-9", from 1.
struct RoundRange: ExpressibleByArgument, CustomStringConvertible {
    let first: Int
    let last: Int

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = parts.first ?? nil, let last = parts.last ?? nil, parts.count <= 2, first >= 1, last >= first
        else { return nil }
        self.first = first
        self.last = last
    }

    var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}
