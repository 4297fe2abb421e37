// CostCurve.swift — what a pass takes by its number of rows: a shape from the warm-up, corrected while decoding. Part of
// CostModel.

import Foundation

/// What a pass costs by its number of rows, in seconds of a quiet machine.
///
/// A shape measured before decoding, corrected while decoding. Corrections are made against the *pace* of the moment
/// (how much slower than quiet the machine is): other work lengthens passes of every size alike, and a size must not look
/// dear because it was tried in a busy second.
struct CostCurve: Sendable {
    private struct Point: Sendable {
        let rows: Int
        /// Seconds by the warm-up; for a size met later, what the curve said of it.
        let prior: Double
        /// Natural logarithm of the factor learned since.
        var correction = 0.0
        /// Passes that it was learned from; the shortest of many count as well.
        var passes: Double
    }
    /// By rising number of rows.
    private var points: [Point] = []
    /// The points' seconds, raised where they would fall with size: a smaller pass cannot cost more than a larger one.
    /// Asked for dozens of times in a round, so worked out once for every change.
    private var knots: [(rows: Int, seconds: Double)] = []
    /// Largest change of a correction by one pass, once a size is known: a hundred passes move it threefold at most.
    private static let step = 0.01
    /// Passes that a size of the warm-up counts for.
    private static let warmUpPasses = 50.0
    /// What a further row costs of the first, as long as one size is all that is known; absent for as much as the first.
    private var rowShare: Double?
    /// What a row beyond the largest known size costs of the first at least. A 7B model in Q4_0 takes a tenth.
    private static let leastRowShare = 0.08
    /// What is left of every correction after each pass: a size that is not tried again is forgiven.
    private static let memory = 0.999

    /// Sets the shape: a pass over `rows` rows, at least 1, takes so long.
    mutating func calibrate(rows: Int, seconds: Double) {
        set(Point(rows: rows, prior: seconds, passes: Self.warmUpPasses))
        tie()
    }

    /// Goes without a warm-up: sizes are learned as they are met, and until then a further row is taken to cost this share
    /// of the first. Where weights come from memory, rows of one pass share the way.
    mutating func assume(rowShare share: Double) { rowShare = share }

    /// Learns from a pass.
    ///
    /// - Returns: natural logarithm of the clock's seconds over the shape's, uncorrected: what the pace is made of.
    mutating func record(rows: Int, seconds: Double, pace: Double) -> Double {
        let index = points.firstIndex { $0.rows == rows } ?? set(met(rows: rows, seconds: seconds, pace: pace))
        guard seconds > 0 else { return pace }
        let slowness = log(seconds / points[index].prior)
        let error = slowness - points[index].correction - pace
        // The first passes of a size are all that is known of it.
        let step = max(Self.step, 0.5 / (points[index].passes + 1))
        points[index].passes += 1
        points[index].correction += min(step, max(-step, error))
        for index in points.indices { points[index].correction *= Self.memory }
        tie()
        return slowness
    }

    /// A size that was not measured before.
    private func met(rows: Int, seconds: Double, pace: Double) -> Point {
        guard rowShare == nil, let known = self.seconds(rows: rows) else {
            return Point(rows: rows, prior: seconds / exp(pace), passes: 0)
        }
        // Between two measured sizes there is little to be wrong about. Beyond them everything: believed slowly, a tree
        // of a size that is dear was grown a hundred times.
        return Point(rows: rows, prior: known, passes: rows < points.last?.rows ?? 0 ? Self.warmUpPasses : 0)
    }

    /// Estimated seconds of a pass over `rows` rows; nothing before the first measurement. Straight lines between knots.
    func seconds(rows: Int) -> Double? {
        guard let first = knots.first, let last = knots.last else { return nil }
        if rows <= first.rows { return first.seconds * Double(rows) / Double(first.rows) }
        if let above = knots.firstIndex(where: { $0.rows >= rows }) {
            let (below, above) = (knots[above - 1], knots[above])
            let share = Double(rows - below.rows) / Double(above.rows - below.rows)
            return below.seconds + share * (above.seconds - below.seconds)
        }
        guard knots.count > 1 else {
            return last.seconds + (rowShare ?? 1) * last.seconds / Double(last.rows) * Double(rows - last.rows)
        }
        // Beyond the largest measured size cost grows at least as fast as it did last, and never not at all: what memory
        // hid up to here, arithmetic shows sooner or later.
        let before = knots[knots.count - 2]
        let slope = (last.seconds - before.seconds) / Double(last.rows - before.rows)
        let least = Self.leastRowShare * first.seconds / Double(first.rows)
        return last.seconds + max(slope, least) * Double(rows - last.rows)
    }

    /// - Returns: where the point stands now.
    @discardableResult
    private mutating func set(_ point: Point) -> Int {
        let place = points.firstIndex { $0.rows >= point.rows } ?? points.count
        if place < points.count, points[place].rows == point.rows {
            points[place] = point
        } else {
            points.insert(point, at: place)
        }
        return place
    }

    /// Works the knots out.
    private mutating func tie() {
        knots.removeAll(keepingCapacity: true)
        for point in points {
            knots.append((point.rows, max(point.prior * exp(point.correction), knots.last?.seconds ?? 0)))
        }
    }
}
