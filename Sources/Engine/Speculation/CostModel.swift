// CostModel.swift — what passes cost on this machine, and what the draft's confidence has proved worth. Both are measured
// while decoding; they steer the size of trees and, by Rules 1 and 2, never the text.

import Foundation

/// What a pass costs by its number of rows, in seconds of a quiet machine.
///
/// A shape measured before decoding, corrected while decoding. Corrections are made against the *pace* of the moment
/// (how much slower than quiet the machine is): other work lengthens passes of every size alike, and a size must not look
/// dear because it was tried in a busy second.
struct CostCurve: Sendable {
    private struct Point: Sendable {
        /// Seconds by the warm-up; for a size met later, what the curve said of it.
        let prior: Double
        /// Natural logarithm of the factor learned since.
        var correction = 0.0
        var seconds: Double { prior * exp(correction) }
    }
    private var points: [Point?] = []
    /// Largest change of a correction by one pass: a hundred passes move a size threefold at most.
    private static let step = 0.01
    /// What is left of every correction after each pass: a size that is not tried again is forgiven.
    private static let memory = 0.999

    /// Sets the shape: a pass over `rows` rows, at least 1, takes so long.
    mutating func calibrate(rows: Int, seconds: Double) {
        while points.count <= rows { points.append(nil) }
        points[rows] = Point(prior: seconds)
    }

    /// Learns from a pass.
    ///
    /// - Returns: natural logarithm of the clock's seconds over the shape's, uncorrected: what the pace is made of.
    mutating func record(rows: Int, seconds: Double, pace: Double) -> Double {
        if points.count <= rows || points[rows] == nil {
            calibrate(rows: rows, seconds: self.seconds(rows: rows) ?? seconds)
        }
        guard var point = points[rows], seconds > 0 else { return pace }
        let slowness = log(seconds / point.prior)
        let error = slowness - point.correction - pace
        point.correction += min(Self.step, max(-Self.step, error))
        points[rows] = point
        for index in points.indices { points[index]?.correction *= Self.memory }
        return slowness
    }

    /// Estimated seconds of a pass over `rows` rows; nothing before the first measurement.
    ///
    /// Straight lines between the measured sizes, never falling with size: a smaller pass cannot cost more than a
    /// larger one.
    func seconds(rows: Int) -> Double? {
        var below: (rows: Int, seconds: Double)?
        var belowThat: (rows: Int, seconds: Double)?
        for (size, point) in points.enumerated() {
            guard let value = point?.seconds else { continue }
            let risen = max(value, below?.seconds ?? 0)
            if size >= rows {
                guard let below else { return size == rows ? value : value * Double(rows) / Double(size) }
                let share = Double(rows - below.rows) / Double(size - below.rows)
                return below.seconds + share * (risen - below.seconds)
            }
            (belowThat, below) = (below, (size, risen))
        }
        guard let below else { return nil }
        let slope = belowThat.map { (below.seconds - $0.seconds) / Double(below.rows - $0.rows) }
        // Beyond the largest measured size cost grows at least as fast as it did last.
        return below.seconds + (slope ?? below.seconds / Double(below.rows)) * Double(rows - below.rows)
    }
}

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

/// All that is measured while decoding with one draft; outlives the answers of a conversation.
final class CostModel {
    private(set) var verify = CostCurve()
    private(set) var draft = CostCurve()
    var calibration = AcceptanceCalibration()

    /// Natural logarithm of how much slower than at the warm-up the machine is just now, for passes of any kind.
    private var pace = 0.0
    /// How much longer than at the warm-up target passes take lately, interrupted ones included: a plain average.
    private var verifyStretch = 1.0
    private var verified = 0
    /// Recent tokens per round with a tree, and what such a round costs by the curves.
    private var tokens = 0.0
    private var seconds = 0.0
    private var roundsUntilProbe = 0
    private var roundsPaid = 0
    private var patience = CostModel.shortestRest

    /// Rounds that drafting rests after it has not paid; doubled each time, up to the longest.
    private static let shortestRest = 8
    private static let longestRest = 64
    /// Weight of the newest round in the running rate.
    private static let freshness = 0.08

    enum Pass { case verify, draft }

    /// Sets what a pass costs on a quiet machine.
    func calibrate(_ pass: Pass, rows: Int, seconds: Double) {
        switch pass {
        case .verify: verify.calibrate(rows: rows, seconds: seconds)
        case .draft: draft.calibrate(rows: rows, seconds: seconds)
        }
    }

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
        return seconds > 0 ? max(1 / plain, tokens / seconds) : 1 / plain
    }

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

    /// Books a round that drafted.
    ///
    /// - Parameters:
    ///   - count: tokens that it yielded.
    ///   - nodes: nodes that were verified.
    ///   - drafted: seconds of its draft passes by the cost curve, not by the clock: one interrupted round must not
    ///     silence a good draft.
    func record(tokens count: Int, nodes: Int, drafted: Double) {
        guard let plain = verify.seconds(rows: 1), let verified = verify.seconds(rows: nodes) else { return }
        // A new draft has credit for some rounds, and again after each rest: the first words of an answer are the
        // hardest to guess, and one round says little.
        if tokens == 0 { (tokens, seconds) = (1.25 * (drafted + verified) / plain, drafted + verified) }
        tokens += Self.freshness * (Double(count) - tokens)
        seconds += Self.freshness * (drafted + verified - seconds)
        if tokens / seconds >= 0.9 / plain {
            // Credit alone keeps the rate up for some rounds; only a longer run shows that the draft pays again.
            roundsPaid += 1
            if roundsPaid > 3 * Self.shortestRest { patience = Self.shortestRest }
        } else {
            roundsPaid = 0
            roundsUntilProbe = patience
            tokens = 0
            patience = min(Self.longestRest, 2 * patience)
        }
    }
}
