// ChatSource.swift — the engine as the screen sees it: four things to ask for, each a stream of events.

public import Engine

/// What answers. The streams are read one after another, in the order in which they were made.
public struct ChatSource: Sendable {
    public let load: @Sendable () -> EventStream
    public let attach: @Sendable (PixelImage) -> EventStream
    public let ask: @Sendable (String, GenerationOptions) -> EventStream
    public let clear: @Sendable () -> EventStream
    public let gate: EngineGate

    public init(
        load: @escaping @Sendable () -> EventStream, attach: @escaping @Sendable (PixelImage) -> EventStream,
        ask: @escaping @Sendable (String, GenerationOptions) -> EventStream,
        clear: @escaping @Sendable () -> EventStream, gate: EngineGate = EngineGate()
    ) {
        self.load = load
        self.attach = attach
        self.ask = ask
        self.clear = clear
        self.gate = gate
    }
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
}
