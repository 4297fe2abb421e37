import Engine
import Testing

@testable import ChatTUI

@Suite struct `A picture among the lines of a command` {
    private static let image = PixelImage(
        width: 40, height: 20, pixels: (0..<2400).map { UInt8($0 % 251) },
        source: PixelImage.Source(name: "p", width: 40, height: 20))

    private static func facts(_ wish: ImageProtocol, _ change: (inout TerminalFacts) -> Void = { _ in })
        -> TerminalFacts
    {
        var facts = TerminalFacts(environment: ["TERM": "xterm"])
        facts.palette = .full
        facts.wish = wish
        facts.size = Size(rows: 24, columns: 80)
        change(&facts)
        return facts
    }

    private static func text(_ facts: TerminalFacts) -> String {
        String(decoding: PicturePrinter(facts: facts).bytes(of: image), as: UTF8.self)
    }

    @Test func `is nothing off a terminal or where none is wanted`() {
        #expect(Self.text(Self.facts(.none)).isEmpty)
        #expect(Self.text(Self.facts(.sixel) { $0.isTerminal = false }).isEmpty)
    }

    @Test func `makes room before its pixels and leaves the cursor below them`() {
        let text = Self.text(Self.facts(.sixel))
        // 20 pixels at 20 to a cell: one row.
        #expect(text.hasPrefix("\n\u{1B}[1A\u{1B}7\u{1B}P"))
        #expect(text.hasSuffix("\u{1B}\\\u{1B}8\u{1B}[1B\r"))
    }

    @Test func `is never enlarged, and shrinks to the window`() {
        let small = Self.text(Self.facts(.sixel) { $0.size = Size(rows: 24, columns: 2) })
        #expect(small.contains("\"1;1;20;"))
        #expect(Self.text(Self.facts(.sixel)).contains("\"1;1;40;"))
    }

    @Test func `in half blocks ends every line in the terminal's own colours`() {
        let lines = Self.text(Self.facts(.blocks)).split(separator: "\n")
        #expect(lines.count == 20)
        #expect(lines.allSatisfy { $0.hasSuffix("▀\u{1B}[0m") && $0.hasPrefix("\u{1B}[38;5;") })
    }

    @Test func `in signs holds no escape code`() {
        let text = Self.text(Self.facts(.ascii))
        #expect(!text.contains("\u{1B}") && text.split(separator: "\n").count == 20)
    }
}
