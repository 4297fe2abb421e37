// EngineOptions.swift — what is decided when an engine is made.

public struct EngineOptions: Sendable, Equatable {
    /// Threads for the model's arithmetic; absent: one per physical core that the process may use.
    public var threads: Int?
    /// Rows of the context; absent: what the model was trained for, at most 4096.
    public var contextLength: Int?
    /// How prompts are written; absent: as the model's files say.
    public var template: ChatTemplate?
    /// How keys and values are kept.
    public var cacheFormat = CacheFormat.float16
    /// What the matrices of the language model become where its files have them as floats; absent: they stay floats.
    public var quantisation: Quantisation?
    /// Where packed weights are kept for later starts; absent keeps none. No text depends on it.
    public var weightCache: WeightCacheOptions?
    /// Where encoded pictures are kept for later conversations; absent keeps none. No text depends on it.
    public var pictureCache: PictureCacheOptions?

    /// Where answers are kept for later conversations to draft from; absent keeps none. No text depends on it.
    public var answerStore: AnswerStoreOptions?

    public init() {}
}
