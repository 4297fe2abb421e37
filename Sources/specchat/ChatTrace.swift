// ChatTrace.swift — every answer of a chat in one trace: a header and its rounds, written as they pass by.

import Engine
import Synchronization

/// Stands between the engine and the screen and writes down what passes.
final class ChatTrace: Sendable {
    private struct State {
        let writer: TraceWriter
        /// Name of the last picture that was shown.
        var picture: String?
    }

    private let model: String
    private let draft: String?
    private let state: Mutex<State>

    /// Creates or empties the file, so that a place that cannot be written is found before the chat begins.
    init(path: String, bundle: ModelBundle) throws(TraceError) {
        model = bundle.name
        draft = bundle.drafters
        state = Mutex(State(writer: try TraceWriter(path: path)))
    }

    func attach(_ image: PixelImage) { state.withLock { $0.picture = image.source.name } }

    /// The same events; a trace that cannot be written on ends them with the reason.
    func record(_ events: EventStream, question: String, options: GenerationOptions) -> EventStream {
        EventStream { continuation in
            let task = Task {
                do {
                    try begin(question, options)
                    for try await event in events {
                        if case .round(let round, _) = event { try state.withLock { try $0.writer.write(round) } }
                        continuation.yield(event)
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            // Whoever stops reading stops the engine too: the task lets go of its stream.
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func begin(_ question: String, _ options: GenerationOptions) throws {
        try state.withLock { state in
            try state.writer.write(
                TraceHeader(
                    model: model, draft: options.speculation.policy == .off ? nil : draft, question: question,
                    image: state.picture, speculation: options.speculation.policy, sampler: options.sampler))
        }
    }
}
