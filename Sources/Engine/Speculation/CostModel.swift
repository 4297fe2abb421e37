// CostModel.swift — what passes cost on this machine, and what the draft's confidence has proved worth. Both are measured
// while decoding; they steer the size of trees and, by Rules 1 and 2, never the text.

/// Seconds of a pass by its number of rows, kept up to date while decoding.
///
/// What is tracked is the length that a third of the passes stay below. Other work on the machine can only lengthen a
/// pass, so the shorter ones are the ones about the model; and unlike an average or a minimum, this is the same figure
/// for a size that is measured often and for one that is measured seldom.
struct CostCurve: Sendable {
    private var measured: [Double?] = []
    /// The largest change by one measurement, as a share: downward and upward, two to one for the lower third.
    private static let step = (down: 0.06, up: 0.03)

    /// Adds a measurement of a pass over `rows` rows, at least 1.
    mutating func record(rows: Int, seconds: Double) {
        while measured.count <= rows { measured.append(nil) }
        guard let old = measured[rows] else {
            measured[rows] = seconds
            return
        }
        measured[rows] =
            seconds < old ? max(seconds, old * (1 - Self.step.down)) : min(seconds, old * (1 + Self.step.up))
    }

    /// Estimated seconds of a pass over `rows` rows; nothing before the first measurement.
    ///
    /// Straight lines between the measured sizes, never falling with size: a smaller pass cannot cost more than a
    /// larger one.
    func seconds(rows: Int) -> Double? {
        var below: (rows: Int, seconds: Double)?
        var belowThat: (rows: Int, seconds: Double)?
        for (size, value) in measured.enumerated() {
            guard let value else { continue }
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
    var verify = CostCurve()
    var draft = CostCurve()
    var calibration = AcceptanceCalibration()

    /// Recent tokens per round with a tree, and what such a round costs by the curves.
    private var tokens = 0.0
    private var seconds = 0.0
    private var roundsUntilProbe = 0
    private var roundsPaid = 0
    private var patience = CostModel.shortestRest

    /// Rounds that drafting rests after it has not paid; doubled each time, up to the longest.
    private static let shortestRest = 8
    private static let longestRest = 32

    private var drafted = 0

    /// Now and then the number of nodes to draft whatever the curves say: a size that once looked dear would otherwise
    /// never be measured again.
    func trial() -> Int? {
        drafted += 1
        guard drafted % 12 == 0 else { return nil }
        return drafted % 24 == 0 ? 8 : 4
    }

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
        let freshness = 0.12
        tokens += freshness * (Double(count) - tokens)
        seconds += freshness * (drafted + verified - seconds)
        if tokens / seconds >= 0.9 / plain {
            // Credit alone keeps the rate up for some rounds; only a longer run shows that the draft pays again.
            roundsPaid += 1
            if roundsPaid > 2 * Self.shortestRest { patience = Self.shortestRest }
        } else {
            roundsPaid = 0
            roundsUntilProbe = patience
            tokens = 0
            patience = min(Self.longestRest, 2 * patience)
        }
    }
}
