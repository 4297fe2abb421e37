// Normalisation.swift — what becomes of a segment of text before Tokenizer merges it: spaces become "▁", and one is put
// before the first word.

/// What stands before a text.
enum SegmentPlace: Sendable, Equatable {
    /// Nothing, or the beginning token that a tokenizer puts there.
    case start
    /// A mark, a picture, an added token.
    case middle
    /// Words that it goes on with: no space is put between.
    case continued
}

/// What becomes of a text before it is merged.
///
/// A segment is what lies between the added tokens of a text. Two rules exist, and a vocabulary says which is its own:
/// SentencePiece's (a space before a segment, always), and that of `tokenizers`' newer files (Metaspace: none before a
/// segment that begins with one).
struct Normalisation: Sendable, Equatable {
    /// Before what a "▁" is put.
    enum Prefix: Sendable, Equatable {
        case never, firstSegment, everySegment
    }

    /// The step after the search for normalised added tokens: Metaspace.
    struct Words: Sendable, Equatable {
        /// None is put before a segment that begins with a space or "▁".
        var prefix: Prefix
        /// Nothing is merged across a "▁".
        var splits: Bool
    }

    var prefix: Prefix = .never
    /// Spaces become "▁".
    var replacesSpaces = true
    var words: Words?

    /// How a space is spelt in pieces: "▁", U+2581.
    static let space: [UInt8] = [0xE2, 0x96, 0x81]

    /// A segment as it is searched for normalised added tokens. An empty one stays empty.
    ///
    /// - Parameter place: what stands before the segment.
    func apply(to segment: ArraySlice<UInt8>, at place: SegmentPlace) -> [UInt8] {
        guard !segment.isEmpty else { return [] }
        let prefixed = puts(prefix, at: place) ? Self.space : []
        return prefixed + (replacesSpaces ? Self.replacingSpaces(segment) : Array(segment))
    }

    /// The words of which each is merged by itself; together they are the segment.
    func words(in segment: ArraySlice<UInt8>, at place: SegmentPlace) -> [ArraySlice<UInt8>] {
        guard let words, !segment.isEmpty else { return [segment] }
        var text = Self.replacingSpaces(segment)
        if puts(words.prefix, at: place), !text.starts(with: Self.space) { text = Self.space + text }
        return words.splits ? Self.split(text) : [text[...]]
    }

    private func puts(_ prefix: Prefix, at place: SegmentPlace) -> Bool {
        switch prefix {
        case .never: false
        case .firstSegment: place == .start
        case .everySegment: place != .continued
        }
    }

    private static func replacingSpaces(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var replaced: [UInt8] = []
        replaced.reserveCapacity(text.count * 2)
        for byte in text { if byte == 0x20 { replaced += space } else { replaced.append(byte) } }
        return replaced
    }

    /// `text` cut before every "▁".
    private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var words: [ArraySlice<UInt8>] = []
        var start = 0
        for place in text.indices.dropFirst() where text[place...].starts(with: space) {
            words.append(text[start..<place])
            start = place
        }
        return words + [text[start...]]
    }
}
