// ReplayApp.swift — a trace on the screen: the draft tree round by round, with no model at all.

import Engine
import Foundation

public struct ReplayApp {
    private let rounds: [NumberedRound]
    private let range: ClosedRange<Int>?
    private let title: String
    private let speed: Double
    private let environment: [String: String]

    /// - Parameters:
    ///   - title: named at the top, usually the trace's file name.
    ///   - speed: 1 shows five rounds in four seconds.
    ///   - range: numbers of the rounds that are wanted: the screen begins at the first of them, paused, and text holds
    ///     no others. Absent: all, playing.
    public init(
        rounds: [NumberedRound], title: String, speed: Double = 1, range: ClosedRange<Int>? = nil,
        environment: [String: String]? = nil
    ) {
        self.rounds = rounds
        self.title = title
        self.speed = speed
        self.range = range
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Shows the rounds until the user quits and returns the exit code. Off a terminal it prints them as text.
    public func run() -> Int32 {
        Terminal.useLocale()
        switch Terminal.obstacle(terminalName: environment["TERM"] ?? "") {
        case .notATerminal, .dumbTerminal:
            let failure = PlainOutput.write(replayText(wanted, isUTF8: Terminal.isUTF8))
            return failure.map { ChatApp.fail($0, exitCode: 1) } ?? 0
        case let obstacle?: return ChatApp.fail(obstacle.description, exitCode: 3)
        case nil: return runScreen()
        }
    }

    private func runScreen() -> Int32 {
        do {
            let loop = try ScreenLoop(
                state: initialState,
                environment: environment, mailbox: Mailbox(wake: Terminal.post), actions: ScreenActions(),
                imageProtocol: .none)
            return loop.run(beginning: []).exitCode
        } catch {
            return ChatApp.fail(error.description, exitCode: 3)
        }
    }

    private var wanted: [SpeculationRound] {
        rounds.filter { range?.contains($0.number) ?? true }.map(\.round)
    }

    private var initialState: AppState {
        var state = ReplayApp.state(
            rounds.map(\.round), title: title, speed: speed, symbols: Terminal.isUTF8 ? .unicode : .ascii)
        let asked = rounds.compactMap { round in round.question.map { (round.number, $0) } }
        state.replay?.questions = Dictionary(asked) { first, _ in first }
        if let range {
            state.tree.step(range.lowerBound - 1, at: 0)
            state.replay?.isPlaying = false
        }
        return state
    }

    /// The beginning of a replay: the first round, playing.
    static func state(_ rounds: [SpeculationRound], title: String, speed: Double, symbols: Symbols) -> AppState {
        var state = AppState()
        state.modelName = title
        state.symbols = symbols
        state.replay = Replay(isPlaying: !rounds.isEmpty, speed: min(64, max(0.125, speed)))
        state.tree = TreeState(rounds: rounds)
        return state
    }
}
