// SessionsJSON.swift — what `sessions list --json` and `sessions search --json` print. The names are a contract:
// Docs/conversations.md.

import ConversationStore
import Foundation

struct SummaryJSON: Encodable {
    let id: ConversationID
    let title: String
    let created: String
    let updated: String
    let model: String
    let turns: Int
    let pictures: Int

    init(_ summary: ConversationSummary) {
        id = summary.id
        title = summary.title
        created = summary.created.formatted(.iso8601)
        updated = summary.updated.formatted(.iso8601)
        model = summary.model
        turns = summary.turns
        pictures = summary.pictures
    }
}

struct HitJSON: Encodable {
    struct Piece: Encodable {
        let text: String
        let match: Bool
    }

    let conversation: SummaryJSON
    let turn: Int
    let excerpt: [Piece]

    init(_ hit: SearchHit) {
        conversation = SummaryJSON(hit.conversation)
        turn = hit.turn
        excerpt = hit.excerpt.map { Piece(text: $0.text, match: $0.isMatch) }
    }
}
