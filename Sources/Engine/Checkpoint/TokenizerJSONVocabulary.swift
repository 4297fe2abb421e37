// TokenizerJSONVocabulary.swift — tokenizer.json as a Vocabulary for Text, token by token what `tokenizers` makes of it.

extension Vocabulary {
    /// The vocabulary of a tokenizer.json, with what the files beside it declare.
    ///
    /// Where the spaces go is the file's own word: `legacy` of tokenizer_config.json has been worked into it when it was
    /// written.
    ///
    /// - Parameters:
    ///   - file: the path, for messages.
    ///   - rows: of the model's embedding; absent: as many as there are tokens.
    init(
        tokenizerJSON bytes: [UInt8], file: String, declared: TokenizerDeclarations = TokenizerDeclarations(),
        rows: Int? = nil
    ) throws(TokenizerFileError) {
        let tokenizer = try TokenizerJSON(bytes, file: file)
        var parts = VocabularyParts(file: file, rows: rows)
        for (id, piece) in tokenizer.pieces.enumerated() {
            guard let piece else {
                try parts.pad(to: id + 1)
                continue
            }
            let kind: Kind =
                if piece == tokenizer.unknown {
                    .unknown
                } else if tokenizer.hasByteFallback, Tokenizer.byte(named: piece) != nil {
                    .byte
                } else {
                    .normal
                }
            try parts.append(piece, score: 0, kind: kind)
        }
        for var token in tokenizer.added + declared.added {
            if token.token.isNormalised { token.token.content = tokenizer.normalised(token.token.content) }
            try parts.add(token)
        }
        let ownBeginning = tokenizer.beginning
        self = parts.vocabulary(
            normalisation: tokenizer.normalisation,
            merges: MergeRanks(tokenizer.merges, fusesUnknown: tokenizer.fusesUnknown),
            addsBeginning: declared.addsBeginning ?? (ownBeginning != nil), declared: declared,
            names: (ownBeginning ?? "<s>", "</s>", tokenizer.unknown))
    }
}

extension TokenizerJSON {
    /// What a normalised added token looks like in a normalised text.
    fileprivate func normalised(_ content: String) -> String {
        String(decoding: normalisation.apply(to: Array(content.utf8)[...], at: .start), as: UTF8.self)
    }
}
