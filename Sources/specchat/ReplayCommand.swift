// ReplayCommand.swift — `specchat replay`: the draft trees of a trace, no model loaded.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Show the draft trees of a trace again, round by round, without a model.",
        discussion: """
            EXAMPLES:
              specchat ask "Describe the picture." --image scene.png --trace rounds.jsonl
              specchat replay rounds.jsonl
              specchat replay rounds.jsonl --speed 0.5
              specchat replay rounds.jsonl | less
            """)

    @Argument(help: ArgumentHelp("A file that --trace has written.", valueName: "trace"))
    var trace: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How fast; 1 shows five rounds in four seconds.", valueName: "factor"))
    var speed = 1.0

    func validate() throws {
        guard speed > 0, speed.isFinite else { throw ValidationError("--speed must be above 0") }
    }

    func run() throws {
        let rounds = try Trace.read(path: trace).answers.flatMap(\.rounds)
        let title = URL(fileURLWithPath: trace).lastPathComponent
        let status = ReplayApp(rounds: rounds, title: title, speed: speed).run()
        if status != 0 { throw ExitCode(status) }
    }
}
