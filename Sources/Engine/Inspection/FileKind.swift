// FileKind.swift — files that are no model: what each is, told by its first bytes, and what is wanted in its place. Used by
// ModelInspection.

/// What a file is, in words.
struct FileKind: Sendable, Equatable {
    let what: String
    /// What to do with it, or what to name in its place; a whole sentence.
    let wanted: String

    /// Bytes of a file's beginning that are enough to tell.
    static let enough = 4_096

    private static let model = "Name a .gguf file, or the model's Hugging Face folder with its .safetensors files."
    private static let convert =
        "Convert the model it was made from: llama.cpp's convert_hf_to_gguf.py makes a .gguf file."

    /// - Parameters:
    ///   - head: the first bytes, as many as there are or `enough`.
    ///   - path: of the file; its ending is asked only where bytes do not tell.
    init(_ head: [UInt8], path: String) {
        let name = String(path.split(separator: "/").last ?? "")
        self =
            Self.picture(head, path) ?? Self.pyTorch(head, name) ?? Self.graph(head, name) ?? Self.magic(head)
            ?? Self.text(head, name)
            ?? FileKind(what: "something unknown that begins with \(Self.shown(head))", wanted: Self.model)
    }

    private init(what: String, wanted: String) { (self.what, self.wanted) = (what, wanted) }

    private static func picture(_ head: [UInt8], _ path: String) -> FileKind? {
        guard let format = PictureFormat(head) else { return nil }
        let name = Wording.argument(path)
        return FileKind(
            what: "a picture (\(format.rawValue))",
            wanted: "Show it to a model with `specchat --image \(name)`, or see what a model sees of it with "
                + "`specchat inspect MODEL --image \(name)`.")
    }

    /// A zip archive with a pickle in it, or the pickle that older versions wrote.
    private static func pyTorch(_ head: [UInt8], _ name: String) -> FileKind? {
        let isArchive = head.starts(with: [0x50, 0x4B, 0x03, 0x04])
        let isPickle = head.count > 1 && head[0] == 0x80 && (2...5).contains(head[1])
        guard isArchive || isPickle else { return nil }
        if isArchive && !contains(head, "data.pkl") && !["bin", "pt", "pth"].contains(ending(name)) {
            return FileKind(what: "a zip archive", wanted: "Unpack it. " + model)
        }
        return FileKind(
            what: "PyTorch's file of weights, which can run programs and is never opened here",
            wanted: HuggingFaceError.conversionAdvice)
    }

    /// Graphs that other programs run.
    private static func graph(_ head: [UInt8], _ name: String) -> FileKind? {
        // An ONNX file is a message that begins with its version and, as a rule, with who wrote it.
        let isMessage =
            head.count > 3 && head[0] == 0x08 && (1...20).contains(head[1]) && [0x12, 0x1A, 0x3A].contains(head[2])
        if isMessage || ending(name) == "onnx" { return FileKind(what: "an ONNX graph", wanted: convert) }
        if begins(head, "TFL3", at: 4) { return FileKind(what: "a TensorFlow Lite graph", wanted: convert) }
        if head.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            return FileKind(what: "an HDF5 file, as Keras and TensorFlow write weights", wanted: convert)
        }
        return nil
    }

    private static func magic(_ head: [UInt8]) -> FileKind? {
        let old = ["lmgg", "tjgg", "fmgg", "ggml", "ggjt", "algg", "ggla"]
        if old.contains(where: { begins(head, $0) }) {
            return FileKind(what: "a model in llama.cpp's format of before August 2023 (GGML)", wanted: convert)
        }
        let known: [(String, String)] = [
            ("\u{93}NUMPY", "an array of NumPy's"), ("SQLite format 3\0", "an SQLite database"),
            ("%PDF-", "a PDF document"),
            ("\u{7F}ELF", "a program"),
        ]
        for (beginning, what) in known where begins(head, beginning) { return FileKind(what: what, wanted: model) }
        if head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
            || begins(head, "ustar", at: 257)
            || head.starts(with: [0xFD, 0x37, 0x7A, 0x58]) || begins(head, "7z\u{BC}\u{AF}")
        {
            return FileKind(what: "an archive, or a packed file", wanted: "Unpack it. " + model)
        }
        return nil
    }

    /// Files that say how a model is used, beside its weights and its tokenizer.
    private static let companions = [
        "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
        "special_tokens_map.json", "added_tokens.json", "chat_template.json", "trainer_state.json",
    ]

    private static func text(_ head: [UInt8], _ name: String) -> FileKind? {
        // The last character may be cut in two.
        guard !isBinary(head), (0..<4).contains(where: { isUTF8(head.dropLast($0)) }) else { return nil }
        let text = String(decoding: head, as: UTF8.self).lowercased().drop { $0.isWhitespace }
        if text.hasPrefix("version https://git-lfs.github.com/spec/") {
            return FileKind(
                what: "a pointer of Git LFS, in place of the file itself",
                wanted: "`git lfs pull` in its folder fetches the file.")
        }
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
            return FileKind(
                what: "a web page, saved in place of the file that it is about",
                wanted:
                    "Download the file itself; on Hugging Face its address has 'resolve' where the page's has 'blob'.")
        }
        if ending(name) == "jinja" {
            return FileKind(what: "a chat template", wanted: "Name the folder of the model that it belongs to.")
        }
        if text.hasPrefix("{\"format\"") || ending(name) == "jsonl" {
            return FileKind(what: "lines of JSON", wanted: "`specchat replay` shows a trace. " + model)
        }
        if companions.contains(name), text.hasPrefix("{") {
            return FileKind(
                what: "one of the small files of a Hugging Face model", wanted: "Name the folder that it lies in.")
        }
        if text.hasPrefix("{") || text.hasPrefix("[") {
            return FileKind(what: "JSON, but no file of a model's that is known here", wanted: model)
        }
        return FileKind(what: "text", wanted: model)
    }

    // MARK: Bytes

    /// Characters above 0x7F stand for the byte of their number.
    private static func begins(_ head: [UInt8], _ text: String, at offset: Int = 0) -> Bool {
        let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        return head.count >= offset + bytes.count && head[offset...].starts(with: bytes)
    }

    private static func contains(_ head: [UInt8], _ text: String) -> Bool {
        head[...].firstRange(of: Array(text.utf8)) != nil
    }

    /// Whether this is no text.
    static func isBinary(_ head: [UInt8]) -> Bool { head.contains(0) }

    private static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    private static func ending(_ name: String) -> String {
        name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    }

    private static func shown(_ head: [UInt8]) -> String {
        head.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: " ")
    }
}
