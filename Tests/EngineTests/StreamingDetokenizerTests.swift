import Testing

@testable import Engine

private func stream(_ pieces: [[UInt8]], dropsLeadingSpace: Bool = false) -> [String] {
    var detokenizer = StreamingDetokenizer(dropsLeadingSpace: dropsLeadingSpace)
    return pieces.map { detokenizer.append(TokenPiece(bytes: $0, isControl: false)) } + [detokenizer.finish()]
}

@Suite struct `Streaming detokenizer` {
    @Test func `a character comes out when its last byte is there`() {
        #expect(stream([[0xF0], [0x9F, 0xA6], [0x99]]) == ["", "", "🦙", ""])
        #expect(stream([[0x61, 0xC3], [0xA9, 0x62]]) == ["a", "éb", ""])
    }

    @Test func `what can never become a character is replaced at once`() {
        #expect(stream([[0x80], [0xFF]]) == ["\u{FFFD}", "\u{FFFD}", ""])
        #expect(stream([[0xE2, 0x82], [0x61]]) == ["", "\u{FFFD}a", ""])
    }

    @Test func `what is incomplete at the end is replaced`() {
        #expect(stream([[0x61], [0xE2, 0x96]]) == ["a", "", "\u{FFFD}"])
    }

    @Test func `the tokenizer's own space is dropped once`() {
        #expect(stream([Array(" A".utf8), Array(" B".utf8)], dropsLeadingSpace: true) == ["A", " B", ""])
        #expect(stream([Array(" ".utf8), Array(" B".utf8)], dropsLeadingSpace: true) == ["", " B", ""])
        #expect(stream([Array("A".utf8), Array(" B".utf8)], dropsLeadingSpace: true) == ["A", " B", ""])
        #expect(stream([Array(" A".utf8)]) == [" A", ""])
    }

    @Test func `control tokens say nothing`() {
        var detokenizer = StreamingDetokenizer(dropsLeadingSpace: true)
        #expect(detokenizer.append(TokenPiece(bytes: Array("</s>".utf8), isControl: true)) == "")
        #expect(detokenizer.append(TokenPiece(bytes: Array(" a".utf8), isControl: false)) == "a")
    }

    @Test(arguments: 0..<20)
    func `any bytes in any cuts are what they are in one`(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ -> UInt8 in
                // Lead and continuation bytes more often than chance has them.
                let edges: [UInt8] = [0x61, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xFF]
                return Bool.random(using: &random)
                    ? edges.randomElement(using: &random) ?? 0 : .random(in: 0...255, using: &random)
            }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let length = min(Int.random(in: 1...4, using: &random), rest.count)
                pieces.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            #expect(stream(pieces).joined() == String(decoding: bytes, as: UTF8.self))
            var sent = 0
            var detokenizer = StreamingDetokenizer(dropsLeadingSpace: false)
            var said = ""
            for piece in pieces {
                sent += piece.count
                said += detokenizer.append(TokenPiece(bytes: piece, isControl: false))
                #expect(
                    String(decoding: bytes[..<sent], as: UTF8.self).unicodeScalars.starts(with: said.unicodeScalars))
            }
        }
    }
}
