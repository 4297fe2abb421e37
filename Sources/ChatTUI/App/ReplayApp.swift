// ReplayApp.swift — a trace on the screen: the draft tree round by round, with no model at all.

public import Engine
import Foundation

public struct ReplayApp {
    private let rounds: [NumberedRound]
    private let beginning: Int?
    private let title: String
    private let speed: Double
    private let environment: [String: String]

    /// - Parameters:
    ///   - title: named at the top, usually the trace's file name.
    ///   - speed: 1 shows five rounds in four seconds.
    ///   - beginning: number of the round to stand at, paused; absent plays from the first.
    public init(
        rounds: [NumberedRound], title: String, speed: Double = 1, beginning: Int? = nil,
        environment: [String: String]? = nil
    ) {
        self.rounds = rounds
        self.title = title
        self.speed = speed
        self.beginning = beginning
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Shows the rounds until the user quits and returns the exit code. Off a terminal it prints them as text.
    public func run() -> Int32 {
        Terminal.useLocale()
        switch Terminal.obstacle(terminalName: environment["TERM"] ?? "") {
        case .notATerminal, .dumbTerminal:
            let failure = PlainOutput.write(replayText(rounds.map(\.round), isUTF8: Terminal.isUTF8))
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

    private var initialState: AppState {
        var state = ReplayApp.state(
            rounds.map(\.round), title: title, speed: speed, symbols: Terminal.isUTF8 ? .unicode : .ascii)
        let asked = rounds.compactMap { round in round.question.map { (round.number, $0) } }
        state.replay?.questions = Dictionary(asked) { first, _ in first }
        if let beginning {
            state.tree.step(beginning - 1, at: 0)
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
