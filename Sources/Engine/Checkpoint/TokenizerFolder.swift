// TokenizerFolder.swift — the tokenizer of a Hugging Face folder: which of its files speak, and which is heard first.

import Foundation

/// A folder with `tokenizer.json` or `tokenizer.model`, and the small files that go with them.
///
/// Where both are there tokenizer.json speaks, as in transformers.
struct TokenizerFolder: Sendable {
    /// More bytes than any tokenizer has; a limit for files that are something else.
    static let largestFile = 64 << 20
    private static let largestSetting = HuggingFaceConfiguration.longest

    let folder: String

    /// The vocabulary with everything that the folder declares about it.
    ///
    /// - Parameter rows: of the model's embedding; absent: as many as there are tokens.
    func vocabulary(rows: Int?) throws(TokenizerFileError) -> Vocabulary {
        let declared = try declarations()
        if let bytes = try bytes(of: "tokenizer.json", limit: Self.largestFile) {
            return try Vocabulary(
                tokenizerJSON: bytes, file: path("tokenizer.json"), declared: declared, rows: rows)
        }
        if let bytes = try bytes(of: "tokenizer.model", limit: Self.largestFile) {
            return try Vocabulary(
                sentencePieceModel: bytes, file: path("tokenizer.model"), declared: declared, rows: rows)
        }
        let foreign = ["vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model"]
        throw TokenizerFileError(
            file: folder,
            .noTokenizer(found: foreign.filter { FileManager.default.fileExists(atPath: path($0)) }))
    }

    /// The chat template as the folder words it; absent where it has none.
    ///
    /// Templates of processors come first: they know of pictures.
    func chatTemplate() throws(TokenizerFileError) -> String? {
        if let bytes = try bytes(of: "chat_template.jinja", limit: Self.largestSetting) {
            return String(decoding: bytes, as: UTF8.self)
        }
        for name in ["chat_template.json", "processor_config.json", "tokenizer_config.json"] {
            if let template = try json(of: name)?["chat_template"], let text = Self.text(of: template) { return text }
        }
        return nil
    }

    /// A template is a text, or a list of named ones of which "default" is meant.
    private static func text(of template: JSONValue) -> String? {
        if let text = template.text { return text }
        let named = template.list ?? []
        return (named.first { $0["name"]?.text == "default" } ?? named.first)?["template"]?.text
    }

    private func declarations() throws(TokenizerFileError) -> TokenizerDeclarations {
        var declared = TokenizerDeclarations()
        if let json = try json(of: "tokenizer_config.json") { declared.read(configuration: json) }
        if let json = try json(of: "added_tokens.json") { declared.read(addedTokens: json) }
        if let json = try json(of: "special_tokens_map.json") { declared.read(specialTokens: json) }
        if let json = try json(of: "generation_config.json") { declared.read(generation: json) }
        return declared
    }

    // MARK: Files

    private func path(_ name: String) -> String { folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }

    private func json(of name: String) throws(TokenizerFileError) -> JSONValue? {
        guard let bytes = try bytes(of: name, limit: Self.largestSetting) else { return nil }
        do throws(JSONError) { return try JSONReader.read(bytes) } catch {
            throw TokenizerFileError(file: path(name), error)
        }
    }

    /// The bytes of a file of the folder; absent where there is no such file.
    private func bytes(of name: String, limit: Int) throws(TokenizerFileError) -> [UInt8]? {
        do throws(FileFault) { return try FileBytes.readIfThere(path(name), limit: limit) } catch {
            throw TokenizerFileError(file: path(name), error)
        }
    }
}
