// DraftTreePane.swift — the round on the screen as a tree, a single line, or an explanation before the first.

import Engine

enum DraftTreePane {
    /// What the panel's border says, as much of it as fits: the round, its place and its verdict so far.
    static func title(_ state: AppState, width: Int) -> [Span] {
        let name = Span(" draft tree ", state.focus == .tree ? .focusedTitle : .title)
        guard let round = state.tree.round else { return [name] }
        let facts =
            [[Span("round \(state.tree.number)/\(state.tree.total)")], [Span(mode(state), .faint)]]
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

    /// live, every n-th, held or replayed: always written, because a still picture looks like a stopped engine.
    private static func mode(_ state: AppState) -> String {
        if let replay = state.replay {
            let speed = "\(Figures.fixed(replay.speed, replay.speed < 1 ? 2 : 0))\(state.symbols.times)"
            return replay.isPlaying ? "replay \(speed)" : "replay paused"
        }
        guard state.tree.isFollowing else { return "held" }
        if state.tree.skipped > 0, state.tree.behind > 0 { return "every \(ordinal(state.tree.skipped + 1))" }
        if state.isAnswering, state.tree.statistics.rounds > 0, state.tree.behind <= fewRounds { return "live" }
        return state.tree.behind > 0 ? "catching up" : "last"
    }

    private static func ordinal(_ number: Int) -> String { number == 2 ? "2nd" : number == 3 ? "3rd" : "\(number)th" }

    /// The meaning of the marks.
    private static func legend(_ symbols: Symbols) -> [Span] {
        [
            Span(symbols.accepted, .accepted), Span(" accepted  ", .faint), Span(symbols.bonus, .bonusMark),
            Span(" target's own  ", .faint), Span(symbols.rejected, .rejected), Span(" rejected  ", .faint),
            Span(symbols.unreached, .unreached), Span(" not reached", .faint),
        ]
    }

    /// How the panel's rows are divided. It depends on the panel alone, so that nothing moves from round to round.
    private struct Rows {
        let tree: Int
        let legend: Bool
        let earlier: Int

        init(_ rows: Int) {
            legend = rows >= 5
            let rest = legend ? rows - 1 : rows
            tree = rest < 10 ? rest : max(8, rest * 6 / 10)
            earlier = rest - tree
        }
    }

    static func draw(_ state: AppState, in area: Rectangle, isMini: Bool, on frame: inout Frame) {
        guard let round = state.tree.round else {
            explain(state, in: area, isMini: isMini, on: &frame)
            return
        }
        let inside = Rectangle(row: area.row, column: area.column + 1, rows: area.rows, columns: area.columns - 2)
        if isMini {
            frame.draw(
                mini(round, phase: state.phase, symbols: state.symbols), row: inside.row, column: inside.column,
                limit: inside.endColumn)
            return
        }
        let rows = Rows(inside.rows)
        drawTree(of: round, state, in: inside, rows: rows.tree, on: &frame)
        if rows.earlier > 1 {
            let row = inside.row + rows.tree
            let area = Rectangle(row: row, column: inside.column, rows: rows.earlier, columns: inside.columns)
            drawEarlier(state, in: area, on: &frame)
        }
        guard rows.legend else { return }
        let row = inside.endRow - 1
        let end = frame.draw(
            legend(state.symbols), row: row, column: inside.column, limit: inside.endColumn)
        let draft = Figures.milliseconds(round.seconds.draft)
        let verify = Figures.milliseconds(round.seconds.verify)
        let times = "draft \(draft), verify \(verify)"
        let column = inside.endColumn - DisplayText.width(times)
        if column > end + 2 { frame.draw(times, row: row, column: column, role: .faint) }
    }

    private static func drawTree(
        of round: SpeculationRound, _ state: AppState, in area: Rectangle, rows: Int, on frame: inout Frame
    ) {
        let area = Rectangle(row: area.row, column: area.column, rows: rows, columns: area.columns)
        let drawing = TreeDrawing.fitting(round, rows: rows, width: area.columns, symbols: state.symbols)
        drawing.draw(in: area, isVerified: state.phase != .drafted, symbols: state.symbols, on: &frame)
        if round.tree.count == 1, rows > 1 {
            frame.draw(
                DisplayText.clipped(round.budget.reason, to: area.columns), row: area.row + 1, column: area.column,
                limit: area.endColumn, role: .faint)
        }
    }

    /// The rounds before the one on the screen, the nearest first, one line each.
    private static func drawEarlier(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        guard let shown = state.tree.shown else { return }
        let numbers = state.tree.number
        for offset in 1..<area.rows where shown - offset >= 0 {
            let number = "\(numbers - offset)"
            let gap = String(repeating: " ", count: max(1, 5 - number.count))
            let line = mini(state.tree.rounds[shown - offset], phase: .committed, symbols: state.symbols)
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
