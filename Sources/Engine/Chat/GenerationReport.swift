// GenerationReport.swift — the facts of one answer, for the status line, `--stats` and `--json`.

/// What one answer was and what it cost.
public struct GenerationReport: Sendable, Equatable {
    public enum FinishReason: String, Sendable, Equatable, Codable {
        /// The model ended its answer.
        case stop
        /// The token limit was reached.
        case limit
        /// The context is full; `/clear` begins a new conversation.
        case contextFull = "context-full"
        /// The user stopped it; the text so far stays in the conversation.
        case cancelled
    }

    public struct Seconds: Sendable, Equatable, Codable {
        public var load = 0.0
        public var vision = 0.0
        public var prefill = 0.0
        public var decode = 0.0
        public init() {}
    }

    public struct Lookup: Sendable, Equatable, Codable {
        public var drafted = 0
        public var accepted = 0
        public init() {}
    }

    public var text: String
    /// Ids of the answer, the end token included when the model ended it.
    public var tokens: [Int32]
    /// Rows of the conversation before the answer: text tokens and picture rows.
    public var promptTokens: Int
    /// Target passes; each yields at least one token.
    public var rounds: Int
    /// Draft tokens proposed, and how many of them the target accepted.
    public var drafted: Int
    public var accepted: Int
    /// Drafted tokens that were looked up, and how many of them the target accepted; what a draft model proposed too counts.
    public var lookup = Lookup()
    /// Rounds in which the draft model was switched off because it had not paid.
    public var draftRested = 0
    public var seconds: Seconds
    public var finish: FinishReason
    /// "off", "chain" or "dynamic".
    public var speculation: String
    /// Name of the draft in use; absent when there was none.
    public var draft: String?
    public var seed: UInt64
    public var temperature: Float
    public var threads: Int
    public var backend: String
    /// Rows of the context in use after the answer, and how many there are.
    public var contextUsed: Int
    public var contextLimit: Int
    /// Place of the turn in the conversation, from 0: what `rewind` takes.
    public var turn = 0

    /// Tokens per target pass, the bonus token counted.
    public var acceptanceLength: Double { rounds == 0 ? 0 : Double(tokens.count) / Double(rounds) }
    public var tokensPerSecond: Double { seconds.decode > 0 ? Double(tokens.count) / seconds.decode : 0 }
}
