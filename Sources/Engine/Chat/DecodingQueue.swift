// DecodingQueue.swift — the one background queue on which models, caches and backends live.

import Dispatch
import Synchronization

/// The executor of the chat engine: one serial Dispatch queue. Work enqueued by `async` and jobs of the actor run on it
/// one after the other, in the order in which they came.
final class DecodingQueue: SerialExecutor {
    private let queue = DispatchQueue(label: "specchat.decoding", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func async(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}

/// Whether the reader of a stream has gone; looked at between rounds, chunks and blocks.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    func cancel() { flag.store(true, ordering: .relaxed) }

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
