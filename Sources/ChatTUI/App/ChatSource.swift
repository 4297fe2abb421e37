// ChatSource.swift — the engine as the screen sees it: four things to ask for, each a stream of events.

public import Engine

/// What answers. The streams are read one after another, in the order in which they were made.
public struct ChatSource: Sendable {
    public let load: @Sendable () -> EventStream
    public let attach: @Sendable (PixelImage) -> EventStream
    public let ask: @Sendable (String, GenerationOptions) -> EventStream
    public let clear: @Sendable () -> EventStream

    public init(
        load: @escaping @Sendable () -> EventStream, attach: @escaping @Sendable (PixelImage) -> EventStream,
        ask: @escaping @Sendable (String, GenerationOptions) -> EventStream,
        clear: @escaping @Sendable () -> EventStream
    ) {
        self.load = load
        self.attach = attach
        self.ask = ask
        self.clear = clear
    }
}
