import Foundation
import Testing

@testable import Engine

/// A protocol buffers message, written field by field.
private struct Message {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, _ value: Int) { bytes += Self.number(field << 3) + Self.number(value) }
    mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }
    mutating func add(_ field: Int, _ message: [UInt8]) {
        bytes += Self.number(field << 3 | 2) + Self.number(message.count) + message
    }
    mutating func add(_ field: Int, score: Float) {
        bytes += Self.number(field << 3 | 5)
        bytes += withUnsafeBytes(of: score.bitPattern.littleEndian) { Array($0) }
    }

    static func number(_ value: Int) -> [UInt8] {
        var (rest, bytes) = (UInt64(value), [UInt8]())
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }
}

/// A model with `<unk>`, `<s>`, `</s>` and "▁", changed by `change` in its trainer's and its normaliser's settings.
private func model(
    pieces extra: [(String, Float, Int)] = [], change: (inout Message, inout Message) -> Void = { _, _ in }
) -> [UInt8] {
    var model = Message()
    for (text, score, kind) in [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1, 1)] + extra {
        var piece = Message()
        piece.add(1, text)
        piece.add(2, score: score)
        piece.add(3, kind)
        model.add(1, piece.bytes)
    }
    var (trainer, normaliser) = (Message(), Message())
    trainer.add(3, 2)
    normaliser.add(4, 0)
    change(&trainer, &normaliser)
    model.add(2, trainer.bytes)
    model.add(3, normaliser.bytes)
    return model.bytes
}

/// A tokenizer.json whose model is this.
private func json(_ model: String, _ rest: String = "") -> [UInt8] { Array("{\"model\":{\(model)}\(rest)}".utf8) }

private let pieces = "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3}"
private let small = "\"type\":\"BPE\",\"byte_fallback\":true,\(pieces),\"merges\":[\"a b\"]"

private func message(_ body: () throws(TokenizerFileError) -> Vocabulary) -> String? {
    do throws(TokenizerFileError) {
        _ = try body()
        return nil
    } catch {
        return error.description
    }
}

@Suite struct `Broken tokenizer files` {
    @Test func `a small model of each kind is read`() throws {
        let words = try Vocabulary(sentencePieceModel: model(pieces: [("a", -2, 1)]), file: "m")
        #expect(words.pieces == ["<unk>", "<s>", "</s>", "▁", "a"] && words.beginning == 1 && words.end == 2)
        #expect(words.stops == [2] && words.unknown == 0 && words.addsBeginning && words.addsDummyPrefix)
        let pairs = try Vocabulary(tokenizerJSON: json(small), file: "t")
        #expect(Tokenizer(pairs).encode("abba") == [3, 2, 1] && !pairs.addsDummyPrefix)
    }

