// LineChat.swift — the chat without a screen: a question each line, answers as plain text, never an escape code.

import ConversationStore
import Engine
import Foundation

/// Serves pipes, scripts and terminals that cannot move their cursor. Commands work as on the screen.
final class LineChat {
    private let configuration: ChatConfiguration
    private let mailbox: Mailbox
    private let arrived: DispatchSemaphore
    private let runner: JobRunner
    private let sessions: ChatSessions?
    private var options: GenerationOptions
    private let home: String?
    private var jobs = 0
    private var isPictureMissing = false
    /// That of the first failure.
    private var exitCode: Int32 = 0
    /// Why the standard output takes no more answers.
    private var outputFailure: String?

    init(configuration: ChatConfiguration, environment: [String: String]) {
        let arrived = DispatchSemaphore(value: 0)
        self.arrived = arrived
        self.configuration = configuration
        options = configuration.options
        home = environment["HOME"]
        let mailbox = Mailbox(wake: { arrived.signal() })
        self.mailbox = mailbox
        sessions = configuration.sessions.map { source in
            ChatSessions(configuration, source, environment: environment) { mailbox.post(.session($0)) }
        }
        runner = JobRunner(
            source: configuration.source, mailbox: mailbox, home: environment["HOME"], sessions: sessions)
    }

    /// Answers every line of standard input; returns the exit code.
    func run() -> Int32 {
        let code = answerAll()
        let failure = sessions?.close()
        runner.abandon()
        guard let failure else { return code }
        return ChatApp.fail(failure, exitCode: code == 0 ? 1 : code)
    }

    private func answerAll() -> Int32 {
        let saved: SavedConversation?
        do throws(StoreError) {
            saved = try sessions?.chosen(configuration.conversation)
        } catch {
            return ChatApp.fail("\(error)", exitCode: error.exitCode)
        }
        if let failure = carryOut(.load) {
            return ChatApp.fail(failure, exitCode: 4)
        }
        if let saved {
            options = sessions?.options(for: saved, over: options) ?? options
            // Nobody is there to decide whether to go on with something else than was asked for.
            if let failure = carryOut(.restore(saved)) { return ChatApp.fail(failure, exitCode: 1) }
            if isPictureMissing { return ChatApp.fail("the conversation was not gone on with.", exitCode: 5) }
        } else if configuration.conversation == .latest {
            report("no conversation is saved yet, so a new one begins")
        }
        for path in configuration.images {
            // The questions that follow are about this picture: without it there is nothing to answer.
            if let failure = carryOut(.attach(path: path)) { return ChatApp.fail(failure, exitCode: 5) }
        }
        while let line = readLine() {
            guard !line.trimmed.isEmpty else { continue }
            guard serve(Command(line)) else { break }
            if let outputFailure { return ChatApp.fail(outputFailure, exitCode: 1) }
        }
        return exitCode
    }

    /// Returns whether to go on.
    private func serve(_ command: Command) -> Bool {
        switch command {
        case .ask(let question): note(carryOut(.ask(question: question, turn: 0)), exitCode: 1)
        case .attach(let paths): attach(paths)
        case .findPictures(let readings):
            let files = FileLookup(home: home)
            attach(readings.first { $0.allSatisfy(files.isFile) } ?? readings.last ?? [])
        case .new, .clear: note(carryOut(.clear(.below)), exitCode: 1)
        case .system(let text?): note(carryOut(.setSystem(text == "-" ? nil : text)), exitCode: 1)
        case .speculation(let policy?): options.speculation.policy = policy
        case .speculation(nil): report("speculation: \(options.speculation.policy.rawValue)")
        case .set(let text): changeSetting(text)
        case .help: report("commands: \(CommandTable.names.joined(separator: ", ")); any other line is a question")
        case .mistake(let message): note(message, exitCode: 2)
        case .quit: return false
        default: note("this command needs the full screen of a terminal", exitCode: 2)
        }
        return true
    }

    private func attach(_ paths: [String]) {
        for path in paths { note(carryOut(.attach(path: path)), exitCode: 5) }
    }

    /// The same settings as on the screen, by the same rules.
    private func changeSetting(_ text: String) {
        var state = AppState()
        state.options = options
        _ = state.changeSetting(text)
        options = state.options
        if let hint = state.hint { report(hint) }
        for row in state.overlay?.rows ?? [] { report(row.text) }
    }

    private func note(_ failure: String?, exitCode: Int32) {
        guard let failure else { return }
        report(failure)
        if self.exitCode == 0 { self.exitCode = exitCode }
    }

    private func report(_ text: String) {
        PlainOutput.complain(text)
    }

    private func write(_ text: String) {
        guard outputFailure == nil, let failure = PlainOutput.write(text) else { return }
        outputFailure = failure
        // Nobody can read the rest of the answer.
        runner.cancel()
    }

    /// Runs the job to its end, printing an answer as it comes; returns the failure.
    private func carryOut(_ kind: Job.Kind) -> String? {
        jobs += 1
        runner.start(Job(id: jobs, kind: kind), options: options)
        var hasText = false
        while true {
            arrived.wait()
            for event in mailbox.takeAll() {
                switch event {
                case .engine(.round(_, let text)):
                    let visible = hasText ? text : String(text.drop(while: \.isWhitespace))
                    hasText = hasText || !visible.isEmpty
                    write(PlainText.safe(visible))
                case .engine(.notice(let notice)): report(notice.text)
                case .engine(.finished(let finished)):
                    guard finished.finish == .contextFull else { break }
                    report("the context is full; /new begins a new conversation")
                case .session(.pictureMissing(_, _, let reason)):
                    report(reason)
                    isPictureMissing = true
                case .session(.saving(.waiting(let error))), .session(.saving(.ended(let error))):
                    report("not saved: \(error)")
                case .session(.told(let sentence)), .session(.noted(let sentence)): report(sentence)
                case .jobEnded(_, let failure):
                    if hasText { write("\n") }
                    return failure
                default: break
                }
            }
        }
    }
}
