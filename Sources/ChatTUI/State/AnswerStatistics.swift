// AnswerStatistics.swift — what the rounds of an answer add up to. Fed by reduce, read by the panels.

import Engine

struct AnswerStatistics: Sendable, Equatable {
    struct Depth: Sendable, Equatable {
        /// Rounds whose tree reached this deep, and those in which the target came along.
        var drafted = 0
        var accepted = 0
    }

    private(set) var rounds = 0
    private(set) var drafted = 0
    private(set) var accepted = 0
    private(set) var tokens = 0
    /// Seconds of all rounds: drafting, verifying and choosing.
    private(set) var seconds = 0.0
    /// Index 0 is depth 1.
    private(set) var depths: [Depth] = []
    /// Tokens of the last rounds, oldest first.
    private(set) var recent: [Int] = []

    /// Nodes by who proposed them: drafted, and accepted of these.
    private(set) var sources: [DraftTree.Source: Depth] = [:]
    /// Rounds in which the draft model was switched off because it had not paid, and whether the last was one.
    private(set) var rested = 0
    private(set) var draftRests = false

    static let recentLimit = 120

    mutating func add(_ round: SpeculationRound) {
        rounds += 1
        drafted += round.drafted
        accepted += round.accepted.count
        tokens += round.tokens.count
        seconds += round.seconds.draft + round.seconds.verify + round.seconds.choose
        let deepest = round.tree.nodes.reduce(0) { max($0, $1.depth) }
        while depths.count < deepest { depths.append(Depth()) }
        for depth in 0..<deepest {
            depths[depth].drafted += 1
            if depth < round.accepted.count { depths[depth].accepted += 1 }
        }
        for (index, node) in round.tree.nodes.enumerated() {
            guard let source = node.source else { continue }
            sources[source, default: Depth()].drafted += 1
            if round.accepted.contains(index) { sources[source, default: Depth()].accepted += 1 }
        }
        draftRests = round.budget.draftRests ?? false
        if draftRests { rested += 1 }
        recent.append(round.tokens.count)
        if recent.count > AnswerStatistics.recentLimit { recent.removeFirst() }
    }

    var tokensPerRound: Double { rounds == 0 ? 0 : Double(tokens) / Double(rounds) }
    var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
