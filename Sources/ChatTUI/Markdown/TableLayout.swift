// TableLayout.swift — a table in columns of their texts' widths, where the screen is wide enough for it.

struct TableLayout {
    /// Absent when the table is wider than the room that it has.
    let lines: [GlyphLine]?

    /// More columns than a screen can show.
    private static let mostColumns = 64

    init(_ table: MarkdownTable, width: Int, symbols: Symbols) {
        let rows = table.rows
        let count = rows.reduce(table.alignments.count) { max($0, $1.count) }
        guard count <= TableLayout.mostColumns else {
            lines = nil
            return
        }
        let cells = rows.enumerated().map { index, row in
            (0..<count).map { TableLayout.cell($0 < row.count ? row[$0] : "", isHead: index == 0) }
        }
        let widths = (0..<count).map { column in cells.reduce(1) { max($0, $1[column].columns) } }
        let bar = symbols.border([.up, .down])
        // A space at either side of every bar, and none at the ends.
        guard widths.reduce(0, +) + 3 * (count - 1) <= width else {
            lines = nil
            return
        }
        let dash = symbols.border([.left, .right])
        let cross = symbols.border([.up, .down, .left, .right])
        let rule = widths.map { String(repeating: dash, count: $0) }.joined(separator: dash + cross + dash)
        var drawn = cells.map { row in
            var line: GlyphLine = []
            for column in 0..<count {
                if column > 0 { line += GlyphLine(text: " \(bar) ", role: .border) }
                let alignment = column < table.alignments.count ? table.alignments[column] : .left
                line += TableLayout.padded(row[column], to: widths[column], alignment)
            }
            return line
        }
        drawn.insert(GlyphLine(text: rule, role: .border), at: 1)
        lines = drawn
    }

    private static func cell(_ text: String, isHead: Bool) -> GlyphLine {
        MarkdownInline.pieces(text.withSpacesForTabs).map { piece in
            GlyphRun(glyphs: DisplayText.glyphs(piece.text), role: piece.style.role(over: isHead ? .strong : .text))
        }
    }

    private static func padded(_ cell: GlyphLine, to width: Int, _ alignment: MarkdownTable.Alignment) -> GlyphLine {
        let gap = width - cell.columns
        let before = alignment == .left ? 0 : alignment == .right ? gap : gap / 2
        return GlyphLine(text: String(repeating: " ", count: before)) + cell
            + GlyphLine(text: String(repeating: " ", count: gap - before))
    }
}
