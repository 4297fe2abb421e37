// CharacterTests.swift — characters that break grids elsewhere, on whole screens; and widths held against the C library.

import Engine
import Testing

@testable import ChatTUI

struct `The grid` {
    static let texts = [
        "family 👩‍👩‍👧‍👦 and 👨🏽‍💻 and 🏳️‍🌈", "flags 🇩🇪🇫🇷🇯 half", "skin 👍🏽👍🏿", "keycaps 1️⃣#️⃣", "hearts ❤️❤♥️⚠️",
        "wide 日本語、ｶﾀｶﾅ한국어", "marks e\u{301}\u{302}\u{303} a\u{20DD} \u{301}lone",
        "zero a\u{200B}b\u{200C}c\u{200D}d\u{FEFF}e",
        "right שלום עולם, مرحبا بالعالم left", "bidi \u{202E}evil\u{202C} \u{2066}isolated\u{2069}", "tabs\ta\tbb\tccc",
        "control \u{1B}[31m\u{07}\u{08}\u{7F}\u{85}\u{9B}2J", "private \u{E000}\u{F8FF}\u{10FFFF}",
        "new \u{1FAE8}\u{1FABF}",
        "thai กำลังใจ", "hindi नमस्ते क्षत्रिय", "korean 각", "soft\u{AD}hyphen nb\u{A0}sp \u{3000}wide",
        String(decoding: [0x61, 0xFF, 0xC3, 0x28, 0xE2, 0x82, 0xF0, 0x9F, 0x62], as: UTF8.self),
    ]

    /// On every row each cell's width is what the next cells leave to it, and every border stands where it belongs.
    @Test(arguments: [(80, 24), (40, 10), (120, 40), (200, 60)])
    func `holds with any character in every pane`(columns: Int, rows: Int) {
        var state = Samples.answering()
        for text in Self.texts {
            state.addTurn(.question(.sent), text)
            state.addTurn(
                .answer(.complete), "- **\(text)**\n\n| a | \(text) |\n|---|---|\n| \(text) | b |\n\n```\n\(text)\n```")
        }
        state.composer.insert(Self.texts.joined(separator: "\n"))
        state.modelName = Self.texts.joined()
        for _ in 0..<12 {
            let frame = render(state, size: Size(rows: rows, columns: columns))
            for row in 0..<rows {
                var column = 0
                while column < columns {
                    let width = frame[row, column].width
                    guard width > 0 else {
                        Issue.record("\(columns)x\(rows): row \(row) has a hole at \(column)")
                        break
                    }
                    column += width
                }
                #expect(column == columns)
                #expect(["│", "├", "╭", "╰"].contains(frame[row, 0].text), "row \(row)")
                #expect(["│", "┤", "╮", "╯"].contains(frame[row, columns - 1].text), "row \(row)")
            }
            state.scrollTranscript(pages: -1)
        }
    }

    /// ncurses moves by the C library's widths. Where it knows a character, ours must be the same, or all that follows
    /// on the row would be drawn beside its place.
    @Test func `agrees with the C library about the width of every character`() {
        Terminal.useLocale()
        // Outside a UTF-8 locale the library knows no character beyond ASCII.
        guard Terminal.isUTF8 else { return }
        var disagreements: [String] = []
        for value in UInt32(0x20)...0x3_FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for glyph in DisplayText.glyphs(String(Character(scalar))) {
                guard case .cluster(let cluster) = glyph.content, let width = Terminal.width(of: cluster.text) else {
                    continue
                }
                if width != glyph.width {
                    disagreements.append("U+\(String(value, radix: 16)): \(glyph.width), not \(width)")
                }
            }
        }
        #expect(disagreements.isEmpty, "\(disagreements.count): \(disagreements.prefix(40))")
    }
}
