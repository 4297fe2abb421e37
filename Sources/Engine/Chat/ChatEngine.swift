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
    private let gate = RoundGate()
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
        stream(isAnswer: true) { engine, emit, cancellation in
            let conversation = try engine.loaded(emit, cancellation)
            try conversation.ask(question, options: options, emit: emit, cancellation: cancellation)
        }
    }

    /// Puts a stored conversation in the place of this one and reads it, while the user is still typing.
    ///
    /// Nothing changes if it cannot be put back (`ChatError`). A stream that is dropped leaves the conversation in place;
    /// what was not read by then is read before the next answer. Every later answer is, byte for byte, what it would have
    /// been had the conversation never been interrupted.
    public nonisolated func restore(_ turns: [PastTurn]) -> EventStream {
        stream { engine, emit, cancellation in
            try engine.loaded(emit, cancellation).restore(turns, emit: emit, cancellation: cancellation)
        }
    }

    /// Forgets a turn, counted from 0, and all after it, as if they had never been; nothing is read anew.
    ///
    /// - Parameters:
    ///   - turn: the number of turns forgets what was attached for the coming question alone.
    ///   - keepingPictures: whether the pictures before that turn's question stay for the next question.
    public nonisolated func rewind(toTurn turn: Int, keepingPictures: Bool = false) -> EventStream {
        stream { engine, emit, cancellation in
            try engine.loaded(emit, cancellation).rewind(toTurn: turn, keepingPictures: keepingPictures)
        }
    }

    /// The turns of the conversation as the models know them; those of answers that were stopped or dropped too.
    public var turns: [TurnRecord] { conversation?.turns ?? [] }

    /// Begins a new conversation; its pictures are gone too.
    public nonisolated func clear() -> EventStream {
        stream { engine, _, _ in engine.conversation?.clear() }
    }

    /// Sets the system prompt of the next conversation, or of the present one while it is empty; nil is the template's
    /// own. Fails where the model's template has none.
    public nonisolated func setSystem(_ text: String?) -> EventStream {
        stream { engine, emit, cancellation in try engine.loaded(emit, cancellation).setSystem(text) }
    }

    // MARK: While an answer is generated, from any thread

    /// Holds every answer at the border of its next round, the first included, until `resume`. No measured time counts it.
    public nonisolated func pause() { gate.pause() }

    /// Goes on after a pause.
    public nonisolated func resume() { gate.resume() }

    /// Lets one round through while paused; steps add up until the answer ends.
    public nonisolated func step() { gate.step() }

    /// Ends every answer that was asked for and is not complete, at the border of its round. Unlike a stream that is
    /// dropped, theirs go on to their reports.
    public nonisolated func stop() { gate.stop() }

    public nonisolated var isPaused: Bool { gate.isPaused }

    /// Whether an answer stands at the border of a round just now, paused or by its pace.
    public nonisolated var isHeld: Bool { gate.isHeld }

    /// Log-probabilities that the target gives to the tokens of `answer` after the prompt; the conversation is untouched.
    public func score(
        _ prompt: ScorePrompt, image: PixelImage?, answer: String, keepingLogits: Bool = false
    ) throws -> [TokenScore] {
        try loaded({ _ in }, Cancellation()).models
            .score(prompt, image: image, answer: answer, keepingLogits: keepingLogits)
    }

    /// Times passes of the target, of the chosen draft and of the vision tower; the conversation is untouched.
    ///
    /// - Parameter progress: told what is timed next.
    public func measureCosts(_ request: CostRequest, progress: @Sendable (String) -> Void) throws -> CostReport {
        try loaded({ _ in }, Cancellation()).models.measureCosts(request, progress: progress)
    }

    typealias Emit = (GenerationEvent) -> Void

    private func loaded(_ emit: Emit, _ cancellation: Cancellation) throws -> Conversation {
        if let conversation { return conversation }
        let models = try LoadedModels(bundle: bundle, options: options, emit: emit, cancellation: cancellation)
        let conversation = Conversation(models: models, gate: gate)
        self.conversation = conversation
        return conversation
    }

    private nonisolated func stream(
        isAnswer: Bool = false, _ work: @escaping @Sendable (isolated ChatEngine, Emit, Cancellation) throws -> Void
    ) -> EventStream {
        let (stream, continuation) = EventStream.makeStream()
        let cancellation = Cancellation()
        if isAnswer { gate.enter(cancellation) }
        continuation.onTermination = { [gate] _ in
            cancellation.cancel()
            gate.wake()
        }
        // The queue keeps the order of the calls, which tasks would not.
        queue.async {
            self.assumeIsolated { engine in
                defer { if isAnswer { engine.gate.leave(cancellation) } }
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
