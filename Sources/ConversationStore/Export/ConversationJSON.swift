// ConversationJSON.swift — a saved conversation as JSON. The names are a contract: Docs/conversations.md.

public import Engine
import Foundation

/// Everything of a conversation but the bytes of its pictures.
public struct ConversationJSON: Encodable {
    struct Picture: Encodable {
        let path: String
        let sha256: SHA256Digest
        let byteCount: Int
        let width: Int
        let height: Int
        let isKept: Bool
    }

    struct Turn: Encodable {
        let number: Int
        let asked: Date
        let question: String
        let pictures: [Picture]
        let answer: String
        let tokens: [Int32]
        let state: TurnState
        let settings: ConversationSettings
        let statistics: TurnStatistics
        /// Absent where they were not asked for.
        let rounds: [SpeculationRound]?
    }

    /// Version of the format; 1.
    let specchatConversation = 1
    let id: ConversationID
    let title: String
    let created: Date
    let updated: Date
    let model: ModelIdentity
    let template: String?
    let settings: ConversationSettings
    let turns: [Turn]

    /// - Parameter rounds: of the answers, by their turns' numbers; absent to leave them out.
    public init(_ conversation: SavedConversation, rounds: [Int: [SpeculationRound]]?) {
        id = conversation.id
        title = conversation.title
        created = conversation.created
        updated = conversation.updated
        model = conversation.model
        template = conversation.template
        settings = conversation.settings
        turns = conversation.turns.map { turn in
            Turn(
                number: turn.number, asked: turn.asked, question: turn.question,
                pictures: turn.pictures.map {
                    Picture(
                        path: $0.path, sha256: $0.digest, byteCount: $0.byteCount, width: $0.width, height: $0.height,
                        isKept: $0.isKept)
                },
                answer: turn.answer, tokens: turn.tokens, state: turn.state, settings: turn.settings,
                statistics: turn.statistics, rounds: rounds.map { $0[turn.number] ?? [] })
        }
    }

    /// The JSON text, line end included, with nothing in it that a terminal would obey.
    public func text(pretty: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return harmlessJSON(String(decoding: try encoder.encode(self), as: UTF8.self)) + "\n"
    }
}
