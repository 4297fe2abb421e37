// StatisticsOverlay.swift — /stats: the last answer, the conversation, and speculation against plain decoding.

import ConversationStore
import Engine

extension AppState {
    mutating func showStatistics() -> [Effect] {
        guard !session.asked.isEmpty else {
            hint = "no figures yet: ask something"
            return []
        }
        overlay = Overlay(kind: .statistics, title: "statistics", rows: StatisticsOverlay.rows(self))
        return []
    }
}

enum StatisticsOverlay {
    private static let labelColumns = 15

    static func rows(_ state: AppState) -> [Overlay.Row] {
        let asked = state.session.asked
        guard let last = asked.last else { return [] }
        return heading("Last answer", isFirst: true) + answer(last, state) + heading("This conversation")
            + conversation(asked, state) + heading("Speculation against plain decoding")
            + comparison(asked + state.session.replaced, state)
    }

    private static func heading(_ text: String, isFirst: Bool = false) -> [Overlay.Row] {
        (isFirst ? [] : [Overlay.Row([])]) + [Overlay.Row([Span(text, .title)])]
    }

    private static func row(_ label: String, _ value: String, _ rest: String = "") -> Overlay.Row {
        Overlay.Row(
            [
                Span(label.padded(to: labelColumns), .key), Span(value, .strong),
                Span(rest.isEmpty ? "" : "  \(rest)", .faint),
            ], indent: labelColumns)
    }

    // MARK: The last answer

    private static func answer(_ asked: AskedQuestion, _ state: AppState) -> [Overlay.Row] {
        let figures = asked.statistics
        let sampler = asked.options.sampler
        let seconds = figures.seconds
        var rows =
            [
                row(
                    "tokens", "\(figures.tokens)",
                    "in \(Figures.count(figures.rounds, "round")); \(asked.state.meaning)"),
                row(
                    "speed", "\(Figures.speed(figures.tokensPerSecond)) tok/s",
                    "\(Figures.fixed(figures.acceptanceLength, 2)) tokens a round"),
                row(
                    "drafted", "\(figures.drafted)",
                    "accepted \(figures.accepted) (\(Figures.percent(figures.accepted, of: figures.drafted)))"),
                row("time", "\(Figures.fixed(seconds.decode, 2)) s", times(seconds)),
                row("seed", "\(sampler.seed)", "temperature \(sampler.temperature)\(filters(sampler))"),
                row("speculation", asked.options.speculation.policy.rawValue, machine(figures)),
            ] + drafters(state.tree.statistics)
        if let first = state.firstTokenSeconds {
            rows.insert(row("first token", "\(Figures.fixed(first, 2)) s"), at: 4)
        }
        return rows
    }

    /// Who drafted, and how often the draft model was switched off.
    private static func drafters(_ figures: AnswerStatistics) -> [Overlay.Row] {
        var rows = DraftTree.Source.allCases.compactMap { source in
            figures.sources[source].map {
                row("by", source.title, "accepted \($0.accepted) of \($0.drafted)")
            }
        }
        if rows.count == 1, figures.sources[.model] != nil { rows = [] }
        if figures.rested > 0 {
            rows.append(
                row("draft off", Figures.count(figures.rested, "round"), "it did not pay; it is tried again"))
        }
        return rows
    }

    private static func times(_ seconds: GenerationReport.Seconds) -> String {
        var parts = ["decoding"]
        if seconds.prefill > 0 { parts.append("reading \(Figures.fixed(seconds.prefill, 2)) s") }
        if seconds.vision > 0 { parts.append("looking at pictures \(Figures.fixed(seconds.vision, 2)) s") }
        return parts.joined(separator: ", ")
    }

    /// What narrows the choice of tokens, as far as it does.
    private static func filters(_ sampler: SamplerOptions) -> String {
        var parts: [String] = []
        if sampler.topK > 0 { parts.append("top-k \(sampler.topK)") }
        if sampler.topP < 1 { parts.append("top-p \(sampler.topP)") }
        if sampler.minP > 0 { parts.append("min-p \(sampler.minP)") }
        if sampler.repetitionPenalty != 1 { parts.append("repetition penalty \(sampler.repetitionPenalty)") }
        return parts.map { ", \($0)" }.joined()
    }

    private static func machine(_ figures: TurnStatistics) -> String {
        figures.backend.isEmpty ? "" : "\(figures.backend), \(Figures.count(figures.threads, "thread"))"
    }

    // MARK: The conversation

    private static func conversation(_ asked: [AskedQuestion], _ state: AppState) -> [Overlay.Row] {
        let sum = sum(asked)
        let context = asked.last.map(\.statistics)
        var rows = [
            row(
                "questions", "\(asked.count)", Figures.count(state.session.pictures.count, "picture")),
            row(
                "tokens", "\(sum.tokens)",
                "in \(Figures.count(sum.rounds, "round")), \(Figures.fixed(sum.acceptanceLength, 2)) a round"),
            row(
                "drafted", "\(sum.drafted)",
                "accepted \(sum.accepted) (\(Figures.percent(sum.accepted, of: sum.drafted)))"),
        ]
        if let context, context.contextLimit > 0 {
            let share = Figures.percent(context.contextUsed, of: context.contextLimit)
            rows.append(row("context", "\(context.contextUsed)", "of \(context.contextLimit) rows (\(share))"))
        }
        return rows
    }

    private static func sum(_ asked: some Sequence<AskedQuestion>) -> TurnStatistics {
        var sum = TurnStatistics()
        for figures in asked.map(\.statistics) {
            sum.tokens += figures.tokens
            sum.rounds += figures.rounds
            sum.drafted += figures.drafted
            sum.accepted += figures.accepted
            sum.seconds.decode += figures.seconds.decode
        }
        return sum
    }

    // MARK: Speculation

    /// The answers that were drafted beside those that were not, and the speedup as the rounds tell it.
    private static func comparison(_ asked: [AskedQuestion], _ state: AppState) -> [Overlay.Row] {
        let plain = asked.filter { $0.options.speculation.policy == .off }
        let drafted = asked.filter { $0.options.speculation.policy != .off }
        var rows = [group("drafted", drafted), group("plain", plain)].compactMap { $0 }
        if let speedup = state.tree.speeds.speedup {
            let reason =
                switch speedup.baseline {
                case .measured(let rounds): "against \(rounds) rounds of one node, measured here"
                case .estimated: "against plain rounds as the engine expects them; none was measured yet"
                }
            rows.append(row("speedup", "\(Figures.fixed(speedup.factor, 2))\(state.symbols.times)", reason))
        }
        if plain.isEmpty || drafted.isEmpty {
            let missing = plain.isEmpty ? "/spec off" : "/spec dynamic"
            rows.append(
                Overlay.Row([Span("\(missing) and /retry: the same text at another speed.", .faint)]))
        }
        return rows
    }

    private static func group(_ label: String, _ asked: [AskedQuestion]) -> Overlay.Row? {
        let sum = sum(asked)
        guard sum.tokens > 0 else { return nil }
        return row(
            label, "\(Figures.speed(sum.tokensPerSecond)) tok/s",
            "\(Figures.count(asked.count, "answer")), \(Figures.count(sum.tokens, "token"))")
    }
}
