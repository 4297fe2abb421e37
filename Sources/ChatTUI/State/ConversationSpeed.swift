// ConversationSpeed.swift — how much faster than plain decoding this conversation has been, and how that is known.

import Engine

/// Sums over the rounds of a conversation.
///
/// The speedup is the rate of all answers that speculated (drafting, verifying and choosing counted) over the rate of
/// plain decoding. Plain decoding's rate is measured where rounds of one node were made: a round whose tree is only its
/// root is a plain pass of the same kernels, whatever policy it was made under. Where there was none, the engine's
/// estimate of such a pass stands in, and the panel says so.
struct ConversationSpeed: Sendable, Equatable {
    enum Baseline: Sendable, Equatable {
        /// From so many rounds of one node.
        case measured(Int)
        /// From the cost curve.
        case estimated
    }

    private(set) var plainRounds = 0
    private var plainSeconds = 0.0
    private var tokens = 0
    private var seconds = 0.0
    /// Seconds that the tokens would have taken by the cost curve, and how many tokens had an estimate.
    private var estimatedSeconds = 0.0
    private var estimatedTokens = 0
    /// Whether the newest answer speculates.
    private(set) var speculates = true

    mutating func add(_ round: SpeculationRound, speculates: Bool = true) {
        self.speculates = speculates
        let seconds = round.seconds.draft + round.seconds.verify + round.seconds.choose
        if round.drafted == 0 {
            plainRounds += 1
            plainSeconds += round.seconds.verify + round.seconds.choose
        }
        guard speculates else { return }
        tokens += round.tokens.count
        self.seconds += seconds
        if let pass = round.budget.plainSeconds {
            estimatedSeconds += pass * Double(round.tokens.count)
            estimatedTokens += round.tokens.count
        }
    }

    /// Absent until there is something to compare.
    var speedup: (factor: Double, baseline: Baseline)? {
        guard tokens > 0, seconds > 0 else { return nil }
        let rate = Double(tokens) / seconds
        // One pass may have been interrupted for twenty times its length.
        if plainRounds >= ConversationSpeed.fewestPlainRounds, plainSeconds > 0 {
            return (rate * plainSeconds / Double(plainRounds), .measured(plainRounds))
        }
        guard estimatedTokens > 0, estimatedSeconds > 0 else { return nil }
        return (rate * estimatedSeconds / Double(estimatedTokens), .estimated)
    }

    static let fewestPlainRounds = 3
}
