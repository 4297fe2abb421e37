// BenchArithmetic.swift — from timed runs to the figures of the table. Pure; fed by BenchRunner, printed by BenchTable.

import Engine

/// One way to decode.
struct BenchVariant: Hashable, Sendable {
    let speculation: SpeculationPolicy
    /// Absent when nothing is drafted.
    let draft: String?

    static let plain = BenchVariant(speculation: .off, draft: nil)

    /// Plain decoding, then every policy with every draft.
    static func all(drafts: [String], policies: [SpeculationPolicy] = [.chain, .dynamic]) -> [BenchVariant] {
        [plain] + drafts.flatMap { draft in policies.map { BenchVariant(speculation: $0, draft: draft) } }
    }

    var name: String { draft.map { "\(speculation.rawValue) \($0)" } ?? speculation.rawValue }
}

/// One conversation decoded one way, all its answers together.
struct BenchRun: Sendable {
    /// Token ids of each answer: what must be equal for every variant.
    var answers: [[Int32]] = []
    /// Of each answer: its rounds, and seconds of decoding.
    var turns: [(rounds: Int, decode: Double)] = []
    var rounds = 0
    var drafted = 0
    var accepted = 0
    /// Seconds of the phases that reports name.
    var vision = 0.0
    var prefill = 0.0
    var decode = 0.0
    /// Seconds within decoding.
    var draft = 0.0
    var verify = 0.0
    var choose = 0.0
    /// Seconds from the picture's arrival to the last answer's end; loading is no part of it.
    var endToEnd = 0.0
    var threads = 0
    var backend = ""

    var tokens: Int { answers.reduce(0) { $0 + $1.count } }
}

/// The figures of one variant.
struct BenchFigures: Sendable, Equatable {
    let variant: BenchVariant
    let tokens: Int
    let rounds: Int
    let drafted: Int
    let accepted: Int
    /// Sums over the conversations of each one's median over the repeats, in seconds.
    let vision: Double
    let prefill: Double
    let decode: Double
    let draft: Double
    let verify: Double
    let choose: Double
    let endToEnd: Double
    /// Plain decoding's time over this one's.
    let decodeSpeedup: Double
    let endToEndSpeedup: Double
    /// The same for decoding in each repeat, against the plain runs next to it.
    let decodeSpeedups: [Double]

    /// The slowest and the fastest of them.
    var decodeSpeedupRange: ClosedRange<Double> { range(decodeSpeedups) }

    /// Tokens per target pass, the bonus token counted.
    var acceptanceLength: Double { ratio(Double(tokens), Double(rounds)) }
    var acceptedPerRound: Double { ratio(Double(accepted), Double(rounds)) }
    var draftedPerRound: Double { ratio(Double(drafted), Double(rounds)) }
    var tokensPerSecond: Double { ratio(Double(tokens), decode) }
}

/// What is left of a variant's speedup at another temperature.
struct BenchShare: Sendable, Equatable {
    let share: Double
    /// The same of the single repeats, whose runs took turns.
    let range: ClosedRange<Double>

    init(of figures: BenchFigures, beside first: BenchFigures) {
        share = ratio(figures.decodeSpeedup, first.decodeSpeedup)
        range = specchat.range(zip(figures.decodeSpeedups, first.decodeSpeedups).map(ratio))
    }
}

/// The answers to the questions of one number, in all runs of a variant.
struct BenchTurn: Sendable, Equatable {
    var tokens = 0
    var rounds = 0
    var decode = 0.0

    var acceptanceLength: Double { ratio(Double(tokens), Double(rounds)) }
    var tokensPerSecond: Double { ratio(Double(tokens), decode) }
}

/// All timed runs: `runs[variant][conversation][repeat]`.
struct BenchRuns: Sendable {
    private(set) var runs: [BenchVariant: [[BenchRun]]] = [:]
    let conversations: Int

    init(conversations: Int) { self.conversations = conversations }

    mutating func add(_ run: BenchRun, of variant: BenchVariant, conversation: Int) {
        runs[variant, default: Array(repeating: [], count: conversations)][conversation].append(run)
    }

    func figures(of variant: BenchVariant) -> BenchFigures? {
        guard let own = runs[variant], let plain = runs[.plain] else { return nil }
        let repeats = min(own.map(\.count).min() ?? 0, plain.map(\.count).min() ?? 0)
        guard repeats > 0 else { return nil }
        func total(_ runs: [[BenchRun]], _ seconds: (BenchRun) -> Double) -> Double {
            runs.reduce(0) { $0 + median($1.map(seconds)) }
        }
        func count(_ number: (BenchRun) -> Int) -> Int { own.reduce(0) { $0 + $1.reduce(0) { $0 + number($1) } } }
        let ratios = (0..<repeats).map { index in
            ratio(plain.reduce(0) { $0 + $1[index].decode }, own.reduce(0) { $0 + $1[index].decode })
        }
        // Trees may differ between repeats, because the cost model may use timings; the counts are their means.
        let all = own.reduce(0) { $0 + $1.count }
        func mean(_ number: (BenchRun) -> Int) -> Int {
            Int((Double(count(number)) * Double(conversations) / Double(all)).rounded())
        }
        return BenchFigures(
            variant: variant, tokens: mean(\.tokens), rounds: mean(\.rounds), drafted: mean(\.drafted),
            accepted: mean(\.accepted), vision: total(own, \.vision), prefill: total(own, \.prefill),
            decode: total(own, \.decode), draft: total(own, \.draft), verify: total(own, \.verify),
            choose: total(own, \.choose), endToEnd: total(own, \.endToEnd),
            decodeSpeedup: ratio(total(plain, \.decode), total(own, \.decode)),
            endToEndSpeedup: ratio(total(plain, \.endToEnd), total(own, \.endToEnd)),
            decodeSpeedups: ratios)
    }

    /// What a variant's answers to the n-th questions took, all conversations together, by the questions' numbers from 0.
    func turns(of variant: BenchVariant) -> [BenchTurn] {
        let all = (runs[variant] ?? []).joined()
        return (0..<(all.map(\.turns.count).max() ?? 0)).map { turn in
            all.reduce(into: BenchTurn()) { sum, run in
                guard turn < run.turns.count else { return }
                sum.tokens += run.answers[turn].count
                sum.rounds += run.turns[turn].rounds
                sum.decode += run.turns[turn].decode
            }
        }
    }

    /// How many answers were held against plain decoding's first run of the same conversation, and how many differed.
    var equality: (compared: Int, different: Int) {
        var (compared, different) = (0, 0)
        for (variant, conversations) in runs {
            for (index, repeats) in conversations.enumerated() {
                guard let truth = runs[.plain]?[index].first else { continue }
                for (number, run) in repeats.enumerated() where variant != .plain || number > 0 {
                    compared += truth.answers.count
                    different += truth.answers.indices.count {
                        !(run.answers.indices ~= $0) || run.answers[$0] != truth.answers[$0]
                    }
                }
            }
        }
        return (compared, different)
    }
}

/// The middle value; the mean of the two middle ones for an even count; 0 for none.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// The least to the most of the values; 0 to 0 for none.
func range(_ values: [Double]) -> ClosedRange<Double> { (values.min() ?? 0)...(values.max() ?? 0) }

/// `a / b`, and 0 where there is nothing to divide by.
func ratio(_ a: Double, _ b: Double) -> Double { b > 0 ? a / b : 0 }
