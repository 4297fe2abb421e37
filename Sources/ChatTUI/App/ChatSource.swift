// ChatSource.swift — the engine as the screen sees it: things to ask for, each a stream of events.

public import Engine

/// What answers. The streams are read one after another, in the order in which they were made.
public struct ChatSource: Sendable {
    public let load: @Sendable () -> EventStream
    public let attach: @Sendable (PixelImage) -> EventStream
    public let ask: @Sendable (String, GenerationOptions) -> EventStream
    public let clear: @Sendable () -> EventStream
    /// Puts turns in the place of the conversation.
    public let restore: @Sendable ([PastTurn]) -> EventStream
    /// Forgets a turn and all after it, but for the turn's pictures, which wait for another question.
    public let rewind: @Sendable (Int) -> EventStream
    /// Ends the running answer within one round; its stream goes on to the report. Without it the stream is dropped.
    public let stop: (@Sendable () -> Void)?
    /// The system prompt of the next conversation; nil is the model's own.
    public var setSystem: @Sendable (String?) -> EventStream = { _ in ChatSource.nothing }
    public let gate: EngineGate

    public init(
        load: @escaping @Sendable () -> EventStream, attach: @escaping @Sendable (PixelImage) -> EventStream,
        ask: @escaping @Sendable (String, GenerationOptions) -> EventStream,
        clear: @escaping @Sendable () -> EventStream,
        restore: @escaping @Sendable ([PastTurn]) -> EventStream = { _ in ChatSource.nothing },
        rewind: @escaping @Sendable (Int) -> EventStream = { _ in ChatSource.nothing },
        stop: (@Sendable () -> Void)? = nil, gate: EngineGate = EngineGate()
    ) {
        self.load = load
        self.attach = attach
        self.ask = ask
        self.clear = clear
        self.restore = restore
        self.rewind = rewind
        self.stop = stop
        self.gate = gate
    }
}

extension ChatSource {
    /// What a source says that has no past to go back to.
    public static var nothing: EventStream { EventStream { $0.finish() } }
}

/// The border between two rounds, where the engine can be made to wait. Without one nothing ever waits.
public struct EngineGate: Sendable {
    public let pause: @Sendable () -> Void
    public let resume: @Sendable () -> Void
    /// Lets one round through while paused.
    public let step: @Sendable () -> Void

    public init(
        pause: @escaping @Sendable () -> Void = {}, resume: @escaping @Sendable () -> Void = {},
        step: @escaping @Sendable () -> Void = {}
    ) {
        self.pause = pause
        self.resume = resume
        self.step = step
    }

    /// The gate of this engine.
    public init(_ engine: ChatEngine) {
        self.init(pause: { engine.pause() }, resume: { engine.resume() }, step: { engine.step() })
    }
}
