// MarkdownTests.swift — what answers look like, and that nothing of them is lost on the way.

import Testing

@testable import ChatTUI

/// The lines of an answer as text, in one piece or in several.
func answerLines(_ chunks: [String], width: Int = 60, symbols: Symbols = .unicode, isComplete: Bool = true) -> [String]
{
    var text = TurnText(TurnText.Shape(width: width, symbols: symbols, isMarkdown: true))
    var soFar = ""
    for chunk in chunks {
        soFar += chunk
        text.update(soFar, isComplete: false)
    }
    if isComplete { text.update(soFar, isComplete: true) }
    return (0..<text.count).map { text[$0].flatMap(\.glyphs).map(\.text).joined() }
}

struct `Markdown` {
    @Test func `shows headings, lists, quotes and rules in their places`() {
        let text = """
            # A title
            Some text that goes
            on here.

            - first
              - nested under it
            - second, which is long enough to be wrapped
            10. ten
            ---
            > quoted
            >> deeper
            """
        #expect(
            answerLines([text], width: 30) == [
                "A title",
                "Some text that goes",
                "on here.",
                "",
                "• first",
                "  ◦ nested under it",
                "• second, which is long enough",
                "  to be wrapped",
                "10. ten",
                "──────────────────────────────",
                "▎ quoted",
                "▎ ▎ deeper",
            ])
    }

    @Test func `keeps the lines of code and cuts those that are too long with a mark`() {
        let text = "Look:\n```swift\nlet a = 1  // a comment that is too long\n\n\tif **a** { }\n```\nDone."
        #expect(
            answerLines([text], width: 24) == [
                "Look:", "╭─ swift", "│ let a = 1  // a comme…", "│ ", "│     if **a** { }", "╰─", "Done.",
            ])
    }

    @Test func `lays tables out in columns by display width`() {
        let text = "| Tier | Anzahl |\n|:---|---:|\n| Katze 猫 | **2** |\n| a\\|b | 10 |\n"
        #expect(
            answerLines([text], width: 30) == [
                "Tier     │ Anzahl", "─────────┼───────", "Katze 猫 │      2", "a|b      │     10",
            ])
        #expect(answerLines(["| A | B |\n|---|---|\n| 1 | 2 |"], width: 20) == ["A │ B", "──┼──", "1 │ 2"])
    }

    @Test func `shows a table that is too wide as it was written`() {
        let text = "| A long heading | Another one |\n|---|---|\n| 1 | 2 |"
        #expect(answerLines([text], width: 20).first == "| A long heading |")
    }

    @Test func `gives the pieces of a line their looks`() {
        let pieces = MarkdownInline.pieces("a **b _c_** `d*e*` [f](http://g) snake_case_name 2 * 3 * 4 ***h***")
        #expect(
            pieces == [
                .init(text: "a ", style: []), .init(text: "b ", style: .strong),
                .init(text: "c", style: [.strong, .emphasis]), .init(text: " ", style: []),
                .init(text: "d*e*", style: .code), .init(text: " ", style: []), .init(text: "f", style: .link),
                .init(text: " (http://g)", style: .address), .init(text: " snake_case_name 2 * 3 * 4 ", style: []),
                .init(text: "h", style: [.strong, .emphasis]),
            ])
    }

    @Test(arguments: [
        "**open", "a * b", "[text](no", "`code", "*a **b* c**", "\\*not\\*", "![alt](pic.png)", "<https://x.org>",
        "<b>",
        "\\(x^2\\)", "a_b_c", "**", "``", "[](x)", "****", "[a](b \"t\")",
    ])
    func `never loses a letter of a line`(text: String) {
        let shown = MarkdownInline.pieces(text).map(\.text).joined()
        #expect(content(shown) == content(text))
    }

    @Test func `leaves the open block plain and styles it when it is complete`() {
        #expect(answerLines(["Some **bold"], isComplete: false) == ["Some **bold"])
        #expect(answerLines(["Some **bold** text"], isComplete: false) == ["Some **bold** text"])
        #expect(answerLines(["Some **bold** text\n\nNext"], isComplete: false) == ["Some bold text", "", "Next"])
        #expect(answerLines(["```py\nx = 1\ny"], isComplete: false) == ["╭─ py", "│ x = 1", "│ y"])
    }

    @Test func `in ASCII holds nothing but ASCII`() {
        let text = "> a\n\n- b\n  - c\n\n| d |\n|---|\n| e |\n\n```\nf f f f f f f f f f f f f\n```\n---"
        #expect(answerLines([text], width: 14, symbols: .ascii).joined().allSatisfy { $0.isASCII })
    }
}

