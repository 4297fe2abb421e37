// Render.swift — state into frame: nothing is drawn on the screen that does not pass here.

import Engine

/// The frame that shows `state` on a screen of `size`.
func render(_ state: AppState, size: Size) -> Frame {
    var frame = Frame(size: size)
    guard Layout.fits(size) else {
        drawTooSmall(on: &frame)
        return frame
    }
    var state = state
    state.size = size
    let layout = state.layout
    frame.draw(layout.borders, in: state.symbols)
    drawTitles(state, layout, on: &frame)
    TranscriptPane.draw(state, in: layout.transcript, on: &frame)
    if let area = layout.statistics { StatisticsPane.draw(state, in: area, on: &frame) }
    if let area = layout.tree { DraftTreePane.draw(state, in: area, isMini: layout.isTreeMini, on: &frame) }
    if let area = layout.photo, !state.overlayCovers(area) { PhotoPane.draw(state, in: area, on: &frame) }
    if state.replay == nil {
        ComposerPane.draw(state, in: layout.composer, on: &frame)
    } else {
        drawReplayLine(state, in: layout.composer, on: &frame)
    }
    StatusLine.drawKeys(state, row: layout.composer.row - 1, on: &frame)
    StatusLine.draw(state, row: size.rows - 1, on: &frame)
    OverlayPane.draw(state, on: &frame)
    return frame
}

extension AppState {
    /// The panes at the present size, which must fit.
    var layout: Layout {
        let width = ComposerPane.textWidth(of: Rectangle(row: 0, column: 1, rows: 1, columns: size.columns - 2))
        return Layout(
            size,
            Layout.Wishes(
                treeSize: tree.size, hasPhoto: photo != nil && pictureStyle != .none,
                composerRows: replay == nil ? ComposerPane.wrap(composer, width: width).rows.count : 1))
    }
}

extension AppState {
    /// Whether a picture there must make way: text laid over pixels would tear them, or lie below them. Once the overlay is gone its ground
    /// is drawn again, and the picture sent again.
    func overlayCovers(_ area: Rectangle) -> Bool {
        guard let overlay, case .pixels = pictureStyle else { return false }
        return OverlayPane.box(of: overlay, size: size).intersects(area)
    }
}

private func drawTooSmall(on frame: inout Frame) {
    let text = "Too small: specchat needs \(Layout.smallest.columns)x\(Layout.smallest.rows)."
    let lines = WordWrap.lines(text, width: max(1, frame.size.columns))
    for (row, line) in lines.prefix(frame.size.rows).enumerated() { frame.draw(line, row: row, column: 0) }
}

private func drawTitles(_ state: AppState, _ layout: Layout, on frame: inout Frame) {
    let dot = state.symbols.dot
    var title = [Span(" specchat ", .strong)]
    if !state.modelName.isEmpty { title.append(Span("\(dot) \(state.modelName) ", .title)) }
    if let draft = state.draftName { title.append(Span("\(dot) draft \(draft) ", .faint)) }
    frame.draw(title, row: 0, column: 2, limit: layout.transcript.endColumn)

    if let area = layout.photo, let title = state.photoTitle {
        let name = DisplayText.clipped(title, to: max(1, area.columns - 4), mark: state.symbols.ellipsis)
        frame.draw([.space] + name + [.space], row: area.row - 1, column: area.column + 1, role: .title)
    }
    if let area = layout.statistics {
        frame.draw(" figures ", row: area.row - 1, column: area.column + 1, role: .title)
    }
    if let area = layout.tree {
        let title = DraftTreePane.title(state, width: area.columns - 2)
        frame.draw(title, row: area.row - 1, column: area.column + 1, limit: area.endColumn - 1)
    }
}

private func drawReplayLine(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
    let total = max(1, state.tree.total)
    let columns = area.columns - 2
    let done = state.tree.number * columns / total
    let bar = String(repeating: state.symbols.barFull, count: done)
    let rest = String(repeating: state.symbols.barEmpty, count: columns - done)
    frame.draw([Span(bar, .progress), Span(rest, .faint)], row: area.row, column: area.column + 1)
}
