// DisplayTextTests.swift — no text can command the terminal, and every glyph has the width that it says.

import Engine
import Testing

@testable import ChatTUI

struct `Display text` {
    /// Texts, what the grid shows, and how many columns that takes.
    static let table: [(String, String, Int)] = [
        ("plain", "plain", 5),
        ("a\u{1B}[31mb", "a^[[31mb", 8),
        ("bell\u{07}", "bell^G", 6),
        ("del\u{7F}", "del^?", 5),
        ("\u{9B}2J", "\\u009b2J", 8),
        ("\u{9D}0;title\u{9C}", "\\u009d0;title\\u009c", 19),
        ("a\u{202E}b", "a\\u202eb", 8),
        ("x\u{200B}y", "x\\u200by", 8),
        ("line\u{2028}end", "line\\u2028end", 13),
        ("日本", "日本", 4),
        ("e\u{301}", "e\u{301}", 1),
        ("\u{301}", "\u{25CC}\u{301}", 1),
        ("z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}", "z\u{301}\u{302}", 1),
        ("👍🏽", "👍", 2),
        ("👩‍👩‍👧", "👩", 2),
        ("⚠️", "⚠", 1),
        ("1️⃣", "1", 1),
        ("🇩🇪", "DE", 2),
        ("\u{E000}", "□", 1),
        ("ﬁ½√", "ﬁ½√", 3),
    ]

    @Test(arguments: table)
    func `shows nothing raw and knows its width`(text: String, shown: String, columns: Int) {
        let glyphs = DisplayText.glyphs(text)
        #expect(glyphs.map(\.text).joined() == shown)
        #expect(glyphs.reduce(0) { $0 + $1.width } == columns)
    }

    @Test func `of any scalar holds no control character`() {
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            guard let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: state >> 33) % 0x11_0000) else { continue }
            for glyph in DisplayText.glyphs("a" + String(Character(scalar)) + "b") {
                #expect(glyph.width > 0)
                #expect(
                    glyph.text.unicodeScalars.allSatisfy {
                        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                            $0.properties.generalCategory)
                            || $0 == "\u{AD}"
                    }, "U+\(String(scalar.value, radix: 16))")
            }
        }
    }

    /// Plain text is read without looking for clusters; after something odd the long way is taken.
    @Test(arguments: table)
    func `reads the same before and after an odd character`(text: String, shown: String, columns: Int) {
        for text in [text, text + "e", "e" + text] {
            // A control character combines with nothing.
            let after = DisplayText.glyphs("\u{1B}" + text).dropFirst()
            #expect(Array(after) == DisplayText.glyphs(text))
        }
    }

    @Test func `of plain scalars is what looking them up gives`() {
        for value in UInt32(0)...0x2FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            // A joiner shows nothing, but with it a character is no longer plain.
            #expect(DisplayText.glyphs(text + "\u{200D}") == DisplayText.glyphs(text), "U+\(String(value, radix: 16))")
        }
    }

    @Test func `is cut with a mark and never inside a wide character`() {
        #expect(DisplayText.clipped("photograph", to: 6).map(\.text).joined() == "photo…")
        #expect(DisplayText.clipped("日本語", to: 4).map(\.text).joined() == "日…")
        #expect(DisplayText.clipped("short", to: 5).map(\.text).joined() == "short")
    }

    @Test func `for pipes keeps words and newlines and spells commands out`() {
        #expect(PlainText.safe("a\n\tb\u{1B}]0;x\u{07} 👩‍👩‍👧 日") == "a\n\tb^[]0;x^G 👩‍👩‍👧 日")
    }
}

struct `Word wrap` {
    private func wrapped(_ text: String, _ width: Int) -> [String] {
        WordWrap.lines(text, width: width).map { $0.map(\.text).joined() }
    }

    @Test func `breaks at spaces and drops them there`() {
        #expect(wrapped("the cat sat on the mat", 10) == ["the cat", "sat on the", "mat"])
    }

    @Test func `keeps newlines, empty lines and indentation`() {
        #expect(wrapped("a\n\n  b", 10) == ["a", "", "  b"])
    }

    @Test func `cuts a word that is longer than a line`() {
        #expect(wrapped("incomprehensible", 6) == ["incomp", "rehens", "ible"])
    }

    @Test func `never puts half a wide character on a line`() {
        #expect(wrapped("日本語", 3) == ["日", "本", "語"])
    }

    @Test(arguments: 1...12)
    func `fills no line beyond its width`(width: Int) {
        let text = "A \u{1B}[2J wide 日本語 word, a tab\tand supercalifragilistic 👍🏽 letters."
        for line in WordWrap.lines(text, width: width) {
            #expect(line.reduce(0) { $0 + $1.width } <= width)
        }
    }
}

struct `Token label` {
    private func label(_ bytes: [UInt8], control: Bool = false, _ symbols: Symbols = .unicode) -> String {
        TokenLabel.text(of: .init(bytes: bytes, isControl: control), in: symbols)
    }

    @Test func `shows white space, control tokens and stray bytes`() {
        #expect(label(Array(" cat".utf8)) == "·cat")
        #expect(label(Array("\n".utf8)) == "↵")
        #expect(label([0xE2, 0x80]) == "⟨E2 80⟩")
        #expect(label(Array("</s>".utf8), control: true) == "‹eos›")
        #expect(label(Array("·".utf8)) == "'·'")
        #expect(label([]) == "‹›")
    }

    @Test func `keeps to ASCII signs where there is no UTF-8`() {
        #expect(label(Array(" a\n".utf8), .ascii) == "_a\\n")
        #expect(label(Array("</s>".utf8), control: true, .ascii) == "<eos>")
    }
}
