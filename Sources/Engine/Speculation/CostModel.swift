// CostModel.swift — what passes cost on this machine, and what the draft's confidence has proved worth. Both are measured
// while decoding; they steer the size of trees and, by Rules 1 and 2, never the text.

import Foundation

/// How often the target chose a token that the draft proposed with a given confidence, given that it came by the parent.
///
/// Draft probabilities are overconfident. Counting what became of them turns a confidence into an acceptance rate; the
/// confidence itself is the prior, worth a few observations.
struct AcceptanceCalibration: Sendable {
    private struct Bin: Sendable {
        var accepted = 0.0
        var proposed = 0.0
    }
    private static let binsPerRank = 12
    private static let priorStrength = 4.0
    /// Old observations fade, so that a conversation that changes its subject is followed.
    private static let memory = 0.999
    private var bins = [Bin](repeating: Bin(), count: 2 * binsPerRank)
    /// Running acceptance of first-ranked proposals: what another level may be expected to add.
    private(set) var firstRank = 0.7

    /// Estimated probability that the target chooses the proposal of this rank, in 0...1.
    func acceptance(confidence: Float, rank: Int) -> Float {
        let bin = bins[Self.bin(confidence, rank)]
        return Float(
            (bin.accepted + Self.priorStrength * Double(confidence)) / (bin.proposed + Self.priorStrength))
    }

    mutating func record(confidence: Float, rank: Int, accepted: Bool) {
        let index = Self.bin(confidence, rank)
        bins[index].accepted = bins[index].accepted * Self.memory + (accepted ? 1 : 0)
        bins[index].proposed = bins[index].proposed * Self.memory + 1
        if rank == 0 { firstRank += 0.02 * ((accepted ? 1 : 0) - firstRank) }
    }

    /// Bins halve towards 0 and towards 1, where a small difference matters most.
    private static func bin(_ confidence: Float, _ rank: Int) -> Int {
        let half = binsPerRank / 2
        let low = confidence < 0.5
        let fromEnd = max(low ? confidence : 1 - confidence, 0x1p-20)
        let steps = min(half - 1, max(0, -Int(fromEnd.exponent) - 2))
        return (rank == 0 ? 0 : binsPerRank) + (low ? half - 1 - steps : half + steps)
    }
}

/// All that is measured while decoding with a target and its drafters; outlives the answers of a conversation.
final class CostModel {
    private(set) var verify = CostCurve()
    private(set) var draft = CostCurve()
    var calibration = AcceptanceCalibration()
    var lookups = LookupCalibration()

    /// Natural logarithm of how much slower than at the warm-up the machine is just now, for passes of any kind.
    private var pace = 0.0
    /// How much longer than at the warm-up target passes take lately, interrupted ones included: a plain average.
    private var verifyStretch = 1.0
    private var verified = 0
    /// Recent rounds of any kind.
    private var rounds = RecentRounds()
    /// Recent rounds in which the draft model was asked: what it gained, and what it and its nodes cost.
    private var drafted = RecentRounds()
    /// The same rounds with all that was gained in them, by whomever it was proposed.
    private var draftedWhole = RecentRounds()
    /// Seconds by the curves that drafting has lost against plain decoding and that are not made up for yet; negative for
    /// a gain that may be risked again.
    private var debt: Double?
    private var roundsUntilProbe = 0

    /// Rounds that drafting rests at least and at most after it has not paid.
    private static let shortestRest = 8.0
    private static let longestRest = 1024.0
    /// Share of the time that trying a draft that does not pay may cost in the long run.
    private static let riskedShare = 0.01
    /// Plain passes that a draft may lose before it has gained anything, and the most of its gains that it may lose again.
    private static let credit = (new: 2.0, most: 20.0)

    /// Averages in which the newest round has a fixed weight.
    private struct RecentRounds {
        private(set) var tokens = 0.0
        private(set) var seconds = 0.0
        private static let freshness = 0.08

        var isEmpty: Bool { seconds == 0 }
        var rate: Double { seconds > 0 ? tokens / seconds : 0 }

        mutating func begin(tokens: Double, seconds: Double) { (self.tokens, self.seconds) = (tokens, seconds) }

        mutating func add(tokens count: Double, seconds spent: Double) {
            if isEmpty { begin(tokens: count, seconds: spent) }
            tokens += Self.freshness * (count - tokens)
            seconds += Self.freshness * (spent - seconds)
        }
    }

    enum Pass { case verify, draft }

    /// Sets what a pass costs on a quiet machine.
    func calibrate(_ pass: Pass, rows: Int, seconds: Double) {
        switch pass {
        case .verify: verify.calibrate(rows: rows, seconds: seconds)
        case .draft: draft.calibrate(rows: rows, seconds: seconds)
        }
    }

