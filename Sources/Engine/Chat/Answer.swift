// Answer.swift — one answer as it grows: rounds go in, text and the report come out. Used by Conversation.

/// What has been generated of an answer, and how long that took without the time in which decoding was held.
struct Answer {
    private(set) var report: GenerationReport
    private var text = StreamingDetokenizer(dropsLeadingSpace: true)
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let pace: Duration
    /// Before this the next round would hide the last one from the reader.
    private var shownUntil: ContinuousClock.Instant?
    /// Time that was not spent on decoding.
    private var uncounted = Duration.zero

    init(report: GenerationReport, pace: Double) {
        self.report = report
        self.pace = pace > 0 ? .seconds(min(pace, GenerationOptions.longestPace)) : .zero
        start = clock.now
    }

    /// Waits at the border of a round for as long as the gate or the pace wants.
    mutating func hold(at gate: RoundGate, cancellation: Cancellation) {
        uncounted += clock.measure { gate.wait(until: shownUntil, cancellation: cancellation) }
    }

    /// Takes a round in and returns the whole characters that it added.
    mutating func add(_ round: SpeculationRound) -> String {
        let pieces = round.accepted.map { round.pieces[$0] } + round.pieces.suffix(1)
        let added = pieces.reduce(into: "") { $0 += text.append($1) }
        report.text += added
        report.tokens += round.tokens
        report.rounds += 1
        report.drafted += round.drafted
        report.accepted += round.accepted.count
        func isFound(_ node: Int) -> Bool { [.lookup, .both].contains(round.tree.nodes[node].source) }
        report.lookup.drafted += round.tree.nodes.indices.count(where: isFound)
        report.lookup.accepted += round.accepted.count(where: isFound)
        if round.budget.draftRests == true { report.draftRested += 1 }
        // Looking closer is for the eye; its time would make decoding look slower than it is.
        if let inspection = round.inspection { uncounted += .seconds(inspection.seconds) }
        if pace > .zero { shownUntil = clock.now + pace }
        return added
    }

    /// - Parameter contextUsed: rows of the context that are in use now.
    mutating func end(_ finish: GenerationReport.FinishReason, contextUsed: Int) {
        report.finish = finish
        report.text += text.finish()
        report.seconds.decode = (clock.now - start - uncounted).seconds
        report.contextUsed = contextUsed
    }
}