    @Test(arguments: [
        (
            model { trainer, _ in trainer.add(3, 1) },
            "m holds a SentencePiece Unigram model (as T5's and XLM-R's); only"
        ),
        (model { trainer, _ in trainer.add(3, 3) }, "m holds a SentencePiece model of whole words; only"),
        (model { trainer, _ in trainer.add(3, 4) }, "m holds a SentencePiece model of single characters; only"),
        (model { trainer, _ in trainer.add(3, 9) }, "m holds a SentencePiece model of an unknown kind (9); only"),
        (model { _, normaliser in normaliser.add(4, 1) }, "m holds a SentencePiece model that removes spaces; only"),
        (
            model { _, normaliser in
                normaliser.add(1, "nmt_nfkc")
                normaliser.add(2, "table")
            }, "m holds a SentencePiece model that changes characters before it cuts (nmt_nfkc); only"
        ),
        (
            model { trainer, _ in trainer.add(24, 1) },
            "m holds a SentencePiece model that writes spaces in a way of its"
        ),
        (model(pieces: [("a", .nan, 1)]), "m has a broken vocabulary: the score of token 4 is no number. "),
        (model(pieces: [("a", 0, 7)]), "m has a broken vocabulary: the kind of piece 4 is 7. "),
        (model(pieces: [("a", 0, 6)]), "m has a broken vocabulary: token 4, 'a', is to be a byte but names none. "),
        (Array("GGUF".utf8), "m is broken at byte 0. The file is damaged: copy or download it again."),
        ([], "m is not a SentencePiece model. The file is damaged: copy or download it again."),
        ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "m is broken at byte 0. "),
        ([0x0A, 0x03, 0x0A, 0x01, 0xFF], "m has a broken vocabulary: piece 0 is not UTF-8. "),
    ])
    func `what a tokenizer.model is, if it cannot be used, is said in a sentence`(bytes: [UInt8], expected: String) {
        let found = message { () throws(TokenizerFileError) in try Vocabulary(sentencePieceModel: bytes, file: "m") }
        #expect(found?.hasPrefix(expected) == true, "\(found ?? "nothing")")
    }

    @Test(arguments: [
        (json("\"type\":\"WordPiece\""), "t holds a WordPiece tokenizer (as BERT's); only byte-pair encoding"),
        (json("\"type\":\"Unigram\""), "t holds a Unigram tokenizer (as T5's); only"),
        (
            json("\"type\":\"BPE\",\(pieces),\"merges\":[]"),
            "t holds byte-pair encoding without byte fallback (as GPT-2's, Llama 3's and CLIP's); only"
        ),
        (
            json("\(small),\"end_of_word_suffix\":\"</w>\""), "t holds byte-pair encoding with '</w>' in words; only"
        ),
        (json("\(small),\"ignore_merges\":true"), "t holds byte-pair encoding that takes whole words first; only"),
        (json("\(small),\"dropout\":0.1"), "t holds byte-pair encoding with dropout; only"),
        (
            json(small, ",\"pre_tokenizer\":{\"type\":\"ByteLevel\"}"),
            "t holds a tokenizer that cuts text beforehand (ByteLevel); only"
        ),
        (
            json(small, ",\"normalizer\":{\"type\":\"NFKC\"}"),
            "t holds a tokenizer that changes text before it cuts (NFKC); only"
        ),
        (json("\"type\":\"BPE\",\"byte_fallback\":true"), "t must hold pieces and their ids under 'model.vocab'. "),
        (Array("{}".utf8), "t must hold an object under 'model'. "),
        (Array("[1,]".utf8), "t is not valid JSON: there is ']' where something else must be at byte 3. "),
        (
            json("\"type\":\"BPE\",\"byte_fallback\":true,\(pieces),\"merges\":[\"a c\"]"),
            "t has a broken vocabulary: merge 0 needs 'c', which is no piece. "
        ),
        (
            json("\"type\":\"BPE\",\"byte_fallback\":true,\(pieces),\"merges\":[[\"a\"]]"),
            "t must hold two pieces under 'model.merges[0]'. "
        ),
        (
            json("\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]"),
            "t has a broken vocabulary: 'a' and 'b' have the same id 0. "
        ),
        (
            json("\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"a\":1999999},\"merges\":[]"),
            "t has a broken vocabulary: the id of 'a' is 1999999, far beyond its 1 pieces. "
        ),
        (
            json("\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"a\":-1},\"merges\":[]"),
            "t has a broken vocabulary: the piece 'a' has no id that a token can have. "
        ),
        (
            json(small, ",\"added_tokens\":[{\"id\":1,\"content\":\"x\"}]"),
            "t has a broken vocabulary: the id 1 is that of both 'a' and 'x'. "
        ),
        (
            json(small, ",\"added_tokens\":[{\"id\":2000000000,\"content\":\"x\"}]"),
            "t has a broken vocabulary: the id of 'x' is 2000000000, more than any model has. "
        ),
        (json(small, ",\"added_tokens\":[3]"), "t must hold an id and a content under 'added_tokens[0]'. "),
    ])
    func `what a tokenizer.json is, if it cannot be used, is said in a sentence`(bytes: [UInt8], expected: String) {
        let found = message { () throws(TokenizerFileError) in try Vocabulary(tokenizerJSON: bytes, file: "t") }
        #expect(found?.hasPrefix(expected) == true, "\(found ?? "nothing")")
    }

    @Test func `a model cut short anywhere, or with any byte changed, is read or refused`() {
        let bytes = model(pieces: [("a", -2, 1), ("<0x41>", 0, 6), ("<x>", 0, 4)])
        var random = SeededNumbers(seed: 9)
        for length in bytes.indices {
            _ = message { () throws(TokenizerFileError) in
                try Vocabulary(sentencePieceModel: Array(bytes[..<length]), file: "m")
            }
            var changed = bytes
            changed[length] = UInt8.random(in: 0...255, using: &random)
            do throws(TokenizerFileError) {
                let tokenizer = Tokenizer(try Vocabulary(sentencePieceModel: changed, file: "m"))
                let tokens = tokenizer.encode("a <x>b\u{0}é", parsingControl: true)
                #expect(tokens.allSatisfy { (0..<Int32(tokenizer.count)).contains($0) })
            } catch {
                #expect(error.description.hasPrefix("m ") && !error.description.contains("\n"))
            }
        }
    }

    @Test func `tokens beyond the embedding are left out, pieces beyond it are an error`() throws {
        let bytes = json(small, ",\"added_tokens\":[{\"id\":4,\"content\":\"<pad>\",\"special\":true}]")
        #expect(try Vocabulary(tokenizerJSON: bytes, file: "t", rows: 4).pieces.count == 4)
        #expect(try Vocabulary(tokenizerJSON: bytes, file: "t", rows: 64).pieces.last == "<pad>")
        let found = message { () throws(TokenizerFileError) in try Vocabulary(tokenizerJSON: bytes, file: "t", rows: 3)
        }
        #expect(
            found == "t has a broken vocabulary: it has more than 3 tokens and the model's embedding has only 3 rows. "
                + "The file is damaged: copy or download it again.")
    }

    @Test func `ids that nothing has are filled, and stay nothing`() throws {
        let bytes = json(small, ",\"added_tokens\":[{\"id\":6,\"content\":\"<image>\",\"special\":true}]")
        let vocabulary = try Vocabulary(tokenizerJSON: bytes, file: "t")
        #expect(vocabulary.pieces.count == 7 && vocabulary.kinds[4...] == [.unused, .unused, .control])
        #expect(Tokenizer(vocabulary).encode("[PAD4]<image>", parsingControl: true) == [6])
    }
}

