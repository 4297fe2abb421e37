// ChatEngine.swift — the one door to the engine: everything mutable lives behind it, on one queue; only values come out.

/// A conversation with a model about pictures.
///
/// Its streams are served one after the other, in the order in which they were asked for. Dropping a stream, or
/// cancelling the task that reads it, stops the work within one round; what was generated until then stays in the
/// conversation.
public actor ChatEngine {
    private let queue = DecodingQueue()
    private let bundle: ModelBundle
    private let options: EngineOptions
    private var conversation: Conversation?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// Makes an engine without touching the files; `load` and the first question do.
    public init(bundle: ModelBundle, options: EngineOptions) {
        self.bundle = bundle
        self.options = options
    }

    /// Reads and packs the models.
    public nonisolated func load() -> EventStream {
        stream { engine, emit, cancellation in _ = try engine.loaded(emit, cancellation) }
    }

    /// Adds a picture to the next question: encodes it, and reads its rows while the user is still typing.
    public nonisolated func attach(_ image: PixelImage) -> EventStream {
        stream { engine, emit, cancellation in
            try engine.loaded(emit, cancellation).attach(image, emit: emit, cancellation: cancellation)
        }
    }

    /// Answers a question.
    public nonisolated func ask(_ question: String, options: GenerationOptions) -> EventStream {
        stream { engine, emit, cancellation in
            let conversation = try engine.loaded(emit, cancellation)
            try conversation.ask(question, options: options, emit: emit, cancellation: cancellation)
        }
    }

    /// Begins a new conversation; its pictures are gone too.
    public nonisolated func clear() -> EventStream {
        stream { engine, _, _ in engine.conversation?.clear() }
    }

    /// Log-probabilities that the target gives to the tokens of `answer` after the prompt; the conversation is untouched.
    public func score(_ prompt: ScorePrompt, image: PixelImage?, answer: String) throws -> [TokenScore] {
        try loaded({ _ in }, Cancellation()).models.score(prompt, image: image, answer: answer)
    }

    typealias Emit = (GenerationEvent) -> Void

    private func loaded(_ emit: Emit, _ cancellation: Cancellation) throws -> Conversation {
        if let conversation { return conversation }
        let models = try LoadedModels(bundle: bundle, options: options, emit: emit, cancellation: cancellation)
        let conversation = Conversation(models: models)
        self.conversation = conversation
        return conversation
    }

    private nonisolated func stream(
        _ work: @escaping @Sendable (isolated ChatEngine, Emit, Cancellation) throws -> Void
    ) -> EventStream {
        let (stream, continuation) = EventStream.makeStream()
        let cancellation = Cancellation()
        continuation.onTermination = { _ in cancellation.cancel() }
        // The queue keeps the order of the calls, which tasks would not.
        queue.async {
            self.assumeIsolated { engine in
                do {
                    try cancellation.check()
                    try work(engine, { continuation.yield($0) }, cancellation)
                    continuation.finish()
                } catch is CancellationError {
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
        return stream
    }
}
