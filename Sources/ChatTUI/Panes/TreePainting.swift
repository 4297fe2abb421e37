// TreePainting.swift — a tree that has been laid out, onto a frame: marks, tokens, lanes, the cursor.

extension TreeDrawing {
    /// Draws the tree with its top left in the corner of `area`; `isVerified` shows the verdicts.
    ///
    /// - Parameters:
    ///   - cursor: the node that is looked at.
    ///   - top: the row of the drawing that comes first in the area.
    func draw(
        in area: Rectangle, isVerified: Bool, symbols: Symbols, cursor: Int? = nil, top: Int = 0,
        on frame: inout Frame
    ) {
        var shifted = area
        shifted.row -= top
        shifted.rows += top
        for node in nodes where node.row < shifted.rows {
            let row = shifted.row + node.row
            let column = area.column + columns[node.depth]
            let isHere = node.index == cursor
            var end = column
            if row >= area.row {
                end = draw(
                    node, row: row, column: column, in: area, isVerified: isVerified, isHere: isHere, symbols,
                    on: &frame)
            }
            drawLanes(from: node, end: end, in: shifted, top: area.row, isVerified: isVerified, symbols, on: &frame)
        }
        // In the lanes before the node; before the root, in the margin that the panel leaves.
        guard let node = nodes.first(where: { $0.index == cursor }) else { return }
        let row = shifted.row + node.row
        guard row >= area.row, row < area.endRow else { return }
        frame.draw(symbols.cursor, row: row, column: area.column + columns[node.depth] - 1, role: .cursor)
    }

    /// The row of the node, if it is drawn.
    func row(of index: Int) -> Int? { nodes.first { $0.index == index }?.row }

    private func draw(
        _ node: Node, row: Int, column: Int, in area: Rectangle, isVerified: Bool, isHere: Bool,
        _ symbols: Symbols, on frame: inout Frame
    ) -> Int {
        let limit = area.endColumn
        // Before the verdict the bonus token is not known; its place stays empty so that nothing moves.
        if node.verdict == .bonus, !isVerified { return column }
        let verdict = isVerified || node.verdict == .root ? node.verdict : .drafted
        var at = column
        if verdict != .root {
            let mark = symbols.mark(verdict) + (manner.isAiry ? " " : "")
            at = frame.draw(mark, row: row, column: at, limit: limit, role: verdict.markRole)
        }
        at = frame.draw(node.token, row: row, column: at, limit: limit, role: isHere ? .cursor : verdict.role)
        at = frame.draw(node.source, row: row, column: at, limit: limit, role: .key)
        if manner.showsProbability, let probability = node.probability {
            at = frame.draw(
                " " + Figures.probability(probability), row: row, column: at, limit: limit, role: .faint)
        }
        if node.folded > 0 {
            at = frame.draw(" +\(node.folded)", row: row, column: at, limit: limit, role: .faint)
        }
        if node.hidesBonus, isVerified {
            at = frame.draw(" \(symbols.bonus)", row: row, column: at, limit: limit, role: .bonusMark)
        }
        return at
    }

    private func drawLanes(
        from node: Node, end: Int, in area: Rectangle, top: Int, isVerified: Bool, _ symbols: Symbols,
        on frame: inout Frame
    ) {
        let children = node.children.filter { nodes[$0].row < area.rows && (isVerified || nodes[$0].verdict != .bonus) }
        guard let last = children.map({ nodes[$0].row }).max() else { return }
        let junction = area.column + columns[node.depth + 1] - manner.gap + (manner.gap > 2 ? 1 : 0)
        guard junction + 1 < area.endColumn else { return }
        let childRows = Set(children.map { nodes[$0].row })
        for row in node.row...last where area.row + row >= top {
            var arms: BorderArm = []
            if row > node.row { arms.insert(.up) }
            if row < last { arms.insert(.down) }
            if childRows.contains(row) { arms.insert(.right) }
            if row == node.row { arms.insert(.left) }
            let line = area.row + row
            frame.draw(symbols.border(arms), row: line, column: junction, role: .lane)
            if childRows.contains(row), manner.gap > 3 {
                frame.draw(symbols.border([.left, .right]), row: line, column: junction + 1, role: .lane)
            }
        }
        guard area.row + node.row >= top else { return }
        let start = manner.gap > 2 ? end + 1 : end
        for column in start..<max(start, junction) {
            frame.draw(symbols.border([.left, .right]), row: area.row + node.row, column: column, role: .lane)
        }
    }
}

extension NodeVerdict {
    /// Marks are not underlined, so that they stay readable.
    fileprivate var markRole: Role { self == .bonus ? .bonusMark : role }
}
