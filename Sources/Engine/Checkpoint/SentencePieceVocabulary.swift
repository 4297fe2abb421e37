// SentencePieceVocabulary.swift — tokenizer.model as a Vocabulary for Text: what SentencePiece does, said in our words.

extension Vocabulary {
    /// The vocabulary of a SentencePiece model, with what the files beside it declare.
    ///
    /// Text is cut as Hugging Face's slow LlamaTokenizer cuts it: added tokens first, then SentencePiece on what lies
    /// between them, with a space before every part, or before the first alone where the folder says `legacy: false`.
    ///
    /// - Parameters:
    ///   - file: the path, for messages.
    ///   - rows: of the model's embedding; absent: as many as there are tokens.
    init(
        sentencePieceModel bytes: [UInt8], file: String, declared: TokenizerDeclarations = TokenizerDeclarations(),
        rows: Int? = nil
    ) throws(TokenizerFileError) {
        let model = try SentencePieceModel(bytes, file: file)
        if let what = model.foreign { throw TokenizerFileError(file: file, .foreign(what)) }
        var parts = VocabularyParts(file: file, rows: rows)
        for piece in model.pieces {
            // Vicuna's and Yi's marks are pieces of the user's text for SentencePiece; a user must not write them.
            let isMark = piece.kind == .userDefined && Vocabulary.markNames.contains(piece.text)
            try parts.append(piece.text, score: piece.score, kind: isMark ? .control : piece.kind)
        }
        let symbols = model.pieces.enumerated().filter { $0.element.kind == .userDefined }
        for declaration in declared.added {
            // The slow tokenizer finds every added token in the text as it stands.
            var declaration = declaration
            declaration.token.isNormalised = false
            try parts.add(declaration)
        }
        for (id, piece) in symbols {
            try parts.add(
                .init(
                    token: AddedToken(id: Int32(id), content: piece.text, isNormalised: true),
                    isSpecial: parts.kinds[id] == .control))
        }
        let hasPrefix = model.addsDummyPrefix && declared.addsPrefixSpace != false
        let prefix: Normalisation.Prefix = declared.isLegacy == false ? .firstSegment : .everySegment
        let unknown = model.pieces.first { $0.kind == .unknown }?.text
        self = parts.vocabulary(
            normalisation: Normalisation(prefix: hasPrefix ? prefix : .never), merges: nil,
            addsBeginning: declared.addsBeginning ?? true, declared: declared,
            names: (model.beginning, model.end, unknown))
    }
}

extension SentencePieceModel {
    /// What this model is, where it is none that can be read here.
    fileprivate var foreign: String? {
        switch algorithm {
        case .unigram: return "a SentencePiece Unigram model (as T5's and XLM-R's)"
        case .words: return "a SentencePiece model of whole words"
        case .characters: return "a SentencePiece model of single characters"
        case .bytePairs: break
        }
        if replacesCharacters {
            return "a SentencePiece model that changes characters before it cuts"
                + (normalisation.isEmpty ? "" : " (\(normalisation))")
        }
        if removesExtraSpaces { return "a SentencePiece model that removes spaces" }
        if !escapesSpaces || putsSpacesAfterWords {
            return "a SentencePiece model that writes spaces in a way of its own"
        }
        return nil
    }
}
