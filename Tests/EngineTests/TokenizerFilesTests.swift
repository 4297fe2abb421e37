import Foundation
import Testing

@testable import Engine

/// Folders of tokenizers with the strings and the checksums that Training/specchat_training/golden_tokenizers.py made of
/// them; the environment can name others, of any size.
private let goldens =
    ProcessInfo.processInfo.environment["SPECCHAT_TOKENIZERS"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/tokenizers")

private func cases() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: goldens.path)) ?? []
    return names.filter { $0.hasSuffix(".sums") }.map { String($0.dropLast(5)) }.sorted()
}

/// FNV-1a (64 bits) of the ids as little-endian 32-bit numbers, both halves together.
private func checksum(_ tokens: [Int32]) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for token in tokens {
        for shift in stride(from: 0, to: 32, by: 8) {
            value = (value ^ UInt64(UInt8(truncatingIfNeeded: token >> shift))) &* 0x100_0000_01B3
        }
    }
    let digits = String(UInt32(truncatingIfNeeded: value >> 32 ^ value), radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}

@Suite struct `Tokenizer files` {
    @Test func `there is a case for each way in which a folder can say how it cuts text`() {
        let expected = [
            "first", "first-added", "legacy", "legacy-added", "no-prefix", "sentencepiece", "slow", "slow-legacy",
            "words-added",
        ]
        #expect(Set(cases()).isSuperset(of: expected))
    }

    @Test(arguments: cases())
    func `random Unicode is cut as the tokenizer that the folder was made for cuts it`(name: String) throws {
        let folder = TokenizerFolder(folder: goldens.appending(path: name).path)
        let tokenizer = Tokenizer(try folder.vocabulary(rows: nil))
        let texts = try JSONReader.read(Array(Data(contentsOf: goldens.appending(path: "strings.json"))))
        let sums = try String(contentsOf: goldens.appending(path: "\(name).sums"), encoding: .utf8)
            .split(separator: "\n")
        let strings = try #require(texts.list).compactMap(\.text)
        #expect(strings.count == sums.count && strings.count >= 1000)
        // The SentencePiece library has no names for control tokens; all others do.
        let parsingControl = name != "sentencepiece"
        var differences = 0
        for (text, sum) in zip(strings, sums) {
            let tokens = tokenizer.encode(text, parsingControl: parsingControl)
            guard checksum(tokens) != sum else { continue }
            differences += 1
            if differences <= 10 { Issue.record("\(name): \(text.debugDescription) became \(tokens)") }
        }
        #expect(differences == 0)
    }
}
