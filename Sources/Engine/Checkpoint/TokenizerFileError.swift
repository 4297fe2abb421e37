// TokenizerFileError.swift — everything that can be wrong with a tokenizer's files, each said in one line: what, where,
// what to do.

/// A tokenizer file that cannot be used, and why.
public struct TokenizerFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path as it was given.
    public let file: String
    public let fault: Fault

    public enum Fault: Sendable, Equatable {
        // The file as such.
        case unreadable(reason: String)
        case notRegular
        case empty
        case tooLarge(Int, limit: Int)
        /// What JSONError says.
        case notJSON(String)
        case damaged(offset: Int)
        // What it holds.
        case notSentencePiece
        /// A tokenizer of another kind: what it is.
        case foreign(String)
        /// A key that is absent or holds something else: its path, and what must be there.
        case wrongKey(String, wanted: String)
        case badVocabulary(String)
        /// The folder has neither tokenizer.json nor tokenizer.model: what it has instead.
        case noTokenizer(found: [String])
    }

    init(file: String, _ fault: Fault) {
        self.file = file
        self.fault = fault
    }

    public var description: String { "\(printable(file)) \(sentence)" }

    /// The message without the file's name, which stands before it.
    private var sentence: String {
        switch fault {
        case .unreadable(let reason): CheckpointSentence.unreadable(reason)
        case .notRegular: "is not a regular file. \(Self.copyAgain)"
        case .empty: "is empty. \(Self.copyAgain)"
        case .tooLarge(let count, let limit):
            "has \(count) bytes, more than any file of this kind (\(limit) are read). Is it another file under this name?"
        case .notJSON(let reason): "\(reason). \(Self.copyAgain)"
        case .damaged(let offset): "is broken at byte \(offset). \(Self.copyAgain)"
        case .notSentencePiece: "is not a SentencePiece model. \(Self.copyAgain)"
        case .foreign(let what):
            "holds \(printable(what)); only byte-pair encoding with byte fallback, as models of LLaMA's kind have it, "
                + "can be read. Use a LLaVA, Llama 2, Vicuna, Mistral, Yi or TinyLlama model."
        case .wrongKey(let key, let wanted): "must hold \(wanted) under '\(printable(key))'. \(Self.copyAgain)"
        case .badVocabulary(let fact): "has a broken vocabulary: \(printable(fact)). \(Self.copyAgain)"
        case .noTokenizer(let found):
            "has neither tokenizer.json nor tokenizer.model"
                + (found.isEmpty
                    ? ". Copy one of them from where the model came from."
                    : " but \(printable(found.joined(separator: ", "))): the tokenizer of another kind of model.")
        }
    }

    private static let copyAgain = CheckpointSentence.copyAgain
}

extension TokenizerFileError {
    init(file: String, _ fault: FileFault) {
        switch fault {
        case .unreadable(let reason): self.init(file: file, Fault.unreadable(reason: reason))
        case .notRegular: self.init(file: file, Fault.notRegular)
        case .empty: self.init(file: file, Fault.empty)
        case .tooLong(let count, let limit): self.init(file: file, Fault.tooLarge(count, limit: limit))
        }
    }

    init(file: String, _ error: JSONError) { self.init(file: file, Fault.notJSON(error.description)) }
}
