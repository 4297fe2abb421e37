// StatisticsPane.swift — the figures of the round on the screen and of the answer so far.

import Engine

enum StatisticsPane {
    /// Rows that show every figure.
    static let rows = 11

    /// Rows that are wanted of a side column: a high one has room for the timeline too.
    static func rows(in column: Int) -> Int { column >= 45 ? rows + 1 + 14 : rows }

    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        let width = area.columns - 2
        var lines = state.tree.round.map { round($0, width: width, symbols: state.symbols) } ?? []
        lines += answer(state, width: width)
        for (offset, line) in lines.prefix(area.rows).enumerated() {
            frame.draw(line, row: area.row + offset, column: area.column + 1, limit: area.endColumn - 1)
        }
        let timeline = Rectangle(
            row: area.row + rows + 1, column: area.column + 1, rows: area.rows - rows - 1, columns: width)
        if timeline.rows >= TimelinePane.fewestRows { TimelinePane.draw(state, in: timeline, on: &frame) }
    }

    private static func round(_ round: SpeculationRound, width: Int, symbols: Symbols) -> [[Span]] {
        let draft = Figures.milliseconds(round.seconds.draft)
        let verify = Figures.milliseconds(round.seconds.verify)
        let passes = Figures.count(round.draftPasses, "pass", plural: "passes")
        let expected = Figures.fixed(Double(round.budget.expectedTokens), 1)
        var lines: [[Span]] = [
            [label("draft"), Span(draft), Span("  \(passes)", .faint)],
            [label("verify"), Span(verify), Span("  \(Figures.count(round.tree.count, "node"))", .faint)],
            [label("budget"), Span(Figures.count(round.budget.nodes, "node")), Span("  expects \(expected)", .faint)],
        ]
        let reason = WordWrap.lines(round.budget.reason, width: max(1, width - labelColumns)).prefix(2)
        for line in reason { lines.append([label(""), Span(line.map(\.text).joined(), .faint)]) }
        return lines
    }

    private static func answer(_ state: AppState, width: Int) -> [[Span]] {
        let statistics = state.shownStatistics
        guard statistics.rounds > 0 else {
            return WordWrap.lines("the figures of each round appear here", width: max(1, width))
                .map { [Span($0.map(\.text).joined(), .faint)] }
        }
        let symbols = state.symbols
        let perRound = Figures.fixed(statistics.tokensPerRound, 2)
        var lines: [[Span]] = [
            [],
            [label("answer"), Span(perRound, .strong), Span(" tokens a round", .faint)],
            [
                label("drafted"), Span("\(statistics.drafted)"), Span(", of them accepted ", .faint),
                Span("\(statistics.accepted)", .accepted),
                Span(" (\(Figures.percent(statistics.accepted, of: statistics.drafted)))", .faint),
            ],
        ]
        if let sources = sources(statistics) { lines.append(sources) }
        if !statistics.depths.isEmpty { lines.append(byDepth(statistics, symbols: symbols)) }
        let spark = spark(statistics, columns: width - labelColumns, symbols: symbols)
        lines.append([label("rounds"), Span(spark, .spark)])
        lines.append([label("speedup")] + speedup(state.shownSpeeds, symbols: symbols))
        return lines
    }

    /// Accepted tokens by who proposed them; absent where a draft model is the only one.
    private static func sources(_ statistics: AnswerStatistics) -> [Span]? {
        let found = [DraftTree.Source.lookup, .both].compactMap { statistics.sources[$0] }
        guard !found.isEmpty || statistics.rested > 0 else { return nil }
        let (drafted, accepted) = found.reduce((0, 0)) { ($0.0 + $1.drafted, $0.1 + $1.accepted) }
        var line = [label("lookup"), Span("\(accepted)", .accepted), Span(" of \(drafted) accepted", .faint)]
        if statistics.rested > 0 { line.append(Span(", draft off \(statistics.rested)", .notice)) }
        return line
    }

    /// How much faster than plain decoding, and how that is known.
    private static func speedup(_ speeds: ConversationSpeed, symbols: Symbols) -> [Span] {
        guard speeds.speculates else { return [Span("none: speculation is off", .faint)] }
        guard let speedup = speeds.speedup else { return [Span("no plain pass to compare yet", .faint)] }
        let factor = Span("\(Figures.fixed(speedup.factor, 2))\(symbols.times)", .strong)
        switch speedup.baseline {
        case .measured(let passes): return [factor, Span(" (\(passes) plain passes measured)", .faint)]
        case .estimated: return [factor, Span(" (plain pass estimated)", .faint)]
        }
    }

    private static let labelColumns = 9

    private static func label(_ text: String) -> Span {
        Span(text + String(repeating: " ", count: labelColumns - text.count), .title)
    }

    /// How often the target came along to each depth, in percent.
    private static func byDepth(_ statistics: AnswerStatistics, symbols: Symbols) -> [Span] {
        let figures = statistics.depths.prefix(8).map { depth in
            depth.drafted == 0 ? "-" : "\((depth.accepted * 100 + depth.drafted / 2) / depth.drafted)"
        }
        return [label("by depth"), Span(figures.joined(separator: " ")), Span(" %", .faint)]
    }

    /// Tokens of the last rounds as little columns; the highest is the best round shown.
    static func spark(_ statistics: AnswerStatistics, columns: Int, symbols: Symbols) -> String {
        let recent = statistics.recent.suffix(max(0, columns))
        let top = max(1, recent.max() ?? 1)
        return recent.map { symbols.spark[($0 * (symbols.spark.count - 1) + top / 2) / top] }.joined()
    }
}

extension AppState {
    /// The speedup of the conversation; in a replay, of the rounds up to the one shown.
    var shownSpeeds: ConversationSpeed { replay == nil ? tree.speeds : replayedFigures.speeds }

    /// The figures of the answer; in a replay, of the rounds up to the one shown.
    var shownStatistics: AnswerStatistics { replay == nil ? tree.statistics : replayedFigures.statistics }

    private var replayedFigures: ReplayFigures { replayMemo.figures(of: tree.rounds, upTo: tree.number) }
}
