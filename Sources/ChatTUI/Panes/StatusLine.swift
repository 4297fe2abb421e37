// StatusLine.swift — what goes on and how fast, on the bottom border; and the keys of the moment, above the composer.

import Engine

enum StatusLine {
    /// Facts in the order of their weight; those at the end give way on a narrow screen.
    static func facts(_ state: AppState) -> [[Span]] {
        if let replay = state.replay {
            let place = "round \(state.tree.number) of \(state.tree.total)"
            let title = replay.isPlaying ? "playing" : "paused"
            return [[Span(title, .strong)], [Span(place)]] + speedFacts(state)
        }
        var facts = [phase(state)]
        facts += speedFacts(state)
        if let report = state.report {
            facts.append([Span("ctx \(report.contextUsed)/\(report.contextLimit)")])
        }
        if let seconds = state.firstTokenSeconds {
            facts.append([Span("first token \(Figures.fixed(seconds, 2)) s", .faint)])
        }
        let policy = state.options.speculation.policy
        facts.append([Span("speculation \(policy.rawValue)", .faint)])
        return facts
    }

    private static func speedFacts(_ state: AppState) -> [[Span]] {
        let statistics = state.shownStatistics
        guard statistics.rounds > 0 else { return [] }
        return [
            [Span("\(Figures.speed(statistics.tokensPerSecond)) tok/s", .strong)],
            [Span("\(Figures.fixed(statistics.tokensPerRound, 2)) tok/round")],
            [Span("\(Figures.percent(statistics.accepted, of: statistics.drafted)) accepted")],
        ] + (statistics.draftRests ? [[Span("draft off: does not pay", .notice)]] : [])
    }

    private static func phase(_ state: AppState) -> [Span] {
        guard let running = state.running else {
            return [state.isLoaded ? Span("ready", .good) : Span("starting", .faint)]
        }
        if let progress = state.progress, !state.waitsAtFirstRound {
            return bar(progress, symbols: state.symbols)
        }
        switch running.kind {
        case .load: return [Span("loading", .progress)]
        case .attach(let path): return [Span("reading \(PathText.fileName(path))", .progress)]
        case .ask:
            return [Span(state.isStopping ? "stopping" : state.tree.isEngineHeld ? "paused" : "answering", .good)]
        case .clear: return [Span("clearing", .progress)]
        case .restore: return [Span("reading the conversation", .progress)]
        case .rewind: return [Span("going back", .progress)]
        case .setSystem: return [Span("changing the system prompt", .progress)]
        }
    }

    private static func bar(_ progress: Progress, symbols: Symbols) -> [Span] {
        let columns = 10
        let total = max(1, progress.total)
        let full = min(columns, max(0, progress.completed) * columns / total)
        let amount: String
        let name: String
        switch progress.phase {
        case .loading:
            name = "loading"
            amount = "\(Figures.percent(progress.completed, of: total)) of \(Figures.megabytes(progress.total))"
        case .quantizing:
            name = "quantising the model, once"
            amount = Figures.percent(progress.completed, of: total)
        case .encodingImage:
            name = "looking at the picture"
            amount = "\(progress.completed)/\(progress.total)"
        case .prefill:
            name = "reading"
            amount = "\(progress.completed)/\(progress.total) rows"
        }
        return [
            Span("\(name) ", .progress), Span(String(repeating: symbols.barFull, count: full), .progress),
            Span(String(repeating: symbols.barEmpty, count: columns - full), .faint), Span(" \(amount)"),
        ]
    }

    /// Draws as many facts as fit on the bottom border.
    static func draw(_ state: AppState, row: Int, on frame: inout Frame) {
        let limit = frame.size.columns - 2
        var column = 2
        for (index, fact) in facts(state).enumerated() {
            let separator = index == 0 ? " " : " \(state.symbols.dot) "
            let columns = DisplayText.width(separator) + fact.reduce(0) { $0 + DisplayText.width($1.text) } + 1
            guard column + columns <= limit else { break }
            column = frame.draw([Span(separator, .faint)] + fact, row: row, column: column, limit: limit)
            frame.draw(" ", row: row, column: column)
        }
    }

