import Foundation
import Testing

@testable import Engine

private let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

private func tokenizer(_ file: String) throws -> Tokenizer {
    Tokenizer(try Vocabulary(GGUF(path: goldens.appending(path: file).path)))
}

/// The Llama vocabulary, which takes a moment to read.
private let llama = Result { try tokenizer("llama-vocab/ggml-vocab-llama-spm.gguf") }

/// A vocabulary made by hand: bytes, "▁", the letters a to c and some of their pairs.
private func small(_ pieces: [(String, Float, Vocabulary.Kind)]) -> Vocabulary {
    let bytes = (0..<256).map { value in
        let digits = String(value, radix: 16, uppercase: true)
        return ("<0x\(digits.count == 1 ? "0" : "")\(digits)>", Float(0), Vocabulary.Kind.byte)
    }
    let all = [("<unk>", 0, .unknown), ("<s>", 0, .control), ("</s>", 0, .control)] + bytes + pieces
    return Vocabulary(
        pieces: all.map(\.0), scores: all.map(\.1), kinds: all.map(\.2), beginning: 1, end: 2, unknown: 0, stops: [2],
        addsDummyPrefix: true, addsBeginning: true)
}

private func names(_ tokens: [Int32], _ tokenizer: Tokenizer) -> [String] {
    tokens.map { tokenizer.vocabulary.pieces[Int($0)] }
}

