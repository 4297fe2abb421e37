// OverlayPane.swift — the overlay's box: its filter, its rows, where it stands, its keys. Drawn last, over the panes.

enum OverlayPane {
    private static let widest = 100

    /// The cells that the overlay takes on a screen of `size`.
    static func box(of overlay: Overlay, size: Size) -> Rectangle {
        let rows = min(size.rows, wantedRows(overlay, size: size))
        let columns = boxColumns(overlay, size: size)
        return Rectangle(
            row: (size.rows - rows) / 2, column: (size.columns - columns) / 2, rows: rows, columns: columns)
    }

    /// By all rows, not those that the filter leaves: a box that shrank while someone types would jump.
    private static func wantedRows(_ overlay: Overlay, size: Size) -> Int {
        let lines = overlay.isList ? overlay.rows.count : lineCount(of: overlay, size: size)
        let room = overlay.isList ? min(size.rows - 2, max(10, size.rows * 3 / 4)) : size.rows
        return min(room, max(1, lines) + frameRows(overlay))
    }

    private static func boxColumns(_ overlay: Overlay, size: Size) -> Int {
        if overlay.isFilteredElsewhere { return min(size.columns, widest) }
        let widestRow = overlay.rows.reduce(0) { max($0, DisplayText.width($1.text)) }
        return min(size.columns, widest, max(36, widestRow + 6))
    }

    /// The borders, and the filter's line with the border below it.
    private static func frameRows(_ overlay: Overlay) -> Int { overlay.filter == nil ? 2 : 4 }

    /// Rows of the list or text that can be seen at once.
    static func visibleRows(of overlay: Overlay, size: Size) -> Int {
        max(1, min(size.rows, wantedRows(overlay, size: size)) - frameRows(overlay))
    }

    private static func textColumns(_ overlay: Overlay, size: Size) -> Int {
        max(1, boxColumns(overlay, size: size) - 6)
    }

    static func lineCount(of overlay: Overlay, size: Size) -> Int {
        guard !overlay.isList else { return overlay.shown.count }
        let width = textColumns(overlay, size: size)
        return overlay.shown.reduce(0) { $0 + Self.lines(of: $1, width: width).count }
    }

    /// The lines of a row of a text, those after the first set in; narrow ones have no room for that.
    static func lines(of row: Overlay.Row, width: Int) -> [GlyphLine] {
        let margin = String(repeating: " ", count: row.indent * 2 <= width ? row.indent : 0)
        var breaker = LineBreaker(width: width, next: margin.isEmpty ? [] : GlyphLine(text: margin))
        for span in row.spans { breaker.add(span.text, span.role) }
        return breaker.finished()
    }

    static func draw(_ state: AppState, on frame: inout Frame) {
        guard let overlay = state.overlay else { return }
        let size = frame.size
        let box = box(of: overlay, size: size)
        frame.fill(box)
        var lines = BorderLine.box(box)
        if overlay.filter != nil {
            lines.append(.across(row: box.row + 2, from: box.column, to: box.endColumn - 1))
        }
        frame.draw(lines, in: state.symbols, role: .title)
        frame.draw(
            DisplayText.clipped(" \(overlay.title) ", to: box.columns - 4, mark: state.symbols.ellipsis), row: box.row,
            column: box.column + 2, role: .focusedTitle)
        frame.cursor = nil
        drawFilter(overlay, in: box, symbols: state.symbols, on: &frame)
        let rows = Rectangle(
            row: box.row + frameRows(overlay) - 1, column: box.column + 1,
            rows: visibleRows(of: overlay, size: size), columns: box.columns - 2)
        if overlay.isList {
            drawList(overlay, in: rows, symbols: state.symbols, on: &frame)
        } else {
            drawText(overlay, in: rows, size: size, on: &frame)
        }
        drawFooter(overlay, box: box, size: size, symbols: state.symbols, on: &frame)
    }

