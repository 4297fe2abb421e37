// TimelinePane.swift — the rounds as a strip through which the reader goes, and those around the shown one in words.

import Engine

enum TimelinePane {
    /// Rows that are worth it: the strip's title and three rows, and a few rounds in words.
    static let fewestRows = 7

    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        guard area.rows >= 4, let shown = state.tree.shown else { return }
        let rounds = state.tree.rounds
        let width = area.columns
        // The shown round stays in the middle; at either end the strip stands and the mark moves.
        let first = max(0, min(shown - width / 2, rounds.count - width))
        let window = first..<min(rounds.count, first + width)
        let top = max(1, window.map { rounds[$0].tokens.count }.max() ?? 1)
        frame.draw(
            [
                Span("timeline", .title),
                Span(
                    "  rounds \(state.tree.forgotten + first + 1) to "
                        + "\(state.tree.forgotten + window.upperBound), tokens of each", .faint),
            ],
            row: area.row, column: area.column, limit: area.endColumn)
        for (offset, index) in window.enumerated() {
            let column = area.column + offset
            let round = rounds[index]
            let height = (round.tokens.count * (state.symbols.spark.count - 1) + top / 2) / top
            frame.draw(state.symbols.spark[height], row: area.row + 1, column: column, role: .spark)
            let outcome = outcome(of: round)
            frame.draw(state.symbols.mark(outcome), row: area.row + 2, column: column, role: outcome.role)
            if index == shown {
                frame.draw(state.symbols.isUTF8 ? "▲" : "^", row: area.row + 3, column: column, role: .strong)
            }
        }
        drawAround(shown, state, in: area, on: &frame)
    }

    /// What a whole round came to: all of a path, some of it or none, or nothing drafted.
    private static func outcome(of round: SpeculationRound) -> NodeVerdict {
        guard round.drafted > 0 else { return .unreached }
        return round.tree.children(of: round.turningPoint).isEmpty ? .accepted : .rejected
    }

    private static func drawAround(_ shown: Int, _ state: AppState, in area: Rectangle, on frame: inout Frame) {
        let rows = area.rows - 4
        guard rows > 0 else { return }
        let rounds = state.tree.rounds
        let first = max(0, min(shown - rows / 2, rounds.count - rows))
        for (offset, index) in (first..<min(rounds.count, first + rows)).enumerated() {
            let number = "\(state.tree.forgotten + index + 1)"
            let pointer = index == shown ? state.symbols.cursor : " "
            let gap = String(repeating: " ", count: max(1, 5 - number.count))
            // The round on the screen must not say here what it does not yet say there.
            let phase = index == shown ? state.phase : .committed
            frame.draw(
                [Span(pointer, .strong), Span(gap + number + "  ", .faint)]
                    + DraftTreePane.mini(rounds[index], phase: phase, symbols: state.treeSymbols),
                row: area.row + 4 + offset, column: area.column, limit: area.endColumn)
        }
    }
}
