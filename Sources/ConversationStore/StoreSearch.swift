// StoreSearch.swift — full text search over all that was asked and answered.

import Foundation
import GRDB

/// A turn in which all words were found.
public struct SearchHit: Sendable, Equatable {
    /// A piece of the text around what was found.
    public struct Piece: Sendable, Equatable {
        public let text: String
        /// Whether it is one of the words that were looked for.
        public let isMatch: Bool
    }

    public let conversation: ConversationSummary
    /// Number of the turn, from 0.
    public let turn: Int
    /// The surroundings of what was found, on one line.
    public let excerpt: [Piece]
}

extension ConversationStore {
    /// The turns in which all `words`, or words that begin so, occur; the best first.
    ///
    /// Letters' case and accents make no difference. Signs have no meaning.
    public func search(_ words: String, limit: Int = 50) throws(StoreError) -> [SearchHit] {
        guard let pattern = SearchPattern.pattern(words) else { return [] }
        let found = try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT conversation, number, snippet(search, -1, ?, ?, '…', 12) AS excerpt
                    FROM search JOIN turn ON turn.id = search.rowid
                    WHERE search MATCH ? ORDER BY rank, turn.id DESC LIMIT ?
                    """,
                arguments: [SearchPattern.matchBegins, SearchPattern.matchEnds, pattern, limit]
            ).map { (id: $0["conversation"] as String, turn: $0["number"] as Int, excerpt: $0["excerpt"] as String) }
        }
        let summaries = Dictionary(
            uniqueKeysWithValues: try list(matching: words).map { ($0.id.description, $0) })
        // A conversation may have been deleted between the two readings.
        return found.compactMap { hit in
            summaries[hit.id].map {
                SearchHit(conversation: $0, turn: hit.turn, excerpt: SearchPattern.pieces(of: hit.excerpt))
            }
        }
    }
}

/// What FTS5 is asked, and what it marks in its answer.
enum SearchPattern {
    // Control characters: no text that someone typed has them, and one that has is only marked oddly.
    static let matchBegins = "\u{1}"
    static let matchEnds = "\u{2}"

    /// Every word as a beginning of a word, quoted, so that no sign in it is taken for an operator. Absent when there
    /// is no word.
    static func pattern(_ words: String) -> String? {
        let terms = words.split { !($0.isLetter || $0.isNumber) }.map { "\"\($0)\"*" }
        return terms.isEmpty ? nil : terms.joined(separator: " ")
    }

    static func pieces(of excerpt: String) -> [SearchHit.Piece] {
        var pieces: [SearchHit.Piece] = []
        let line = excerpt.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for (index, part) in line.components(separatedBy: matchBegins).enumerated() {
            let ends = part.components(separatedBy: matchEnds)
            let (match, rest) = index > 0 ? (ends[0], ends.dropFirst().joined()) : ("", ends.joined())
            if !match.isEmpty { pieces.append(SearchHit.Piece(text: match, isMatch: true)) }
            if !rest.isEmpty { pieces.append(SearchHit.Piece(text: rest, isMatch: false)) }
        }
        return pieces
    }
}
