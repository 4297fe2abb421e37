// SavedConversation.swift — what the store gives back: conversations, turns and pictures as values.

public import Engine
public import Foundation

/// The line that stands for a conversation in a list.
public struct ConversationSummary: Sendable, Equatable {
    public let id: ConversationID
    /// The beginning of the first question.
    public let title: String
    public let created: Date
    public let updated: Date
    public let model: String
    public let turns: Int
    public let pictures: Int
}

/// A conversation with all its turns, in order.
public struct SavedConversation: Sendable, Equatable {
    public let id: ConversationID
    public let title: String
    public let created: Date
    public let updated: Date
    public let model: ModelIdentity
    /// Name of the chat template; absent where it was not known.
    public let template: String?
    /// What the next answer would be generated with.
    public let settings: ConversationSettings
    public let turns: [SavedTurn]
}

/// What a user may choose, the draft that was in use, and the system prompt.
public struct ConversationSettings: Sendable, Equatable, Codable {
    public var sampler = SamplerOptions()
    public var speculation = SpeculationOptions()
    public var maximumTokens = GenerationOptions().maximumTokens
    public var draft: String?
    /// What stands before the conversation; absent for the template's own.
    public var system: String?

    public init() {}

    public init(_ options: GenerationOptions, draft: String?, system: String? = nil) {
        sampler = options.sampler
        speculation = options.speculation
        maximumTokens = options.maximumTokens
        self.draft = draft
        self.system = system
    }

    public var options: GenerationOptions {
        var options = GenerationOptions()
        options.sampler = sampler
        options.speculation = speculation
        options.maximumTokens = maximumTokens
        return options
    }
}

/// How an answer stands, or how it ended.
public enum TurnState: String, Sendable, Equatable, Codable, CaseIterable {
    /// Being written. Read back it is `broken`: whoever wrote it did not live to end it, or has not yet.
    case streaming
    case complete
    /// By the user.
    case stopped
    case limit
    case contextFull = "context-full"
    /// Ended by an error, or by the end of the program.
    case broken

    public init(_ finish: GenerationReport.FinishReason) {
        self =
            switch finish {
            case .stop: .complete
            case .limit: .limit
            case .contextFull: .contextFull
            case .cancelled: .stopped
            }
    }
}

/// A question and its answer.
public struct SavedTurn: Sendable, Equatable {
    /// From 0.
    public let number: Int
    public let asked: Date
    public let question: String
    /// Shown to the model with the question, in this order.
    public let pictures: [SavedPicture]
    /// As far as it came.
    public let answer: String
    /// Ids of the answer, the end token included when the model ended it.
    public let tokens: [Int32]
    public let state: TurnState
    public let settings: ConversationSettings
    public let statistics: TurnStatistics
}

/// A picture of a turn. Its thumbnail, and its file where it was kept, are asked for by digest.
public struct SavedPicture: Sendable, Equatable {
    /// Where the file lay.
    public let path: String
    public let digest: SHA256Digest
    /// Size of the file.
    public let byteCount: Int
    /// Size of the picture in pixels, upright.
    public let width: Int
    public let height: Int
    /// Whether the file itself is in the store.
    public let isKept: Bool
}

/// What an answer was and what it cost: a `GenerationReport` without its text and its tokens.
public struct TurnStatistics: Sendable, Equatable, Codable {
    public var tokens = 0
    public var rounds = 0
    public var drafted = 0
    public var accepted = 0
    public var seconds = GenerationReport.Seconds()
    public var promptTokens = 0
    /// Rows of the context in use after the answer, and how many there were.
    public var contextUsed = 0
    public var contextLimit = 0
    public var threads = 0
    public var backend = ""

    public init() {}

    public init(_ report: GenerationReport) {
        tokens = report.tokens.count
        rounds = report.rounds
        drafted = report.drafted
        accepted = report.accepted
        seconds = report.seconds
        promptTokens = report.promptTokens
        contextUsed = report.contextUsed
        contextLimit = report.contextLimit
        threads = report.threads
        backend = report.backend
    }

    /// Counts a round of an answer that has not ended.
    public mutating func add(_ round: SpeculationRound) {
        tokens += round.tokens.count
        rounds += 1
        drafted += round.drafted
        accepted += round.accepted.count
        seconds.decode += round.seconds.draft + round.seconds.verify + round.seconds.choose
    }

    public var acceptanceLength: Double { rounds == 0 ? 0 : Double(tokens) / Double(rounds) }
    public var tokensPerSecond: Double { seconds.decode > 0 ? Double(tokens) / seconds.decode : 0 }
}
