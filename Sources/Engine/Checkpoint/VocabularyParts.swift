// VocabularyParts.swift — a vocabulary while it is put together from a tokenizer's file and the declarations beside it.

/// Pieces by id that grow by added tokens, and become a Vocabulary when every name is known.
struct VocabularyParts {
    /// More tokens than any model has: a limit for ids that a file makes up.
    static let mostTokens = 2_000_000

    let file: String
    /// Rows of the model's embedding; tokens beyond them can be added to a tokenizer but never given to the model.
    let rows: Int?
    private(set) var pieces: [String] = []
    private(set) var scores: [Float] = []
    private(set) var kinds: [Vocabulary.Kind] = []
    private(set) var added: [AddedToken] = []
    /// The first id of each piece that is not a byte, for the names of special tokens.
    private var ids: [PieceBytes: Int32] = [:]

    /// - Parameters:
    ///   - file: the path, for messages.
    ///   - rows: of the model's embedding; absent: as many as there are tokens.
    init(file: String, rows: Int?) {
        self.file = file
        self.rows = rows
    }

    func error(_ fault: TokenizerFileError.Fault) -> TokenizerFileError { TokenizerFileError(file: file, fault) }

    /// Puts a piece behind the others.
    mutating func append(_ piece: String, score: Float, kind: Vocabulary.Kind) throws(TokenizerFileError) {
        let id = pieces.count
        guard id < min(rows ?? Self.mostTokens, Self.mostTokens) else {
            let limit = rows.map { "the model's embedding has only \($0) rows" } ?? "that is more than any model has"
            throw error(.badVocabulary("it has more than \(id) tokens and \(limit)"))
        }
        guard !score.isNaN else { throw error(.badVocabulary("the score of token \(id) is no number")) }
        if kind == .byte, Tokenizer.byte(named: piece) == nil {
            throw error(.badVocabulary("token \(id), '\(piece)', is to be a byte but names none"))
        }
        pieces.append(piece)
        scores.append(score)
        kinds.append(kind)
        let key = PieceBytes(piece)
        ids[key] = ids[key] ?? Int32(id)
    }

    /// Ids that the tokenizer leaves out below `count`.
    mutating func pad(to count: Int) throws(TokenizerFileError) {
        while pieces.count < count { try append("[PAD\(pieces.count)]", score: 0, kind: .unused) }
    }

    /// Adds a token, or says what a piece is for that is there already.
    mutating func add(_ declared: TokenizerDeclarations.Added) throws(TokenizerFileError) {
        let token = declared.token
        let id = Int(token.id)
        // Old Llama folders declare a padding token behind the embedding's last row: nothing can become it.
        if let rows, id >= rows { return }
        guard id < Self.mostTokens else {
            throw error(.badVocabulary("the id of '\(token.content)' is \(id), more than any model has"))
        }
        guard !added.contains(where: { $0.id == token.id }) else { return }
        try pad(to: id)
        // What a template writes is no word of the user's, whatever the file calls it.
        let isControl = declared.isSpecial || Vocabulary.markNames.contains(token.content)
        let kind: Vocabulary.Kind = isControl ? .control : .userDefined
        if id == pieces.count {
            try append(token.content, score: 0, kind: kind)
        } else if kinds[id] == .unused {
            pieces[id] = token.content
            kinds[id] = kind
            ids[PieceBytes(token.content)] = token.id
        } else if PieceBytes(pieces[id]) != PieceBytes(token.content) {
            throw error(.badVocabulary("the id \(id) is that of both '\(pieces[id])' and '\(token.content)'"))
        } else if kinds[id] == .normal || (kinds[id] == .userDefined && isControl) {
            kinds[id] = kind
        }
        added.append(token)
    }

    /// Marks which pieces mean something of their own.
    mutating func mark(_ id: Int32?, as kind: Vocabulary.Kind) {
        if let id { kinds[Int(id)] = kind }
    }

    /// The id of a piece or an added token; absent where there is none.
    func id(named name: String?) -> Int32? { name.flatMap { ids[PieceBytes($0)] } }

    /// All of it, with what the declarations say about special tokens.
    ///
    /// - Parameter names: the tokenizer's own names of the tokens that begin and end a text and stand for the unknown.
    func vocabulary(
        normalisation: Normalisation, merges: MergeRanks?, addsBeginning: Bool, declared: TokenizerDeclarations,
        names: (beginning: String?, end: String?, unknown: String?)
    ) -> Vocabulary {
        let end = id(named: declared.end) ?? id(named: names.end)
        var stops = Set(declared.stops.filter(pieces.indices.contains).map(Int32.init))
        if let end { stops.insert(end) }
        for (id, kind) in kinds.enumerated() where kind == .control || kind == .userDefined {
            if Vocabulary.stopNames.contains(pieces[id]) { stops.insert(Int32(id)) }
        }
        return Vocabulary(
            pieces: pieces, scores: scores, kinds: kinds,
            beginning: id(named: declared.beginning) ?? id(named: names.beginning), end: end,
            unknown: id(named: declared.unknown) ?? id(named: names.unknown), stops: stops,
            normalisation: normalisation, addsBeginning: addsBeginning, merges: merges, added: added)
    }
}
