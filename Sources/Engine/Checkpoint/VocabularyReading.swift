// VocabularyReading.swift — the tokenizer that a language model's file brings along, as values for Text.

extension Vocabulary {
    /// Reads the `tokenizer.ggml.*` keys of a SentencePiece model.
    init(_ file: GGUF) throws(GGUFError) {
        guard let model = try file.string("tokenizer.ggml.model") else {
            throw file.fault(.missingKey("tokenizer.ggml.model"))
        }
        guard model == "llama" else { throw file.fault(.unsupported("a tokenizer of type '\(model)'")) }
        guard let pieces = try file.strings("tokenizer.ggml.tokens") else {
            throw file.fault(.missingKey("tokenizer.ggml.tokens"))
        }
        guard !pieces.isEmpty else { throw file.fault(.badVocabulary("it has no tokens")) }
        let range = 0...pieces.count - 1
        func token(_ name: String, or fallback: Int?) throws(GGUFError) -> Int32? {
            let key = "tokenizer.ggml.\(name)_token_id"
            guard file[key] != nil || fallback.map(range.contains) == true else { return nil }
            return Int32(try file.count(key, in: range, or: fallback))
        }
        let (beginning, end) = (try token("bos", or: 1), try token("eos", or: 2))
        let unknown = try token("unknown", or: 0)
        self.init(
            pieces: pieces, scores: try Self.scores(file, count: pieces.count),
            kinds: try Self.kinds(
                file, pieces: pieces, special: [beginning, end].compactMap { $0 }, unknown: unknown),
            beginning: beginning, end: end, unknown: unknown,
            stops: Set([end, try token("eot", or: nil), try token("eom", or: nil)].compactMap { $0 }),
            addsDummyPrefix: try file.bool("tokenizer.ggml.add_space_prefix") ?? true,
            addsBeginning: try file.bool("tokenizer.ggml.add_bos_token") ?? true)
        for (id, kind) in kinds.enumerated() where kind == .control || kind == .userDefined {
            if Self.stopNames.contains(pieces[id]) { stops.insert(Int32(id)) }
        }
        if file.hasTensor("token_embd.weight") {
            let table = try file.entry("token_embd.weight")
            let rows = table.count / table.dimensions[0]
            guard pieces.count <= rows else {
                throw file.fault(.badVocabulary("it has \(pieces.count) tokens and the embedding \(rows) rows"))
            }
        }
    }

    private static func scores(_ file: GGUF, count: Int) throws(GGUFError) -> [Float] {
        guard let scores = try file.numbers("tokenizer.ggml.scores") else {
            throw file.fault(.missingKey("tokenizer.ggml.scores"))
        }
        guard scores.count == count else {
            throw file.fault(.badVocabulary("it has \(count) tokens and \(scores.count) scores"))
        }
        if let bad = scores.firstIndex(where: \.isNaN) {
            throw file.fault(.badVocabulary("the score of token \(bad) is no number"))
        }
        return scores
    }

    private static func kinds(
        _ file: GGUF, pieces: [String], special: [Int32], unknown: Int32?
    ) throws(GGUFError) -> [Kind] {
        guard let codes = try file.numbers("tokenizer.ggml.token_type") else {
            // Files without kinds: the names tell the bytes, the ids tell the rest.
            return pieces.enumerated().map { id, piece in
                if Int32(id) == unknown { return .unknown }
                if special.contains(Int32(id)) { return .control }
                return Tokenizer.byte(named: piece) == nil ? .normal : .byte
            }
        }
        guard codes.count == pieces.count else {
            throw file.fault(.badVocabulary("it has \(pieces.count) tokens and \(codes.count) kinds"))
        }
        var kinds: [Kind] = []
        for (id, code) in codes.enumerated() {
            // llama.cpp writes 0 where a converter did not know.
            guard let kind = Int(exactly: code).flatMap({ $0 == 0 ? .normal : Kind(rawValue: $0) }) else {
                throw file.fault(.badVocabulary("the kind of token \(id) is \(code)"))
            }
            if kind == .byte, Tokenizer.byte(named: pieces[id]) == nil {
                throw file.fault(.badVocabulary("token \(id), '\(pieces[id])', is to be a byte but names none"))
            }
            // What a template writes is no word of the user's, whatever the file calls it.
            let isMark = kind == .userDefined && markNames.contains(pieces[id])
            kinds.append(isMark ? .control : kind)
        }
        return kinds
    }
}
