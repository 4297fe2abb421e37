// AddedPieces.swift — pieces that Tokenizer finds in a text before it merges the rest.

/// Pieces by their beginnings (a trie), so that a text is searched once however many pieces there are.
struct AddedPieces: Sendable {
    /// A part of a text: a token, or what lies between tokens.
    struct Part: Equatable {
        /// Absent for what is to be merged.
        let token: Int32?
        let bytes: Range<Int>
    }

    /// The node that follows a node (0 is the root) by a byte: its key is the node's number and the byte.
    private var children: [UInt64: UInt64] = [:]
    /// Tokens of the nodes at which a piece ends.
    private var tokens: [UInt64: AddedToken] = [:]

    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a piece; of two that are spelt alike the first counts, and an empty one is no piece.
    mutating func insert(_ piece: some Sequence<UInt8>, _ token: AddedToken) {
        var node: UInt64 = 0
        for byte in piece {
            let key = node << 8 | UInt64(byte)
            node = children[key] ?? UInt64(children.count + 1)
            children[key] = node
        }
        if node > 0, tokens[node] == nil { tokens[node] = token }
    }

    /// `text` cut at the tokens in it, from the left, the longest at each place; no part is empty.
    func parts(of text: [UInt8]) -> [Part] {
        guard !isEmpty else { return text.isEmpty ? [] : [Part(token: nil, bytes: 0..<text.count)] }
        var parts: [Part] = []
        var start = 0
        var place = 0
        while place < text.count {
            guard let (token, length) = longest(in: text, at: place) else {
                place += 1
                continue
            }
            let found = place..<place + length
            place = found.upperBound
            guard let taken = reach(of: token, at: found, in: text) else { continue }
            // What one token took of the space around it is gone for the next.
            let from = max(taken.lowerBound, start)
            if start < from { parts.append(Part(token: nil, bytes: start..<from)) }
            parts.append(Part(token: token.id, bytes: min(from, taken.upperBound)..<taken.upperBound))
            start = taken.upperBound
        }
        if start < text.count { parts.append(Part(token: nil, bytes: start..<text.count)) }
        return parts
    }

    /// The longest piece that stands at `place` of `text`.
    private func longest(in text: [UInt8], at place: Int) -> (token: AddedToken, length: Int)? {
        var node: UInt64 = 0
        var best: (token: AddedToken, length: Int)?
        for (offset, byte) in text[place...].enumerated() {
            guard let next = children[node << 8 | UInt64(byte)] else { break }
            node = next
            if let token = tokens[node] { best = (token, offset + 1) }
        }
        return best
    }

    /// The bytes that a token takes, spaces with it; absent where it stands inside a word and must not.
    private func reach(of token: AddedToken, at found: Range<Int>, in text: [UInt8]) -> Range<Int>? {
        if token.isSingleWord {
            let before = Self.scalar(before: found.lowerBound, in: text)
            let after = Self.scalar(at: found.upperBound, in: text)
            if before.map(Self.isPartOfWord) == true || after.map(Self.isPartOfWord) == true { return nil }
        }
        var (lower, upper) = (found.lowerBound, found.upperBound)
        while token.stripsLeft, let scalar = Self.scalar(before: lower, in: text), scalar.properties.isWhitespace {
            lower -= UTF8.width(scalar)
        }
        while token.stripsRight, let scalar = Self.scalar(at: upper, in: text), scalar.properties.isWhitespace {
            upper += UTF8.width(scalar)
        }
        return lower..<upper
    }

    // MARK: Characters of well-formed UTF-8

    private static func scalar(at place: Int, in text: [UInt8]) -> Unicode.Scalar? {
        guard place < text.count else { return nil }
        return String(decoding: text[place..<min(place + 4, text.count)], as: UTF8.self).unicodeScalars.first
    }

    private static func scalar(before place: Int, in text: [UInt8]) -> Unicode.Scalar? {
        guard let lead = text[..<place].lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return nil }
        return scalar(at: lead, in: text)
    }

    /// What regular expressions call \w.
    private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        return switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: false
        }
    }
}
