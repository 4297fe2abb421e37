import Foundation
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `Tokenizer folder` {
    private func folder(_ files: [String: String], _ body: (TokenizerFolder) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "specchat-tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        for (name, text) in files { try Data(text.utf8).write(to: url.appending(path: name)) }
        try body(TokenizerFolder(folder: url.path))
    }

    private static let model =
        "\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3},\"merges\":[\"a b\"]"
    private let tokenizer =
        "{\"model\":{\(Self.model)},\"added_tokens\":[{\"id\":4,\"content\":\"<s>\",\"special\":true},"
        + "{\"id\":5,\"content\":\"</s>\",\"special\":true}],\"post_processor\":{\"type\":\"TemplateProcessing\","
        + "\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}},{\"Sequence\":{\"id\":\"A\"}}]}}"

    @Test func `the small files say what the tokenizer does not`() throws {
        try folder([
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": """
            {"bos_token":{"content":"<s>"},"eos_token":"</s>","chat_template":"old","add_bos_token":false,
             "added_tokens_decoder":{"6":{"content":"<|im_end|>","special":false}}}
            """,
            "added_tokens.json": "{\"<image>\":7,\"<extra>\":8}",
            "special_tokens_map.json": "{\"additional_special_tokens\":[\"<image>\"]}",
            "generation_config.json": "{\"eos_token_id\":[5,3,900]}",
            "chat_template.json": "{\"chat_template\":\"new\"}",
        ]) { folder in
            let vocabulary = try folder.vocabulary(rows: 64)
            #expect(vocabulary.beginning == 4 && vocabulary.end == 5 && vocabulary.stops == [3, 5, 6])
            #expect(!vocabulary.addsBeginning && vocabulary.kinds[6...] == [.control, .control, .userDefined])
            let template = try folder.chatTemplate()
            #expect(template == "new")
        }
    }

    @Test func `the post-processor says what a text begins with, where nothing else does`() throws {
        try folder(["tokenizer.json": tokenizer]) { folder in
            let vocabulary = try folder.vocabulary(rows: nil)
            #expect(vocabulary.addsBeginning && vocabulary.beginning == 4 && vocabulary.stops == [5])
            let template = try folder.chatTemplate()
            #expect(template == nil)
        }
    }

    @Test func `of named templates the default one is meant, and a file of its own comes first`() throws {
        let named =
            "{\"chat_template\":[{\"name\":\"tools\",\"template\":\"t\"},{\"name\":\"default\",\"template\":\"d\"}]}"
        try folder(["tokenizer_config.json": named]) { folder in
            let template = try folder.chatTemplate()
            #expect(template == "d")
        }
        try folder(["tokenizer_config.json": named, "chat_template.jinja": "j"]) { folder in
            let template = try folder.chatTemplate()
            #expect(template == "j")
        }
    }

    @Test func `what a folder lacks is said`() throws {
        try folder(["vocab.json": "{}", "merges.txt": ""]) { folder in
            #expect {
                try folder.vocabulary(rows: nil)
            } throws: { error in
                "\(error)".hasSuffix(
                    " has neither tokenizer.json nor tokenizer.model but vocab.json, merges.txt: the tokenizer of "
                        + "another kind of model.")
            }
        }
        try folder(["tokenizer.json": tokenizer, "generation_config.json": "{"]) { folder in
            #expect {
                try folder.vocabulary(rows: nil)
            } throws: { error in
                "\(error)".hasSuffix(
                    "/generation_config.json is not valid JSON: it ends in the middle of a value at byte 1. The file is "
                        + "damaged: copy or download it again.")
            }
        }
    }

    /// What stands in the place of a small file, and what is said of it behind its path.
    private static let faults: [(String, sentence: String, make: @Sendable (String) throws -> Void)] = [
        (
            "an empty file", " is empty. The file is damaged: copy or download it again.",
            { try Data().write(to: URL(filePath: $0)) }
        ),
        (
            "a folder", " is not a regular file. The file is damaged: copy or download it again.",
            { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: true) }
        ),
        (
            "a pipe that nobody writes to", " is not a regular file. The file is damaged: copy or download it again.",
            { #expect(mkfifo($0, 0o600) == 0) }
        ),
        (
            "a device without end", " is not a regular file. The file is damaged: copy or download it again.",
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "/dev/zero") }
        ),
        (
            "a link that leads nowhere",
            " cannot be read: no such file or directory. Check the path and its permissions.",
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "/nowhere/at/all") }
        ),
        (
            "a link to itself",
            " cannot be read: too many levels of symbolic links. Check the path and its permissions.",
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: $0) }
        ),
        (
            "a file of a terabyte", " has 1099511627776 bytes, more than any file of this kind (",
            { path in
                try Data().write(to: URL(filePath: path))
                #expect(truncate(path, 1 << 40) == 0)
            }
        ),
    ]

    @Test(
        arguments: faults.indices,
        [
            "tokenizer.json", "tokenizer_config.json", "added_tokens.json", "generation_config.json",
            "chat_template.jinja",
        ])
    func `a file that cannot be read is named, with the reason, and never waited for`(fault: Int, name: String) throws {
        let (_, sentence, make) = Self.faults[fault]
        var files = ["tokenizer.json": tokenizer]
        files[name] = nil
        try folder(files) { folder in
            let path = folder.folder + "/" + name
            try make(path)
            #expect {
                _ = try folder.vocabulary(rows: nil)
                _ = try folder.chatTemplate()
            } throws: { error in
                error is TokenizerFileError && "\(error)".hasPrefix(path + sentence)
            }
        }
    }
}
