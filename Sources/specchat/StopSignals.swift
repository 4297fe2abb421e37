// StopSignals.swift — Ctrl-C and termination as the end of a task, for commands that stream. The chat has its own.

import Dispatch
import Foundation
import Synchronization

/// Runs `work` until it ends or a signal asks it to; in the latter case throws a failure of status 130 or 143.
///
/// `work` is cancelled by the first signal and has a second to put its output in order; the next signal, or the end of
/// the second, ends the process.
func untilStopped<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await work() }
    let received = Mutex<ProgramStatus?>(nil)
    let sources = [(SIGINT, ProgramStatus.interrupted), (SIGTERM, .terminated)].compactMap { number, status in
        signalSource(number) {
            let isFirst = received.withLock { first in
                defer { first = first ?? status }
                return first == nil
            }
            guard isFirst else { _exit(status.rawValue) }
            task.cancel()
            DispatchQueue.global().asyncAfter(deadline: .now() + 1) { _exit(status.rawValue) }
        }
    }
    let result = await task.result
    if let status = received.withLock({ $0 }) { throw CommandFailure(status, status.meaning) }
    // Kept until here: a source that is let go of no longer hears its signal.
    withExtendedLifetime(sources) {}
    return try result.get()
}

/// Hears a signal from now on; nothing when whoever started the program wants the signal ignored, as for `command &`.
private func signalSource(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> (any DispatchSourceSignal)? {
    var action = sigaction()
    sigaction(number, nil, &action)
    let ignored = unsafeBitCast(SIG_IGN, to: Int.self)
    guard unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != ignored else { return nil }
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: handler)
    source.resume()
    return source
}