// MARK: Laws

/// What remains of a text when all that could be a mark is taken away.
private func content(_ text: String) -> String {
    let marks = Set(" \t\n\r*_`~#>|-+[]()!<:.\\\"'•◦▪▎│─┼╭╰".unicodeScalars)
    return String(String.UnicodeScalarView(text.unicodeScalars.filter { !marks.contains($0) }))
}

/// Random text out of everything that means something in Markdown.
private struct Author {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func number(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % limit
    }

    private static let parts = [
        "word", "a", "Wort", "日本", "é", "😀", "עברית", " ", " ", " ", " ", "\n", "\n", "\n\n", "*", "**", "***", "_",
        "__", "`", "``", "```", "\n```\n", "\n```swift\n", "# ", "\n## ", "\n- ", "\n  - ", "\n* ", "\n1. ",
        "\n    2) ",
        "> ", "\n> ", "\n>> ", "|", "\n| a | b |\n|---|:-:|\n| c | d |\n", "[", "](", ")", "[x](y)", "!", "\\", "<",
        ">",
        "---", "\n---\n", "\t", "\r\n", "~~~", "snake_case", "3 * 4", "http://x.y/z",
    ]

    mutating func text() -> String {
        (0..<number(60) + 1).map { _ in Author.parts[number(Author.parts.count)] }.joined()
    }
}

struct `Every answer` {
    /// Wide enough that nothing is cut: long lines of code are.
    private let wide = 400

    @Test(arguments: 0..<50)
    func `shows all of its content in order at every moment`(seed: Int) {
        var author = Author(seed: UInt64(seed + 1))
        let text = author.text()
        var prefix = ""
        for character in text {
            prefix.append(character)
            let shown = answerLines([prefix], width: wide, isComplete: false).joined(separator: "\n")
            #expect(content(shown) == content(prefix), "\(prefix.debugDescription)")
        }
        let shown = answerLines([text], width: wide).joined(separator: "\n")
        #expect(content(shown) == content(text), "\(text.debugDescription)")
    }

    @Test(arguments: 0..<150)
    func `ends the same however it was cut in pieces`(seed: Int) {
        var author = Author(seed: UInt64(seed + 1001))
        let text = author.text()
        var scalars = Array(text.unicodeScalars)[...]
        var chunks: [String] = []
        while !scalars.isEmpty {
            let count = min(scalars.count, author.number(7) + 1)
            chunks.append(String(String.UnicodeScalarView(scalars.prefix(count))))
            scalars = scalars.dropFirst(count)
        }
        #expect(answerLines(chunks, width: 37) == answerLines([text], width: 37), "\(text.debugDescription)")
    }

    @Test(arguments: 0..<30, [8, 11, 23, 40])
    func `fills no line beyond its width`(seed: Int, width: Int) {
        var author = Author(seed: UInt64(seed + 2001))
        var text = TurnText(TurnText.Shape(width: width, symbols: .unicode, isMarkdown: true))
        let answer = author.text() + author.text()
        text.update(answer, isComplete: seed.isMultiple(of: 2))
        for line in 0..<text.count { #expect(text[line].columns <= width, "\(answer.debugDescription)") }
    }

    /// Each of these would take hours, or all of the stack, in a parser that looks again at what it has seen.
    @Test(.timeLimit(.minutes(1)))
    func `is laid out in time, whatever it holds`() {
        let hostile = [
            String(repeating: "> ", count: 10_000) + "deep", String(repeating: "- ", count: 10_000),
            String(repeating: "[", count: 100_000), String(repeating: "](", count: 50_000),
            String(repeating: "[a](", count: 30_000), String(repeating: "*a _b ", count: 20_000),
            String(repeating: "*a ", count: 30_000) + String(repeating: "b_ ", count: 30_000),
            (1...300).map { String(repeating: "`", count: $0) }.joined(separator: " "),
            String(repeating: "a", count: 200_000), String(repeating: "|", count: 50_000) + "\n|-|-|",
            String(repeating: "<a", count: 50_000), String(repeating: "a\n", count: 30_000),
            (0..<2_000).map { String(repeating: "  ", count: $0 % 500) + "- x" }.joined(separator: "\n"),
        ]
        for text in hostile {
            let shown = answerLines([text], width: 80)
            #expect(!shown.isEmpty)
        }
    }
}
