// RoundGate.swift — where decoding waits between two rounds: for whoever paused it, and for a reader's eye.

import Dispatch
import Synchronization

/// The border between two rounds, told what to do by any thread while the decoding queue works.
///
/// The one lock of the engine. The queue is busy for as long as an answer takes, so what concerns the running answer
/// cannot be a job of that queue. Waiting sleeps on a semaphore and costs no processor time.
final class RoundGate: Sendable {
    private struct State {
        var isPaused = false
        /// Rounds that may still pass while paused.
        var steps = 0
        /// Whether decoding waits on `signal`.
        var isHeld = false
        /// Answers that were asked for and have not ended, in that order.
        var answers: [Cancellation] = []
    }

    private enum Verdict {
        case pass, wait(until: DispatchTime)
    }

    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)
    /// A wait is at most this long before the clock is looked at again, so that no sum of times overflows.
    private static let longestWait = Duration.seconds(3600)

    var isPaused: Bool { state.withLock { $0.isPaused } }
    /// Whether decoding stands at the gate just now.
    var isHeld: Bool { state.withLock { $0.isHeld } }

    func pause() { change { $0.isPaused = true } }

    func resume() { change { ($0.isPaused, $0.steps) = (false, 0) } }

    /// Lets one round through; nothing unless paused.
    func step() { change { if $0.isPaused { $0.steps += 1 } } }

    /// Cancels every answer that was asked for and has not ended.
    func stop() { change { for answer in $0.answers { answer.cancel() } } }

    /// Makes a waiting decoder look at its cancellation again.
    func wake() { change { _ in } }

    func enter(_ answer: Cancellation) { state.withLock { $0.answers.append(answer) } }

    /// Takes an answer off the list. Steps that no round took go with it.
    func leave(_ answer: Cancellation) {
        state.withLock { state in
            state.answers.removeAll { $0 === answer }
            state.steps = 0
        }
    }

    /// Returns when the next round may begin: not before `instant` and not while paused, but at once after a step or
    /// when cancelled.
    func wait(until instant: ContinuousClock.Instant?, cancellation: Cancellation) {
        while case .wait(let deadline) = verdict(until: instant, cancellation: cancellation) {
            guard signal.wait(timeout: deadline) == .timedOut else { continue }
            let signalled = state.withLock { state in
                defer { state.isHeld = false }
                return !state.isHeld
            }
            // A signal that came after the time was up must not wake the next wait.
            if signalled { signal.wait() }
        }
    }

    private func verdict(until instant: ContinuousClock.Instant?, cancellation: Cancellation) -> Verdict {
        let left = instant.map { $0 - .now } ?? .zero
        return state.withLock { state in
            if cancellation.isCancelled { return .pass }
            if state.steps > 0 {
                state.steps -= 1
                return .pass
            }
            guard state.isPaused || left > .zero else { return .pass }
            state.isHeld = true
            return .wait(until: state.isPaused ? .distantFuture : .now() + min(left, Self.longestWait).seconds)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.withLock { state in
            body(&state)
            defer { state.isHeld = false }
            return state.isHeld
        }
        if wakes { signal.signal() }
    }
}
