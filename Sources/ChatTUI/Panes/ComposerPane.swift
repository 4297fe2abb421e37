// ComposerPane.swift — the text being written, wrapped by columns, and where its cursor stands.

enum ComposerPane {
    struct Rows: Sendable, Equatable {
        var rows: [[Glyph]] = [[]]
        var cursorRow = 0
        var cursorColumn = 0
    }

    /// The composer's text as rows of at most `width` columns.
    static func wrap(_ composer: Composer, width: Int) -> Rows {
        var result = Rows()
        var column = 0
        for (index, character) in composer.characters.enumerated() {
            let glyphs = glyphs(of: character, in: composer, width: width)
            let columns = glyphs.reduce(0) { $0 + $1.width }
            if column + columns > width {
                result.rows.append([])
                column = 0
            }
            if index == composer.cursor {
                result.cursorRow = result.rows.count - 1
                result.cursorColumn = column
            }
            if character == "\n" {
                result.rows.append([])
                column = 0
            } else {
                result.rows[result.rows.count - 1] += glyphs
                column += columns
            }
        }
        if composer.cursor == composer.characters.count {
            if column >= width {
                result.rows.append([])
                column = 0
            }
            result.cursorRow = result.rows.count - 1
            result.cursorColumn = column
        }
        return result
    }

    private static func glyphs(of character: Character, in composer: Composer, width: Int) -> [Glyph] {
        if character == "\n" { return [] }
        if let label = composer.folds.label(of: character) { return DisplayText.clipped(label, to: width) }
        return character == "\t" ? Array(repeating: .space, count: 4) : DisplayText.glyphs(String(character))
    }

    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        let left = area.column + 1 + Layout.promptColumns
        let wrapped = wrap(state.composer, width: textWidth(of: area))
        // The row with the cursor is always in sight.
        let top = max(0, min(wrapped.cursorRow - area.rows + 1, wrapped.rows.count - area.rows))
        frame.draw(state.symbols.prompt, row: area.row, column: area.column + 1, role: .prompt)
        for (offset, row) in wrapped.rows.dropFirst(top).prefix(area.rows).enumerated() {
            frame.draw(row, row: area.row + offset, column: left, limit: area.endColumn)
        }
        if top > 0 {
            frame.draw(state.symbols.above, row: area.row, column: area.column, role: .faint)
        }
        if state.focus == .composer {
            frame.cursor = .init(row: area.row + wrapped.cursorRow - top, column: left + wrapped.cursorColumn)
        }
    }

    /// Columns for text: one margin at either side, and the prompt.
    static func textWidth(of area: Rectangle) -> Int { max(2, area.columns - Layout.promptColumns - 2) }
}