    /// Goes without a warm-up of the target, whose passes take long.
    func learnWhileDecoding() { verify.assume(rowShare: 0.25) }

    /// Learns from a pass that took so many seconds by the clock.
    func record(_ pass: Pass, rows: Int, seconds: Double) {
        let slowness =
            switch pass {
            case .verify: verify.record(rows: rows, seconds: seconds, pace: pace)
            case .draft: draft.record(rows: rows, seconds: seconds, pace: pace)
            }
        // One interrupted pass, twenty times its length, is not the pace of the machine.
        pace += 0.1 * min(0.3, max(-0.3, slowness - pace))
        guard pass == .verify else { return }
        verified += 1
        verifyStretch += max(0.02, 1 / Double(verified)) * (exp(slowness) - verifyStretch)
    }

    /// Tokens per second of a quiet machine that a round must beat to be worth its time: what the text grows by at
    /// present, and plain decoding at least.
    ///
    /// A round's own rate is the wrong thing to raise: over many rounds the text grows fastest if each is sized for the
    /// largest tokens minus rate times seconds (the renewal-reward argument; Dinkelbach 1967).
    var rate: Double? {
        guard let plain = verify.seconds(rows: 1) else { return nil }
        // An answer has so many tokens, not so many seconds: where words repeat the text grows fast whatever is done
        // elsewhere, so rounds that asked the draft model are measured by their like.
        return max(1 / plain, draftedWhole.isEmpty ? rounds.rate : draftedWhole.rate)
    }

    /// What a round in which the draft model is asked has brought and cost lately; absent where none was.
    var draftedRound: (tokens: Double, seconds: Double)? {
        draftedWhole.isEmpty ? nil : (draftedWhole.tokens, draftedWhole.seconds)
    }

    /// Whether the draft model is switched off because it has not paid.
    var rests: Bool { roundsUntilProbe > 0 }

    /// Seconds by the clock that a pass of one row would take on average just now; absent before any measurement.
    ///
    /// By the stretch of target passes, not by the pace: that one leaves interruptions out, which plain decoding would
    /// meet too, and a longer text makes target passes dearer than draft passes.
    var plainSeconds: Double? { verify.seconds(rows: 1).map { $0 * verifyStretch } }

    /// False when plain decoding has been faster lately; it is tried again now and then.
    func shouldDraft() -> Bool {
        guard roundsUntilProbe > 0 else { return true }
        roundsUntilProbe -= 1
        return false
    }

    /// What a round brought and cost.
    struct RoundAccount {
        /// Tokens that it yielded, and how many of them it owes to the draft model, the bonus token counted.
        var tokens: Int
        var modelTokens: Int
        /// Nodes that were verified, and how many of them the draft model proposed, the root counted.
        var nodes: Int
        var modelNodes: Int
        /// Seconds of its draft passes by the cost curve, not by the clock: one interrupted round must not silence a good
        /// draft. Absent where none was made.
        var drafted: Double?
    }

    /// Books a round.
    func record(_ round: RoundAccount) {
        guard let plain = verify.seconds(rows: 1), let verified = verify.seconds(rows: round.nodes) else { return }
        defer { rounds.add(tokens: Double(round.tokens), seconds: verified + (round.drafted ?? 0)) }
        guard let spent = round.drafted, let own = verify.seconds(rows: round.modelNodes).map({ $0 + spent }) else {
            debt = debt.map { $0 - Self.riskedShare * plain }
            return
        }
        let owed = debt ?? -Self.credit.new * plain
        if drafted.isEmpty {
            // A new draft is believed for some rounds, and for fewer after each rest: the first words of an answer are
            // the hardest to guess, and one round says little.
            drafted.begin(tokens: (debt == nil ? 1.25 : 1) * own / plain, seconds: own)
            draftedWhole.begin(tokens: (debt == nil ? 1.25 : 1) * own / plain, seconds: own)
            if rounds.isEmpty { rounds.begin(tokens: 1.25 * own / plain, seconds: own) }
        }
        drafted.add(tokens: Double(round.modelTokens), seconds: own)
        draftedWhole.add(tokens: Double(round.tokens), seconds: verified + spent)
        let now = max(owed + own - Double(round.modelTokens) * plain, -Self.credit.most * plain)
        debt = now
        // A draft that costs little and is never right loses slowly: then it is the losses that tell, not the rate.
        let losesMuch = drafted.rate < 0.9 / plain
        let hasLostMuch = now > Self.credit.new * plain && drafted.rate < 1 / plain
        guard losesMuch || hasLostMuch else { return }
        let rest = max(Self.shortestRest, now / (Self.riskedShare * plain))
        roundsUntilProbe = Int(min(Self.longestRest, rest).rounded(.up))
        drafted = RecentRounds()
        draftedWhole = RecentRounds()
    }
}
