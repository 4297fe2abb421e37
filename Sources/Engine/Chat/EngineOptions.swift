// EngineOptions.swift — what is decided when an engine is made.

public struct EngineOptions: Sendable, Equatable {
    /// Threads for the model's arithmetic; absent: one per physical core that the process may use.
    public var threads: Int?
    /// Rows of the context; absent: what the model was trained for, at most 4096.
    public var contextLength: Int?

    public init() {}
}
