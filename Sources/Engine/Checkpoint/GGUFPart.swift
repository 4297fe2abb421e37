// GGUFPart.swift — which part of a model a GGUF file is, told by its header and not by its name. Asked by Places.

enum GGUFPart: Sendable, Equatable {
    case language
    /// A vision tower, as a rule with its projector.
    case vision
    /// A projector without a tower, with which a draft sees.
    case projector

    /// Absent for a file that cannot be read or is none of these.
    ///
    /// Reads on only until it knows: a language model's architecture stands before its vocabulary.
    init?(path: String) {
        guard let bytes = try? FileBytes(path: path), let part = try? Self.read(bytes, file: path) else { return nil }
        self = part
    }

    static func read(_ bytes: FileBytes, file: String) throws(GGUFError) -> GGUFPart? {
        var cursor = GGUFCursor(bytes, file: file)
        let header = try cursor.header()
        for number in 0..<header.keys {
            let (key, value) = try cursor.entry(number + 1)
            if key == "general.architecture", case .string(let architecture) = value, architecture != "clip" {
                return .language
            }
        }
        // A file that does not say what it is still has tensors that do.
        var kinds: Set<Substring> = []
        for number in 0..<header.tensors {
            kinds.insert(try cursor.tensor(number + 1).name.prefix { $0 != "." })
        }
        if kinds.contains("v") { return .vision }
        if kinds.contains("mm") { return .projector }
        return kinds.contains("blk") || kinds.contains("token_embd") ? .language : nil
    }
}
