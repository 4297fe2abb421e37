// HuggingFaceVocabulary.swift — words of a Hugging Face folder: the chat template.

extension HuggingFaceFolder {
    /// The chat template: a file of its own, or in the settings of processor or tokenizer; absent where there is none.
    func chatTemplate() throws(HuggingFaceError) -> String? {
        if let own = try bytes(of: "chat_template.jinja", limit: 1 << 20) {
            return String(decoding: own, as: UTF8.self)
        }
        for name in ["chat_template.json", "processor_config.json", "tokenizer_config.json"] {
            guard let value = try document(name)?["chat_template"] else { continue }
            if let template = value.text { return template }
            // Several templates, each with a name.
            let named = value.list?.first { $0["name"]?.text == "default" } ?? value.list?.first
            if let template = named?["template"]?.text { return template }
        }
        return nil
    }
}

extension Vocabulary {
    init(_ folder: HuggingFaceFolder, rows: Int) throws(HuggingFaceError) {
        throw HuggingFaceError(folder.path, .unsupported("the tokenizer of a Hugging Face folder"))
    }
}
