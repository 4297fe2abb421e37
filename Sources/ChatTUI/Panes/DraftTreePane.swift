// DraftTreePane.swift — the round on the screen as a tree, a single line, or an explanation before the first.

import Engine

enum DraftTreePane {
    /// What the panel's border says, as much of it as fits: the round, its place and its verdict so far.
    static func title(_ state: AppState, width: Int) -> [Span] {
        let name = Span(" draft tree ", state.focus == .tree ? .focusedTitle : .title)
        guard let round = state.tree.round else { return [name] }
        let facts =
            [[Span("round \(state.tree.number)/\(state.tree.total)")], [mode(state)]]
            + verdict(on: round, phase: state.phase)
        var spans = [name]
        var left = width - DisplayText.width(name.text)
        for fact in facts {
            let columns = fact.reduce(3) { $0 + DisplayText.width($1.text) }
            guard columns <= left else { break }
            left -= columns
            spans += [Span("\(state.symbols.dot) ", .faint)] + fact + [Span(" ")]
        }
        return spans
    }

    /// The panel may trail a running answer by so much and is still live.
    private static let fewRounds = 5

    private static func verdict(on round: SpeculationRound, phase: RoundPhase) -> [[Span]] {
        var facts: [[Span]] = []
        if round.drafted == 0 {
            facts.append([Span("nothing drafted", .faint)])
        } else if phase == .drafted {
            facts.append([Span("\(round.drafted) drafted")])
        } else {
            facts.append([Span("\(round.accepted.count) of \(round.drafted) accepted", .accepted)])
        }
        let tokens = Figures.count(round.tokens.count, "token")
        switch phase {
        case .drafted: break
        case .verified: facts.append([Span("\(tokens) agreed")])
        case .committed: facts.append([Span("+\(tokens)")])
        }
        return facts
    }

    /// live, every n-th, paused, held or replayed: always written, because a still picture looks like a stopped engine.
    private static func mode(_ state: AppState) -> Span {
        if let player = state.replay ?? state.tree.playback?.player {
            let speed = "\(Figures.fixed(player.speed, player.speed < 1 ? 2 : 0))\(state.symbols.times)"
            return player.isPlaying ? Span("replay \(speed)", .faint) : Span("replay paused", .strong)
        }
        if state.tree.isEngineHeld { return Span("paused", .strong) }
        guard state.tree.isFollowing else { return Span(state.isAnswering ? "live, held here" : "held", .faint) }
        if state.tree.skipped > 0, state.tree.behind > 0 {
            return Span("every \(ordinal(state.tree.skipped + 1)) step", .faint)
        }
        if state.isAnswering, state.tree.statistics.rounds > 0, state.tree.behind <= fewRounds {
            return Span("live", .faint)
        }
        return Span(state.tree.behind > 0 ? "catching up" : "last", .faint)
    }

    private static func ordinal(_ number: Int) -> String { number == 2 ? "2nd" : number == 3 ? "3rd" : "\(number)th" }

    /// The meaning of the marks.
    private static func legend(_ round: SpeculationRound, _ symbols: Symbols) -> [Span] {
        let lookups = [
            Span("  \(symbols.lookedUp)", .key), Span(" looked up  ", .faint), Span(symbols.proposedByBoth, .key),
            Span(" by both", .faint),
        ]
        return [
            Span(symbols.accepted, .accepted), Span(" accepted  ", .faint), Span(symbols.bonus, .bonusMark),
            Span(" target's own  ", .faint), Span(symbols.rejected, .rejected), Span(" rejected  ", .faint),
            Span(symbols.unreached, .unreached), Span(" not reached", .faint),
        ] + (round.hasLookups ? lookups : [])
    }

    /// How the panel's rows are divided. It depends on the panel alone, so that nothing moves from round to round.
    private struct Rows {
        let tree: Int
        let legend: Bool
        /// Rows below the tree for the node that is looked at, in a panel that is a column of its own.
        let details: Int
        let earlier: Int