    private static func drawFilter(
        _ overlay: Overlay, in box: Rectangle, symbols: Symbols, on frame: inout Frame
    ) {
        guard let filter = overlay.filter else { return }
        let row = box.row + 1
        let left = frame.draw(symbols.prompt, row: row, column: box.column + 2, role: .prompt)
        let room = box.endColumn - 2 - left
        let before = DisplayText.width(String(filter.characters[..<filter.cursor]))
        // The end of a long filter is what is being typed.
        let skipped = max(0, before - room + 1)
        var column = 0
        for glyph in DisplayText.glyphs(filter.text) {
            if column >= skipped, column - skipped + glyph.width <= room {
                frame.draw([glyph], row: row, column: left + column - skipped)
            }
            column += glyph.width
        }
        frame.cursor = .init(row: row, column: left + before - skipped)
    }

    private static func drawList(
        _ overlay: Overlay, in area: Rectangle, symbols: Symbols, on frame: inout Frame
    ) {
        guard !overlay.shown.isEmpty else {
            frame.draw("nothing fits", row: area.row, column: area.column + 2, limit: area.endColumn, role: .faint)
            return
        }
        let top = firstRow(overlay, rows: area.rows)
        for (offset, index) in overlay.shown.indices.dropFirst(top).prefix(area.rows).enumerated() {
            let row = area.row + offset
            if index == overlay.cursor {
                frame.draw(symbols.pointer, row: row, column: area.column, role: .prompt)
            }
            draw(overlay.shown[index].spans, row: row, in: area, symbols: symbols, on: &frame)
        }
    }

    /// The row at the top, so that the cursor's is in sight.
    private static func firstRow(_ overlay: Overlay, rows: Int) -> Int {
        let cursor = overlay.cursor ?? 0
        return min(max(0, cursor - rows / 2), max(0, overlay.shown.count - rows))
    }

    /// One row, with a mark where the box cuts it.
    private static func draw(
        _ spans: [Span], row: Int, in area: Rectangle, symbols: Symbols, on frame: inout Frame
    ) {
        var column = area.column + 2
        let limit = area.endColumn - 1
        for span in spans {
            let glyphs = DisplayText.clipped(span.text, to: limit - column, mark: symbols.ellipsis)
            column = frame.draw(glyphs, row: row, column: column, limit: limit, role: span.role)
            if column >= limit { return }
        }
    }

    private static func drawText(_ overlay: Overlay, in area: Rectangle, size: Size, on frame: inout Frame) {
        let width = textColumns(overlay, size: size)
        let lines = overlay.shown.flatMap { Self.lines(of: $0, width: width) }
        // The screen may have shrunk or grown since the text was scrolled.
        let top = min(overlay.top, max(0, lines.count - area.rows))
        for (offset, line) in lines.dropFirst(top).prefix(area.rows).enumerated() {
            var column = area.column + 2
            for run in line {
                column = frame.draw(run.glyphs, row: area.row + offset, column: column, role: run.role)
            }
        }
    }

    /// Keys at the right of the lower border, and how much there is at its left.
    private static func drawFooter(
        _ overlay: Overlay, box: Rectangle, size: Size, symbols: Symbols, on frame: inout Frame
    ) {
        let row = box.endRow - 1
        let visible = visibleRows(of: overlay, size: size)
        let count = lineCount(of: overlay, size: size)
        var place = ""
        if overlay.isList, let cursor = overlay.cursor {
            place = " \(cursor + 1)/\(overlay.shown.count) "
        } else if !overlay.isList, count > visible {
            let last = min(count, min(overlay.top, count - visible) + visible)
            place = " \(last * 100 / max(1, count))% "
        }
        var keys = overlay.keys
        if overlay.isList { keys.insert(KeyHint("Enter", "choose"), at: 0) }
        if !overlay.isList, count > visible {
            keys.insert(KeyHint("\(symbols.above)\(symbols.below)", "scroll"), at: 0)
        }
        keys.append(KeyHint("Esc", "close"))
        let left = frame.draw(place, row: row, column: box.column + 2, limit: box.endColumn - 2, role: .faint)
        StatusLine.draw(keys, row: row, from: left, to: box.endColumn - 2, on: &frame)
    }
}
