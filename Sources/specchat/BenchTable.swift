// BenchTable.swift — the benchmark's result as a table for people and as JSON for programs.

import Engine

/// What was measured and what came out.
struct BenchResult: Sendable {
    let model: String
    let backend: String
    let threads: Int
    let temperature: Float
    let conversations: Int
    let answers: Int
    let repeats: Int
    let figures: [BenchFigures]
    /// By turn of the conversation, for each of the figures; empty where nobody asked for it.
    var turns: [[BenchTurn]] = []
    let compared: Int
    let different: Int

    /// The table, its heading, and what it says about equality.
    var text: String {
        var rows = [
            [
                "", "tok/s", "speedup", "(range)", "end to end", "speedup", "tok/round", "accepted", "drafted",
                "draft ms", "verify ms",
                "choose ms",
            ]
        ]
        for figure in figures { rows.append(Self.row(figure)) }
        let heading =
            "\(model), \(conversations) conversations, \(answers) answers, temperature \(temperature), "
            + "\(threads) \(threads == 1 ? "thread" : "threads"), \(backend), \(repeats) \(repeats == 1 ? "repeat" : "interleaved repeats")"
        let closing =
            different == 0
            ? "All \(compared) answers are equal to plain decoding's, token for token."
            : "\(different) of \(compared) answers DIFFER from plain decoding's."
        let phases = figures.first.map { plain in
            "Beside decoding, an answer takes \(decimal(plain.vision / Double(answers) * 1000, 1)) ms for the picture and "
                + "\(decimal(plain.prefill / Double(answers) * 1000, 1)) ms for reading the prompt."
        }
        return
            ([heading, ""] + aligned(rows) + [""] + (turns.isEmpty ? [] : aligned(turnRows) + [""])
            + (phases.map { [$0] } ?? []) + [closing])
            .map { $0 + "\n" }.joined()
    }

    /// A row for each turn: tokens per round and tokens per second of every variant.
    private var turnRows: [[String]] {
        let heading = ["turn"] + figures.flatMap { ["\($0.variant.name) tok/round", "tok/s"] }
        return [heading]
            + (turns.map(\.count).max().map { Array(0..<$0) } ?? []).map { turn in
                ["\(turn + 1)"]
                    + turns.flatMap { of in
                        [decimal(of[turn].acceptanceLength, 2), decimal(of[turn].tokensPerSecond, 0)]
                    }
            }
    }

    private static func row(_ figure: BenchFigures) -> [String] {
        let range = figure.decodeSpeedupRange
        let rounds = Double(figure.rounds)
        return [
            figure.variant.name, decimal(figure.tokensPerSecond, 0), decimal(figure.decodeSpeedup, 2) + "x",
            decimal(range.lowerBound, 2) + "-" + decimal(range.upperBound, 2), decimal(figure.endToEnd, 2) + " s",
            decimal(figure.endToEndSpeedup, 2) + "x", decimal(figure.acceptanceLength, 2),
            decimal(figure.acceptedPerRound, 2),
            decimal(figure.draftedPerRound, 2), decimal(ratio(figure.draft, rounds) * 1000, 3),
            decimal(ratio(figure.verify, rounds) * 1000, 3), decimal(ratio(figure.choose, rounds) * 1000, 3),
        ]
    }
}

extension BenchResult {
    /// The figures of runs at one temperature, in the variants' order.
    init(model: String, temperature: Float, variants: [BenchVariant], runs: BenchRuns, byTurn: Bool) {
        let plain = runs.runs[.plain] ?? []
        self.init(
            model: model, backend: plain.first?.first?.backend ?? "", threads: plain.first?.first?.threads ?? 0,
            temperature: temperature, conversations: plain.count,
            answers: plain.reduce(0) { $0 + ($1.first?.answers.count ?? 0) }, repeats: plain.first?.count ?? 0,
            figures: variants.compactMap(runs.figures), compared: runs.equality.compared,
            different: runs.equality.different)
        if byTurn { turns = figures.map { runs.turns(of: $0.variant) } }
    }
}

/// What other temperatures leave of the speedups at the first one; all measured in turns.
struct BenchTemperatures: Sendable {
    let results: [BenchResult]

    /// The tables of all temperatures, and where there are several, a closing one that holds them against each other.
    var text: String { (results.map(\.text) + (results.count > 1 ? [shares] : [])).joined(separator: "\n") }

    private var shares: String {
        let (first, others) = (results[0], results.dropFirst())
        let rows = first.figures.indices.filter { first.figures[$0].variant != .plain }.map { index in
            [first.figures[index].variant.name]
                + others.map { other in
                    let share = BenchShare(of: other.figures[index], beside: first.figures[index])
                    let range = share.range
                    return
                        "\(decimal(share.share, 2)) (\(decimal(range.lowerBound, 2))-\(decimal(range.upperBound, 2)))"
                }
        }
        let heading = ["at temperature"] + others.map { "\($0.temperature)" }
        return
            (["What is left of the speedup at temperature \(first.temperature), and in the single repeats:", ""]
            + aligned([heading] + rows)).map { $0 + "\n" }.joined()
    }
}

/// A result as `specchat bench --json` names it.
struct BenchJSON: Encodable {
    let result: BenchResult

    enum CodingKeys: String, CodingKey {
        case model, backend, threads, temperature, conversations, answers, repeats, variants, compared, different
    }

    struct Variant: Encodable {
        let figures: BenchFigures

        enum CodingKeys: String, CodingKey {
            case speculation, draft, tokens, rounds, drafted, accepted, seconds
            case tokensPerSecond = "tokens_per_second"
            case decodeSpeedup = "decode_speedup"
            case decodeSpeedupRange = "decode_speedup_range"
            case endToEndSpeedup = "end_to_end_speedup"
            case acceptanceLength = "acceptance_length"
            case acceptedPerRound = "accepted_per_round"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(figures.variant.speculation, forKey: .speculation)
            try container.encode(figures.variant.draft, forKey: .draft)
            try container.encode(figures.tokens, forKey: .tokens)
            try container.encode(figures.rounds, forKey: .rounds)
            try container.encode(figures.drafted, forKey: .drafted)
            try container.encode(figures.accepted, forKey: .accepted)
            let seconds = [
                "vision": figures.vision, "prefill": figures.prefill, "decode": figures.decode, "draft": figures.draft,
                "verify": figures.verify, "choose": figures.choose, "end_to_end": figures.endToEnd,
            ]
            try container.encode(seconds, forKey: .seconds)
            try container.encode(figures.tokensPerSecond, forKey: .tokensPerSecond)
            try container.encode(figures.decodeSpeedup, forKey: .decodeSpeedup)
            let range = figures.decodeSpeedupRange
            try container.encode([range.lowerBound, range.upperBound], forKey: .decodeSpeedupRange)
            try container.encode(figures.endToEndSpeedup, forKey: .endToEndSpeedup)
            try container.encode(figures.acceptanceLength, forKey: .acceptanceLength)
            try container.encode(figures.acceptedPerRound, forKey: .acceptedPerRound)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(result.model, forKey: .model)
        try container.encode(result.backend, forKey: .backend)
        try container.encode(result.threads, forKey: .threads)
        try container.encode(result.temperature, forKey: .temperature)
        try container.encode(result.conversations, forKey: .conversations)
        try container.encode(result.answers, forKey: .answers)
        try container.encode(result.repeats, forKey: .repeats)
        try container.encode(result.figures.map(Variant.init), forKey: .variants)
        try container.encode(result.compared, forKey: .compared)
        try container.encode(result.different, forKey: .different)
    }
}
