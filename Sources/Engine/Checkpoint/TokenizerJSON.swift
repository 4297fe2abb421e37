// TokenizerJSON.swift — the file tokenizer.json of Hugging Face's `tokenizers`, as far as models of LLaMA's kind use it.
// Turned into a Vocabulary by TokenizerJSONVocabulary.

/// What a tokenizer.json says: pieces, merges, added tokens, and what happens to text before it is merged.
struct TokenizerJSON: Sendable {
    /// Pieces by id; absent where no piece has the id.
    private(set) var pieces: [String?] = []
    private(set) var merges: [(left: Int32, right: Int32, token: Int32)] = []
    private(set) var added: [TokenizerDeclarations.Added] = []
    private(set) var normalisation = Normalisation(replacesSpaces: false)
    private(set) var unknown: String?
    private(set) var hasByteFallback = false
    private(set) var fusesUnknown = false
    /// The token that its post-processor puts before a text.
    private(set) var beginning: String?

    private let file: String

    /// - Parameter file: the path, for messages.
    init(_ bytes: [UInt8], file: String) throws(TokenizerFileError) {
        self.file = file
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONReader.read(bytes)
        } catch {
            throw TokenizerFileError(file: file, .notJSON(error.description))
        }
        guard let model = root["model"], model.members != nil else { throw wrong("model", wanted: "an object") }
        try expectBytePairs(model)
        try readNormaliser(root["normalizer"] ?? .null)
        try readWords(root["pre_tokenizer"] ?? .null)
        let ids = try readPieces(model)
        try readMerges(model, ids: ids)
        try readAdded(root["added_tokens"]?.list ?? [])
        readBeginning(root["post_processor"] ?? .null)
    }

    private func foreign(_ what: String) -> TokenizerFileError { TokenizerFileError(file: file, .foreign(what)) }
    private func broken(_ fact: String) -> TokenizerFileError { TokenizerFileError(file: file, .badVocabulary(fact)) }
    private func wrong(_ key: String, wanted: String) -> TokenizerFileError {
        TokenizerFileError(file: file, .wrongKey(key, wanted: wanted))
    }

    // MARK: The model

    private mutating func expectBytePairs(_ model: JSONValue) throws(TokenizerFileError) {
        // Files before 2021 leave the type out; what has merges is byte-pair encoding.
        let type = model["type"]?.text ?? (model["merges"] == nil ? "unknown" : "BPE")
        guard type == "BPE" else {
            let kin = ["WordPiece": " (as BERT's)", "Unigram": " (as T5's)", "WordLevel": " (whole words)"]
            throw foreign("a \(type) tokenizer\(kin[type] ?? "")")
        }
        hasByteFallback = model["byte_fallback"]?.bool ?? false
        guard hasByteFallback else {
            throw foreign("byte-pair encoding without byte fallback (as GPT-2's, Llama 3's and CLIP's)")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let mark = model[key]?.text, !mark.isEmpty {
                throw foreign("byte-pair encoding with '\(mark)' in words")
            }
        }
        if let dropout = model["dropout"]?.number, dropout != 0 { throw foreign("byte-pair encoding with dropout") }
        if model["ignore_merges"]?.bool == true { throw foreign("byte-pair encoding that takes whole words first") }
        unknown = model["unk_token"]?.text
        fusesUnknown = model["fuse_unk"]?.bool ?? false
    }

    private mutating func readPieces(_ model: JSONValue) throws(TokenizerFileError) -> [PieceBytes: Int32] {
        guard let members = model["vocab"]?.members, !members.isEmpty else {
            throw wrong("model.vocab", wanted: "pieces and their ids")
        }
        var ids: [PieceBytes: Int32] = [:]
        ids.reserveCapacity(members.count)
        for member in members {
            guard let id = member.value.integer, (0..<VocabularyParts.mostTokens).contains(id) else {
                throw broken("the piece '\(member.name)' has no id that a token can have")
            }
            // Vocabularies have few gaps; a single high id must not make a list of two million.
            guard id < 2 * members.count + 1024 else {
                throw broken("the id of '\(member.name)' is \(id), far beyond its \(members.count) pieces")
            }
            while pieces.count <= id { pieces.append(nil) }
            if let other = pieces[id] { throw broken("'\(other)' and '\(member.name)' have the same id \(id)") }
            pieces[id] = member.name
            ids[PieceBytes(member.name)] = Int32(id)
        }
        return ids
    }

    private mutating func readMerges(
        _ model: JSONValue, ids: [PieceBytes: Int32]
    ) throws(TokenizerFileError) {
        guard let list = model["merges"]?.list else { throw wrong("model.merges", wanted: "a list of pairs") }
        merges.reserveCapacity(list.count)
        for (rank, value) in list.enumerated() {
            guard let (left, right) = Self.pair(value) else {
                throw wrong("model.merges[\(rank)]", wanted: "two pieces")
            }
            func id(_ bytes: [UInt8]) throws(TokenizerFileError) -> Int32 {
                if let id = ids[PieceBytes(bytes[...])] { return id }
                throw broken("merge \(rank) needs '\(String(decoding: bytes, as: UTF8.self))', which is no piece")
            }
            merges.append((try id(left), try id(right), try id(left + right)))
        }
    }

    /// A merge is a list of two pieces or, in files before 2024, one text with a space between them.
    private static func pair(_ value: JSONValue) -> (left: [UInt8], right: [UInt8])? {
        if let pair = value.list {
            guard pair.count == 2, let left = pair[0].text, let right = pair[1].text else { return nil }
            return (Array(left.utf8), Array(right.utf8))
        }
        guard let halves = value.text?.utf8.split(separator: 0x20, omittingEmptySubsequences: false), halves.count == 2
        else { return nil }
        return (Array(halves[0]), Array(halves[1]))
    }

    // MARK: What comes before and after

    private mutating func readNormaliser(_ value: JSONValue) throws(TokenizerFileError) {
        for step in try steps(value, list: "normalizers", key: "normalizer") {
            let type = step["type"]?.text ?? "an unknown kind"
            switch type {
            case "Prepend" where step["prepend"]?.text == "\u{2581}": normalisation.prefix = .everySegment
            case "Replace" where step["pattern"]?["String"]?.text == " " && step["content"]?.text == "\u{2581}":
                normalisation.replacesSpaces = true
            case "Prepend", "Replace": throw foreign("a tokenizer that changes text in a way of its own (\(type))")
            default: throw foreign("a tokenizer that changes text before it cuts (\(type))")
            }
        }
    }

    private mutating func readWords(_ value: JSONValue) throws(TokenizerFileError) {
        for step in try steps(value, list: "pretokenizers", key: "pre_tokenizer") {
            let type = step["type"]?.text ?? "an unknown kind"
            guard type == "Metaspace" else { throw foreign("a tokenizer that cuts text beforehand (\(type))") }
            guard step["replacement"]?.text == "\u{2581}", normalisation.words == nil else {
                throw foreign("a tokenizer that writes spaces in a way of its own")
            }
            let prefix: Normalisation.Prefix
            switch step["prepend_scheme"]?.text {
            case "always": prefix = .everySegment
            case "first": prefix = .firstSegment
            case "never": prefix = .never
            // Older files say yes or no.
            default: prefix = step["add_prefix_space"]?.bool ?? true ? .everySegment : .never
            }
            normalisation.words = Normalisation.Words(prefix: prefix, splits: step["split"]?.bool ?? true)
        }
    }

    /// The steps of a sequence, or the one step; none for null.
    private func steps(_ value: JSONValue, list: String, key: String) throws(TokenizerFileError) -> [JSONValue] {
        if value.isNull { return [] }
        guard value.members != nil else { throw wrong(key, wanted: "an object or null") }
        guard value["type"]?.text == "Sequence" else { return [value] }
        guard let steps = value[list]?.list else { throw wrong("\(key).\(list)", wanted: "a list") }
        return steps
    }

    private mutating func readAdded(_ list: [JSONValue]) throws(TokenizerFileError) {
        for (index, value) in list.enumerated() {
            guard let id = value["id"]?.integer, let token = TokenizerDeclarations.added(value, id: id) else {
                throw wrong("added_tokens[\(index)]", wanted: "an id and a content")
            }
            added.append(token)
        }
    }

    private mutating func readBeginning(_ value: JSONValue) {
        let steps = value["type"]?.text == "Sequence" ? value["processors"]?.list ?? [] : [value]
        for step in steps where step["type"]?.text == "TemplateProcessing" {
            beginning = step["single"]?.list?.first?["SpecialToken"]?["id"]?.text
        }
    }
}
