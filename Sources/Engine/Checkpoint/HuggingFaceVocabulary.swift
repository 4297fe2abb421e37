// HuggingFaceVocabulary.swift — the tokenizer of a model's folder, with the tokens at which the model stops.

extension HuggingFaceFolder {
    /// The tokenizer's files as a vocabulary for an embedding of so many rows.
    ///
    /// Where no generation_config.json says what ends an answer, config.json does, as in transformers.
    func vocabulary(rows: Int) throws -> Vocabulary {
        var vocabulary = try TokenizerFolder(folder: path).vocabulary(rows: rows)
        guard try document("generation_config.json") == nil else { return vocabulary }
        let inner = try configuration.object("text_config")?.integers("eos_token_id")
        for token in try configuration.integers("eos_token_id") ?? inner ?? []
        where vocabulary.pieces.indices.contains(token) {
            vocabulary.stops.insert(Int32(token))
        }
        return vocabulary
    }
}