        init(_ rows: Int) {
            legend = rows >= 5
            let rest = legend ? rows - 1 : rows
            details = rest >= 34 ? NodeDetails.rows + 1 : 0
            tree = details > 0 ? rest - details : rest < 10 ? rest : max(8, rest * 6 / 10)
            earlier = rest - details - tree
        }
    }

    /// A panel of so many rows draws every node and scrolls; a lower one folds.
    private static let mostWholeNodes = 60

    static func draw(_ state: AppState, in area: Rectangle, isMini: Bool, on frame: inout Frame) {
        guard let round = state.tree.round else {
            explain(state, in: area, isMini: isMini, on: &frame)
            return
        }
        let inside = Rectangle(row: area.row, column: area.column + 1, rows: area.rows, columns: area.columns - 2)
        if isMini {
            frame.draw(
                mini(round, phase: state.phase, symbols: state.treeSymbols), row: inside.row, column: inside.column,
                limit: inside.endColumn)
            return
        }
        let rows = Rows(inside.rows)
        var upper = inside
        upper.rows = rows.tree
        if state.tree.showsDetails, rows.details == 0, let node = state.tree.cursor {
            upper.rows += rows.earlier
            NodeDetails.draw(round, node: node, in: upper, symbols: state.treeSymbols, on: &frame)
        } else {
            drawTree(of: round, state, in: upper, isColumn: rows.details > 0, on: &frame)
            if rows.earlier > 1 {
                let earlier = Rectangle(
                    row: upper.endRow, column: inside.column, rows: rows.earlier, columns: inside.columns)
                drawEarlier(state, in: earlier, on: &frame)
            }
        }
        if rows.details > 0 {
            let lower = Rectangle(
                row: upper.endRow, column: inside.column, rows: rows.details, columns: inside.columns)
            drawDetails(of: round, state, in: lower, on: &frame)
        }
        if rows.legend { drawLegend(round, state, row: inside.endRow - 1, in: inside, on: &frame) }
    }

    /// The node that is looked at, below a rule; without a cursor, the one where the target went its own way.
    private static func drawDetails(
        of round: SpeculationRound, _ state: AppState, in area: Rectangle, on frame: inout Frame
    ) {
        frame.draw(.across(row: area.row, from: area.column, to: area.endColumn - 1), in: state.symbols)
        // Before the verdict its bars would give it away.
        guard state.phase != .drafted || state.tree.cursor != nil else { return }
        let below = Rectangle(row: area.row + 1, column: area.column, rows: area.rows - 1, columns: area.columns)
        let node = state.tree.cursor ?? round.turningPoint
        NodeDetails.draw(round, node: node, in: below, symbols: state.treeSymbols, on: &frame)
    }

    private static func drawLegend(
        _ round: SpeculationRound, _ state: AppState, row: Int, in area: Rectangle, on frame: inout Frame
    ) {
        let end = frame.draw(legend(round, state.symbols), row: row, column: area.column, limit: area.endColumn)
        let draft = Figures.milliseconds(round.seconds.draft)
        let verify = Figures.milliseconds(round.seconds.verify)
        let times = "draft \(draft), verify \(verify)"
        let column = area.endColumn - DisplayText.width(times)
        if column > end + 2 { frame.draw(times, row: row, column: column, role: .faint) }
    }

    private static func drawTree(
        of round: SpeculationRound, _ state: AppState, in area: Rectangle, isColumn: Bool, on frame: inout Frame
    ) {
        let symbols = state.treeSymbols
        let isVerified = state.phase != .drafted
        let cursor = state.tree.cursor
        let scrolls = isColumn && round.tree.count <= mostWholeNodes
        let key = TreeMemo.Key(
            round: round, rows: area.rows, width: area.columns, symbols: symbols, cursor: cursor, scrolls: scrolls)
        let drawing = state.treeMemo.drawing(key) {
            let whole = scrolls ? TreeDrawing.whole(round, width: area.columns, symbols: symbols) : nil
            return whole
                ?? .fitting(round, rows: area.rows, width: area.columns, symbols: symbols, cursor: cursor)
        }
        // One that was made to fit is never higher than its area.
        drawScrolling(drawing, in: area, isVerified: isVerified, symbols: symbols, cursor: cursor, on: &frame)
        if round.tree.count == 1, area.rows > 1 {
            frame.draw(
                DisplayText.clipped(round.budget.reason, to: area.columns), row: area.row + 1, column: area.column,
                limit: area.endColumn, role: .faint)
        }
    }