    // MARK: Key hints

    /// What the next key could be, the most useful first; the last leads to the help and stays longest.
    static func keys(_ state: AppState) -> [KeyHint] {
        if let demo = state.demo {
            let isStopped = demo.isPaused || demo.isOver
            return [
                isStopped ? KeyHint("Space", demo.isOver ? "again" : "go on") : KeyHint("any key", "pause"),
                KeyHint("q", "end"),
            ]
        }
        if let replay = state.replay {
            return [
                KeyHint("Space", replay.isPlaying ? "pause" : "play"), KeyHint("n p", "step"), KeyHint("[ ]", "10"),
                KeyHint("+ -", "speed"), KeyHint("arrows Enter", "node"), KeyHint("q", "quit"), KeyHint("?", "help"),
            ]
        }
        if state.search != nil {
            return [KeyHint("Ctrl-R", "older"), KeyHint("Enter", "take it"), KeyHint("Esc", "back")]
        }
        if state.focus == .tree {
            return [
                KeyHint("Space", state.tree.isEngineHeld ? "go on" : "pause"), KeyHint("n p", "step"),
                KeyHint("arrows Enter", "node"), KeyHint("r", "replay"), KeyHint("Tab", "back"), KeyHint("?", "help"),
            ]
        }
        if state.overlay != nil { return [] }
        let help = KeyHint("F1", "help")
        if let editing = state.session.editing {
            return [
                KeyHint("Enter", "ask in place of question \(editing.question + 1)"), KeyHint("Esc", "leave it"), help,
            ]
        }
        let text = state.composer.characters
        if text.first == "/" { return [KeyHint("Enter", "run"), KeyHint("Tab", "complete"), help] }
        if state.isAnswering {
            let next = text.isEmpty ? [] : [KeyHint("Enter", "ask next")]
            return next + [KeyHint("Esc", "stop"), KeyHint("Tab", "tree"), KeyHint("F2", "tree size"), help]
        }
        if !text.isEmpty {
            return [KeyHint("Enter", "send"), KeyHint("Alt-Enter", "new line"), KeyHint("Ctrl-G", "editor"), help]
        }
        let isBegun = state.turns.contains { $0.isAnswer }
        return
            (isBegun
            ? [KeyHint("F3", "commands"), KeyHint("F5", "messages")]
            : (state.seesPictures ? [KeyHint("/image", "add a picture")] : []) + [KeyHint("F3", "commands")]) + [help]
    }

    /// Draws the hint of the moment at the left of the composer's border and the keys at its right.
    static func drawKeys(_ state: AppState, row: Int, on frame: inout Frame) {
        let limit = frame.size.columns - 2
        var left = 2
        if let hint = state.search?.prompt ?? state.hint {
            let text = DisplayText.clipped(" \(hint) ", to: limit - left, mark: state.symbols.ellipsis)
            left = frame.draw(text, row: row, column: left, limit: limit, role: .notice)
        }
        draw(keys(state), row: row, from: left, to: limit, on: &frame)
    }

    /// Draws the keys that fit, right-aligned; those in the middle give way first, the last one last.
    static func draw(_ keys: [KeyHint], row: Int, from left: Int, to limit: Int, on frame: inout Frame) {
        var keys = keys
        while keys.count > 1, width(keys) > limit - left - 1 { keys.remove(at: keys.count - 2) }
        guard width(keys) <= limit - left - 1 else { return }
        var column = limit - width(keys)
        for hint in keys {
            column = frame.draw(
                [Span(" \(hint.key)", .key), Span(" \(hint.meaning) ", .faint)], row: row, column: column)
        }
    }

    private static func width(_ keys: [KeyHint]) -> Int {
        keys.reduce(0) { $0 + DisplayText.width($1.key) + DisplayText.width($1.meaning) + 3 }
    }
}
