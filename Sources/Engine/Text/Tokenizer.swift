// Tokenizer.swift — text to token ids and back, as SentencePiece's byte-pair encoding does it. Used by Chat.

internal import HeapModule

/// Byte-pair encoding with byte fallback, as SentencePiece, llama.cpp and Hugging Face's `tokenizers` do it for models of
/// LLaMA's kind.
///
/// Neighbouring symbols are merged until no pair is a piece: the pair with the best score first, or the one that the
/// vocabulary lists first, and the leftmost of equals. The work grows with n log n. Text that names a control token stays
/// text unless the caller asks otherwise.
struct Tokenizer: Sendable {
    let vocabulary: Vocabulary

    /// Pieces that text can become by merging. Keyed by bytes: Swift's strings are equal when they look equal, and
    /// "é" in one code point and in two are different pieces.
    private let merged: [PieceBytes: Int32]
    private let control: [PieceBytes: Int32]
    /// Token of each byte value.
    private let byteTokens: [Int32?]
    private let longestPiece: Int
    /// What is found in a text as it stands, and in its normalised form.
    private let found: (raw: AddedPieces, normalised: AddedPieces)
    /// The same with control tokens.
    private let foundWithControl: (raw: AddedPieces, normalised: AddedPieces)

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        var merged: [PieceBytes: Int32] = [:]
        var control: [PieceBytes: Int32] = [:]
        var byteTokens = [Int32?](repeating: nil, count: 256)
        var longest = 0
        merged.reserveCapacity(vocabulary.pieces.count)
        for (id, kind) in vocabulary.kinds.enumerated() {
            let bytes = PieceBytes(vocabulary.pieces[id])
            switch kind {
            case .normal, .userDefined:
                // Of two pieces that are spelt alike the first counts.
                if let first = merged.updateValue(Int32(id), forKey: bytes) { merged[bytes] = first }
                longest = max(longest, bytes.slice.count)
            case .control, .unknown: control[bytes] = control[bytes] ?? Int32(id)
            case .byte:
                if let byte = Self.byte(named: vocabulary.pieces[id]) {
                    byteTokens[Int(byte)] = byteTokens[Int(byte)] ?? Int32(id)
                }
            case .unused: break
            }
        }
        self.merged = merged
        self.control = control
        self.byteTokens = byteTokens
        self.longestPiece = longest
        found = Self.found(in: vocabulary, withControl: false)
        foundWithControl = Self.found(in: vocabulary, withControl: true)
    }

    private static func found(
        in vocabulary: Vocabulary, withControl: Bool
    ) -> (raw: AddedPieces, normalised: AddedPieces) {
        var (raw, normalised) = (AddedPieces(), AddedPieces())
        for token in vocabulary.added {
            let isControl = [.control, .unknown].contains(vocabulary.kinds[Int(token.id)])
            guard withControl || !isControl else { continue }
            if token.isNormalised {
                normalised.insert(token.content.utf8, token)
            } else {
                raw.insert(token.content.utf8, token)
            }
        }
        let declared = Set(vocabulary.added.map(\.id))
        for (id, kind) in vocabulary.kinds.enumerated() where !declared.contains(Int32(id)) {
            let isFound = kind == .userDefined || (withControl && (kind == .control || kind == .unknown))
            guard isFound else { continue }
            raw.insert(vocabulary.pieces[id].utf8, AddedToken(id: Int32(id), content: vocabulary.pieces[id]))
        }
        return (raw, normalised)
    }

    /// Number of tokens.
    var count: Int { vocabulary.pieces.count }

    /// The id of a control token such as "</s>".
    func controlToken(named name: String) -> Int32? { control[PieceBytes(name)] }

    // MARK: Text to tokens

    /// Token ids of a text, without the beginning token. An empty text has none.
    ///
    /// Added tokens are found first, from the left, the longest at each place; what lies between is normalised, searched
    /// once more, and merged piece by piece.
    ///
    /// - Parameters:
    ///   - parsingControl: whether the names of control tokens become them.
    ///   - place: what stands before the text; some vocabularies put a space before the first word alone.
    func encode(_ text: String, parsingControl: Bool = false, at place: SegmentPlace = .start) -> [Int32] {
        let bytes = Array(text.utf8)
        let pieces = parsingControl ? foundWithControl : found
        var tokens: [Int32] = []
        for part in pieces.raw.parts(of: bytes) {
            let place = part.bytes.lowerBound == 0 ? place : .middle
            if let token = part.token {
                // The slow LlamaTokenizer puts its space before whatever comes first, and takes it back from a mark.
                let isWord = place == .start && vocabulary.kinds[Int(token)] == .userDefined
                if isWord, vocabulary.normalisation.prefix == .firstSegment {
                    merge(Normalisation.space[...], into: &tokens)
                }
                tokens.append(token)
            } else {
                encode(segment: bytes[part.bytes], at: place, found: pieces.normalised, into: &tokens)
            }
        }
        return tokens
    }

    private func encode(
        segment: ArraySlice<UInt8>, at place: SegmentPlace, found: AddedPieces, into tokens: inout [Int32]
    ) {
        let normalised = vocabulary.normalisation.apply(to: segment, at: place)
        for part in found.parts(of: normalised) {
            if let token = part.token {
                tokens.append(token)
                continue
            }
            let place = part.bytes.lowerBound == 0 ? place : .middle
            for word in vocabulary.normalisation.words(in: normalised[part.bytes], at: place) {
                merge(word, into: &tokens)
            }
        }
    }

    private func merge(_ text: ArraySlice<UInt8>, into tokens: inout [Int32]) {
        guard !text.isEmpty else { return }
        if let merges = vocabulary.merges {
            tokens += merges.merge(symbols(of: text, fusingUnknown: merges.fusesUnknown))
        } else {
            mergeByScore(text, into: &tokens)
        }
    }

    // MARK: By the list of merges

    /// The characters of a text as tokens, byte by byte where the vocabulary has no such character.
    private func symbols(of text: ArraySlice<UInt8>, fusingUnknown: Bool) -> [Int32] {
        var symbols: [Int32] = []
        var endsWithUnknown = false
        for character in Characters(text) {
            if let token = merged[PieceBytes(text[character])] {
                symbols.append(token)
                endsWithUnknown = false
                continue
            }
            let bytes = text[character].compactMap { byteTokens[Int($0)] }
            if bytes.count == character.count {
                symbols += bytes
                endsWithUnknown = false
            } else if let unknown = vocabulary.unknown {
                if !endsWithUnknown || !fusingUnknown { symbols.append(unknown) }
                endsWithUnknown = true
            }
        }
        return symbols
    }

    // MARK: By the scores of the pieces

    private func mergeByScore(_ text: ArraySlice<UInt8>, into tokens: inout [Int32]) {
        var symbols = SymbolChain(text)
        var pairs = Heap<SymbolPair>()
        func offer(_ left: Int32) {
            guard let (size, bytes) = symbols.pair(at: left), size <= longestPiece else { return }
            guard let token = merged[PieceBytes(bytes)] else { return }
            pairs.insert(SymbolPair(score: vocabulary.scores[Int(token)], left: left, size: Int32(size)))
        }
        for symbol in symbols.indices { offer(symbol) }
        while let best = pairs.popMax() {
            // One of the two may have been merged with its other neighbour since.
            guard let (size, _) = symbols.pair(at: best.left), size == best.size else { continue }
            let previous = symbols.joinNext(to: best.left)
            if let previous { offer(previous) }
            offer(best.left)
        }
        for symbol in symbols.remaining { append(symbol, to: &tokens) }
    }

    /// A symbol as one token or, if it is no piece, byte by byte; at worst as one unknown token for a run of them.
    private func append(_ symbol: ArraySlice<UInt8>, to tokens: inout [Int32]) {
        if let token = merged[PieceBytes(symbol)] { return tokens.append(token) }
        for byte in symbol {
            if let token = byteTokens[Int(byte)] {
                tokens.append(token)
            } else if let unknown = vocabulary.unknown, tokens.last != unknown {
                tokens.append(unknown)
            }
        }
    }

    // MARK: Tokens to text

    /// What a token adds to the text. An id beyond the vocabulary (padding of the output head) is a control token.
    func piece(for token: Int32) -> TokenPiece {
        guard vocabulary.pieces.indices.contains(Int(token)) else {
            return TokenPiece(bytes: Array("<\(token)>".utf8), isControl: true)
        }
        let piece = vocabulary.pieces[Int(token)]
        switch vocabulary.kinds[Int(token)] {
        case .normal: return TokenPiece(bytes: Self.spaced(piece), isControl: false)
        case .userDefined: return TokenPiece(bytes: Array(piece.utf8), isControl: false)
        case .byte: return TokenPiece(bytes: Self.byte(named: piece).map { [$0] } ?? [], isControl: false)
        case .unknown, .control, .unused: return TokenPiece(bytes: Array(piece.utf8), isControl: true)
        }
    }

    /// The whole text of some tokens, without the dummy prefix's space.
    func decode(_ tokens: [Int32]) -> String {
        var detokenizer = StreamingDetokenizer(dropsLeadingSpace: vocabulary.addsDummyPrefix)
        return tokens.map { detokenizer.append(piece(for: $0)) }.joined() + detokenizer.finish()
    }

    /// The value of a piece named "<0xHH>".
    static func byte(named piece: String) -> UInt8? {
        guard piece.utf8.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
        let digits = piece.dropFirst(3).dropLast()
        return digits.allSatisfy(\.isHexDigit) ? UInt8(digits, radix: 16) : nil
    }

    /// The piece with each "▁" (three bytes) as the space that it stands for.
    private static func spaced(_ piece: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in piece.unicodeScalars {
            if scalar == "\u{2581}" { bytes.append(0x20) } else { bytes += UTF8.encode(scalar).map(Array.init) ?? [] }
        }
        return bytes
    }
}

/// A piece or a part of a text as a key: equal when the bytes are.
struct PieceBytes: Hashable, Sendable {
    let slice: ArraySlice<UInt8>

    init(_ slice: ArraySlice<UInt8>) { self.slice = slice }
    init(_ piece: String) { slice = ArraySlice(piece.utf8) }

    func hash(into hasher: inout Hasher) {
        slice.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