    /// A drawing that may be higher than its area: moved so that the cursor is in sight, with what is outside counted.
    private static func drawScrolling(
        _ drawing: TreeDrawing, in area: Rectangle, isVerified: Bool, symbols: Symbols, cursor: Int?,
        on frame: inout Frame
    ) {
        guard drawing.rows > area.rows else {
            drawing.draw(in: area, isVerified: isVerified, symbols: symbols, cursor: cursor, on: &frame)
            return
        }
        var inside = area
        inside.rows -= 1
        let row = cursor.flatMap(drawing.row) ?? 0
        let top = max(0, min(row - inside.rows / 2, drawing.rows - inside.rows))
        drawing.draw(in: inside, isVerified: isVerified, symbols: symbols, cursor: cursor, top: top, on: &frame)
        let below = drawing.rows - inside.rows - top
        var note = [Span("rows of this tree out of sight: ", .faint)]
        if top > 0 { note.append(Span("\(symbols.above) \(top)  ", .key)) }
        if below > 0 { note.append(Span("\(symbols.below) \(below)", .key)) }
        frame.draw(note, row: area.endRow - 1, column: area.column, limit: area.endColumn)
    }

    /// The rounds before the one on the screen, the nearest first, one line each.
    private static func drawEarlier(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        guard let shown = state.tree.shown else { return }
        let numbers = state.tree.number
        for offset in 1..<area.rows where shown - offset >= 0 {
            let number = "\(numbers - offset)"
            let gap = String(repeating: " ", count: max(1, 5 - number.count))
            let line = mini(state.tree.rounds[shown - offset], phase: .committed, symbols: state.treeSymbols)
            frame.draw(
                [Span(gap + number + "  ", .faint)] + line, row: area.row + offset, column: area.column,
                limit: area.endColumn)
        }
    }

    /// The accepted path and the bonus token on one line.
    static func mini(_ round: SpeculationRound, phase: RoundPhase, symbols: Symbols) -> [Span] {
        guard phase != .drafted else {
            return [Span("\(symbols.drafted) \(Figures.count(round.drafted, "node")) drafted", .drafted)]
        }
        var spans: [Span] = []
        for index in round.accepted {
            let label = TokenLabel.text(of: round.piece(of: index), in: symbols)
            spans += [Span("\(label)\(symbols.accepted)", .accepted), Span(" ")]
        }
        let label = TokenLabel.text(of: round.bonusPiece, in: symbols)
        spans += [Span(label, .bonus), Span(symbols.bonus, .bonusMark)]
        return spans + [Span("  \(round.accepted.count)/\(round.drafted)", .faint)]
    }

    private static func explain(_ state: AppState, in area: Rectangle, isMini: Bool, on frame: inout Frame) {
        let text =
            isMini
            ? "the draft tree appears here"
            : """
            While an answer is written, a small draft model proposes a tree of next tokens here. The large model \
            checks the whole tree in one pass, keeps one path and adds a token of its own. The text is the same \
            as without the draft, only sooner.
            """
        for (offset, line) in WordWrap.lines(text, width: max(1, area.columns - 2)).prefix(area.rows).enumerated() {
            frame.draw(line, row: area.row + offset, column: area.column + 1, limit: area.endColumn, role: .faint)
        }
    }
}

extension AppState {
    /// The prompt has been read, and the held engine has not made a round of the answer yet.
    var waitsAtFirstRound: Bool {
        guard isAnswering, tree.isEngineHeld, let progress else { return false }
        return progress.phase == .prefill && progress.completed == progress.total
    }

    /// The signs of the tree: as elsewhere, with or without the marks of spaces.
    var treeSymbols: Symbols {
        var symbols = symbols
        symbols.marksSpaces = tree.marksWhitespace
        return symbols
    }
}