@Suite struct `Text to tokens` {
    @Test func `llama.cpp's own vectors come out token by token`() throws {
        let tokenizer = try llama.get()
        let folder = goldens.appending(path: "llama-vocab")
        let name = "ggml-vocab-llama-spm.gguf"
        let inputs = try String(contentsOf: folder.appending(path: "\(name).inp"), encoding: .utf8)
        let outputs = try String(contentsOf: folder.appending(path: "\(name).out"), encoding: .utf8)
        // Every text is followed by the line, so nothing comes after the last one.
        let texts = inputs.components(separatedBy: "\n__ggml_vocab_test__\n").dropLast()
        let lines = outputs.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(texts.count == lines.count)
        for (text, line) in zip(texts, lines) {
            #expect(
                tokenizer.encode(text) == line.split(separator: " ").compactMap { Int32($0) },
                "\(text.debugDescription)")
        }
    }

    @Test(arguments: [
        ("llama", "llama-vocab/ggml-vocab-llama-spm.gguf"), ("tiny", "grouped/language.gguf"),
        ("demo", "../../../Assets/demo/target.gguf"),
    ])
    func `random Unicode is cut as the sentencepiece package cuts it, and reads back`(name: String, file: String) throws
    {
        let tokenizer = try tokenizer(file)
        func read<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
            try JSONDecoder().decode(type, from: Data(contentsOf: goldens.appending(path: "texts/\(name).json")))
        }
        let texts = try read("strings", as: [String].self)
        let expected = try read(name, as: [[Int32]].self)
        #expect(texts.count == expected.count && texts.count >= 300)
        for (text, ids) in zip(texts, expected) {
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
            // "▁" is how a piece writes a space, so it comes back as one.
            #expect(Array(tokenizer.decode(ids).utf8) == Array(text.replacing("\u{2581}", with: " ").utf8))
        }
    }

    @Test func `any Unicode scalars encode, and read back byte for byte`() throws {
        let tokenizer = try llama.get()
        var random = SeededNumbers(seed: 41)
        for _ in 0..<200 {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let limit: UInt32 = [0x80, 0x800, 0x10000, 0x110000].randomElement(using: &random) ?? 0x80
                guard let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) else { continue }
                if scalar != "\u{2581}" { text.unicodeScalars.append(scalar) }
            }
            let tokens = tokenizer.encode(text)
            #expect(Array(tokenizer.decode(tokens).utf8) == Array(text.utf8), "\(text.debugDescription)")
            #expect(tokens.allSatisfy { tokenizer.piece(for: $0).isControl == false })
        }
    }

    @Test func `the best score is merged first, and the leftmost of equals`() {
        let tokenizer = Tokenizer(
            small([
                ("▁", -9, .normal), ("a", -9, .normal), ("b", -9, .normal), ("c", -9, .normal),
                ("ab", -2, .normal), ("bc", -1, .normal), ("aa", -3, .normal),
            ]))
        #expect(names(tokenizer.encode("abc"), tokenizer) == ["▁", "a", "bc"])
        #expect(names(tokenizer.encode("aaa"), tokenizer) == ["▁", "aa", "a"])
    }

    @Test func `what looks equal but is spelt with other bytes is another piece`() {
        let tokenizer = Tokenizer(small([("▁", -9, .normal), ("\u{E9}", -1, .normal), ("e", -2, .normal)]))
        #expect(names(tokenizer.encode("\u{E9}"), tokenizer) == ["▁", "\u{E9}"])
        #expect(names(tokenizer.encode("e\u{301}"), tokenizer) == ["▁", "e", "<0xCC>", "<0x81>"])
    }

    @Test(arguments: ["</s>", "<s>", "<unk>", "<0x0A>", "x</s>y"])
    func `the name of a control token or a byte stays text`(name: String) throws {
        let tokenizer = try llama.get()
        let tokens = tokenizer.encode(name)
        #expect(tokens.allSatisfy { $0 > 2 && !(3...258).contains($0) })
        #expect(tokenizer.decode(tokens) == name)
    }

    @Test func `control tokens are parsed when asked`() throws {
        let tokenizer = try llama.get()
        #expect(tokenizer.encode("a</s>a", parsingControl: true) == [263, 2, 263])
        #expect(tokenizer.controlToken(named: "</s>") == 2)
        #expect(tokenizer.controlToken(named: "a") == nil)
    }

    @Test func `added tokens are found first, the longest at each place`() {
        let tokenizer = Tokenizer(
            small([
                ("▁", -9, .normal), ("a", -9, .normal), ("<x>", 0, .userDefined), ("<x><y>", 0, .userDefined),
                ("<", -9, .normal),
            ]))
        #expect(names(tokenizer.encode("a<x><y>a<x>"), tokenizer) == ["▁", "a", "<x><y>", "▁", "a", "<x>"])
        #expect(tokenizer.encode("<x>").count == 1)
    }

    @Test func `without a piece or a byte a run of characters is one unknown token`() {
        var vocabulary = small([("▁", -9, .normal), ("a", -9, .normal)])
        for id in 3..<259 { vocabulary.kinds[id] = .unused }
        let tokenizer = Tokenizer(vocabulary)
        #expect(names(tokenizer.encode("aéüa"), tokenizer) == ["▁", "a", "<unk>", "a"])
    }

    @Test func `pieces say what they add to the text`() throws {
        let tokenizer = try llama.get()
        #expect(tokenizer.piece(for: 15043) == TokenPiece(bytes: Array(" Hello".utf8), isControl: false))
        #expect(tokenizer.piece(for: 13) == TokenPiece(bytes: [0x0A], isControl: false))
        #expect(tokenizer.piece(for: 2) == TokenPiece(bytes: Array("</s>".utf8), isControl: true))
        #expect(tokenizer.piece(for: 32_001) == TokenPiece(bytes: Array("<32001>".utf8), isControl: true))
        #expect(tokenizer.piece(for: -1).isControl)
    }

    @Test func `a dummy prefix is used only where the vocabulary has one`() {
        var vocabulary = small([("▁", -9, .normal), ("a", -9, .normal)])
        vocabulary.addsDummyPrefix = false
        let tokenizer = Tokenizer(vocabulary)
        #expect(names(tokenizer.encode("a"), tokenizer) == ["a"])
        #expect(tokenizer.decode(tokenizer.encode(" a")) == " a")
    }

    @Test func `the time for a long text grows little faster than its length`() throws {
        let tokenizer = try llama.get()
        // Of this thread alone: what else the machine does must not count.
        func seconds(_ unit: String, _ length: Int) -> Double {
            let text = String(repeating: unit, count: length / unit.utf8.count)
            var (start, end) = (timespec(), timespec())
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
            #expect(!tokenizer.encode(text).isEmpty)
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
            return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
        }
        for unit in ["a", " ", "The picture shows \u{1F999} "] {
            let short = seconds(unit, 1_000)
            // Forty times the text: a quadratic method would take sixteen hundred times as long.
            #expect(seconds(unit, 40_000) < 200 * max(short, 0.0005), "\(unit.debugDescription)")
        }
    }
}