@Suite struct `JSON text` {
    @Test(arguments: [
        ("{\"a\":[1,-2.5e1,true,null,\"x\\u00e9\\ud83d\\ude00\\n\"]}", 7), ("[]", 1), (" \"\" ", 1), ("0", 1),
    ])
    func `valid text is read`(text: String, count: Int) throws {
        _ = try JSONReader.read(Array(text.utf8), limits: .init(values: count))
        #expect(throws: JSONError.self) { try JSONReader.read(Array(text.utf8), limits: .init(values: count - 1)) }
    }

    @Test func `values are what the text spells`() throws {
        let value = try JSONReader.read(Array("{\"a\":[1,-2.5e1,\"\\u00e9\\ud83d\\ude00\\n\"],\"\u{212A}\":2}".utf8))
        let list = try #require(value["a"]?.list)
        #expect(list[0].integer == 1 && list[1].number == -25 && list[2].text == "é😀\n")
        // The Kelvin sign looks equal to a K, and Swift says so; a file means another name.
        #expect(value["K"] == nil && value["\u{212A}"]?.integer == 2)
    }

    @Test(arguments: [
        "", "{", "[1", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", "-", "+1", "1e", "\"\\x\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"", "\"a", "\"\u{1}\"", "nul", "truex", "[] []", "\"\\u12", "{\"a\":1,\"a\":2}", "'a'",
    ])
    func `anything else is refused in one line`(text: String) {
        #expect {
            try JSONReader.read(Array(text.utf8))
        } throws: { error in
            let message = "\(error)"
            return !message.isEmpty && message.count < 200 && !message.contains("\n")
        }
    }

    @Test func `nesting has a limit, and a million brackets are no harm`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError(fault: .tooDeep(64), offset: 64)) { try JSONReader.read(bytes) }
        #expect(throws: JSONError(fault: .notUTF8, offset: 0)) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    }
}

@Suite struct `Tokenizer folder` {
    private func folder(_ files: [String: String], _ body: (TokenizerFolder) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "specchat-tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        for (name, text) in files { try Data(text.utf8).write(to: url.appending(path: name)) }
        try body(TokenizerFolder(folder: url.path))
    }

    private let tokenizer =
        "{\"model\":{\(small)},\"added_tokens\":[{\"id\":4,\"content\":\"<s>\",\"special\":true},"
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
}
