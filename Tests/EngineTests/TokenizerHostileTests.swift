import Testing

@testable import Engine

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
        let words = try Vocabulary(sentencePieceModel: sentencePieceModel(pieces: [("a", -2, 1)]), file: "m")
        #expect(words.pieces == ["<unk>", "<s>", "</s>", "▁", "a"] && words.beginning == 1 && words.end == 2)
        #expect(words.stops == [2] && words.unknown == 0 && words.addsBeginning && words.addsDummyPrefix)
        let pairs = try Vocabulary(tokenizerJSON: json(small), file: "t")
        #expect(Tokenizer(pairs).encode("abba") == [3, 2, 1] && !pairs.addsDummyPrefix)
    }

    @Test(arguments: [
        (
            sentencePieceModel { trainer, _ in trainer.add(3, 1) },
            "m holds a SentencePiece Unigram model (as T5's and XLM-R's); only"
        ),
        (sentencePieceModel { trainer, _ in trainer.add(3, 3) }, "m holds a SentencePiece model of whole words; only"),
        (
            sentencePieceModel { trainer, _ in trainer.add(3, 4) },
            "m holds a SentencePiece model of single characters; only"
        ),
        (
            sentencePieceModel { trainer, _ in trainer.add(3, 9) },
            "m holds a SentencePiece model of an unknown kind (9); only"
        ),
        (
            sentencePieceModel { _, normaliser in normaliser.add(4, 1) },
            "m holds a SentencePiece model that removes spaces; only"
        ),
        (
            sentencePieceModel { _, normaliser in
                normaliser.add(1, "nmt_nfkc")
                normaliser.add(2, "table")
            }, "m holds a SentencePiece model that changes characters before it cuts (nmt_nfkc); only"
        ),
        (
            sentencePieceModel { trainer, _ in trainer.add(24, 1) },
            "m holds a SentencePiece model that writes spaces in a way of its"
        ),
        (
            sentencePieceModel(pieces: [("a", .nan, 1)]),
            "m has a broken vocabulary: the score of token 4 is no number. "
        ),
        (sentencePieceModel(pieces: [("a", 0, 7)]), "m has a broken vocabulary: the kind of piece 4 is 7. "),
        (
            sentencePieceModel(pieces: [("a", 0, 6)]),
            "m has a broken vocabulary: token 4, 'a', is to be a byte but names none. "
        ),
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
        let bytes = sentencePieceModel(pieces: [("a", -2, 1), ("<0x41>", 0, 6), ("<x>", 0, 4)])
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
