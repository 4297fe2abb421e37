import Synchronization
import Testing

@testable import Engine

/// An answer that is generated on its engine's queue while the test looks on and pulls the levers.
private final class HeldAnswer: Sendable {
    let engine: ChatEngine
    private let reader: Task<GenerationReport?, any Error>
    private let seen: Count

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    /// - Parameter pausing: pauses before the question is put, so that not even the first round is made.
    init(pausing: Bool = true, pace: Double = 0, tokens: Int = 6) async throws {
        var options = EngineOptions()
        options.threads = 1
        options.contextLength = 200
        engine = ChatEngine(bundle: try Golden("grouped").bundle(), options: options)
        for try await _ in engine.load() {}
        if pausing { engine.pause() }
        var generation = GenerationOptions()
        generation.pace = pace
        generation.maximumTokens = tokens
        // A penalty below one rewards repetition, so that the answer never ends by itself.
        generation.sampler.repetitionPenalty = 0.01
        let stream = engine.ask("Tell me all", options: generation)
        let seen = Count()
        self.seen = seen
        reader = Task {
            for try await event in stream {
                if case .round = event { seen.value.withLock { $0 += 1 } }
                if case .finished(let report) = event { return report }
            }
            return nil
        }
    }

    var rounds: Int { seen.value.withLock { $0 } }
    var report: GenerationReport? { get async throws { try await reader.value } }

    /// Returns when the engine stands at the gate and every round made until then was read.
    func held(after rounds: Int) async throws {
        while !(engine.isHeld && self.rounds >= rounds) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(self.rounds == rounds)
    }

    func drop() { reader.cancel() }
}

@Suite(.timeLimit(.minutes(2))) struct `The gate between rounds` {
    @Test func `a paused answer waits before its first round, and every step lets one through`() async throws {
        let answer = try await HeldAnswer()
        try await answer.held(after: 0)
        for rounds in 1...3 {
            answer.engine.step()
            try await answer.held(after: rounds)
        }
        answer.engine.resume()
        let report = try #require(try await answer.report)
        #expect(report.tokens.count == 6 && report.finish == .limit)
        #expect(!answer.engine.isHeld && !answer.engine.isPaused)
    }

    @Test func `steps add up, and none is left over for the next answer`() async throws {
        // As many tokens as steps: the answer cannot end before the last step was granted.
        let answer = try await HeldAnswer(tokens: 5)
        for _ in 0..<5 { answer.engine.step() }
        #expect(try await answer.report?.tokens.count == 5)
        let stream = answer.engine.ask("And then?", options: GenerationOptions())
        while !answer.engine.isHeld { try await Task.sleep(for: .milliseconds(1)) }
        answer.engine.stop()
        var reports: [GenerationReport] = []
        for try await case .finished(let report) in stream { reports.append(report) }
        #expect(reports.map(\.finish) == [.cancelled] && reports.map(\.tokens) == [[]])
    }

    @Test func `stopping ends a held answer at once, with its report`() async throws {
        let answer = try await HeldAnswer()
        answer.engine.step()
        try await answer.held(after: 1)
        answer.engine.stop()
        let report = try #require(try await answer.report)
        #expect(report.finish == .cancelled && report.tokens.count == 1)
        #expect(answer.engine.isPaused)
    }

    @Test func `dropping the stream of a held answer lets the engine go on`() async throws {
        let answer = try await HeldAnswer()
        try await answer.held(after: 0)
        answer.drop()
        // Served only when the answer has left the queue.
        for try await _ in answer.engine.clear() {}
        #expect(!answer.engine.isHeld)
    }

    @Test func `a pace holds the round that was made, until it is stopped`() async throws {
        let answer = try await HeldAnswer(pausing: false, pace: 1e9)
        try await answer.held(after: 1)
        // Steps are for pauses: they do not hurry a pace.
        answer.engine.step()
        try await answer.held(after: 1)
        answer.engine.stop()
        #expect(try await answer.report?.tokens.count == 1)
    }

    @Test func `an answer with a pace is the same answer`() async throws {
        let plain = try await HeldAnswer(pausing: false).report
        let paced = try await HeldAnswer(pausing: false, pace: 0.001).report
        #expect(plain?.tokens.count == 6 && paced?.tokens == plain?.tokens && paced?.text == plain?.text)
    }

    @Test func `the time that an answer is held is not decoding time`() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let answer = try await HeldAnswer()
        try await answer.held(after: 0)
        let held = clock.now
        try await Task.sleep(for: .milliseconds(50))
        let released = clock.now
        answer.engine.resume()
        let report = try #require(try await answer.report)
        // True however slow the machine is: decoding had all the time but that between `held` and `released`.
        #expect(report.seconds.decode <= ((clock.now - start) - (released - held)).seconds)
    }

    @Test func `a signal that comes when the time is up does not wake the next wait`() {
        let gate = RoundGate()
        let cancellation = Cancellation()
        for _ in 0..<200 {
            gate.wait(until: .now + .microseconds(50), cancellation: cancellation)
            gate.wake()
        }
        gate.pause()
        for _ in 0..<3 { gate.step() }
        for _ in 0..<3 { gate.wait(until: nil, cancellation: cancellation) }
        cancellation.cancel()
        gate.wait(until: nil, cancellation: cancellation)
        #expect(!gate.isHeld)
    }
}
