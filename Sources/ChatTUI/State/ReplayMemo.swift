// ReplayMemo.swift — what the rounds of a trace add up to, brought forward from frame to frame. Read by the panes.

import Engine
import Synchronization

/// Transcript and figures of the rounds that a replay has shown, so that a frame adds only what is new.
///
/// It never changes what is drawn: a state with it and one without show the same.
final class ReplayMemo: Sendable, Equatable {
    private struct Content {
        var transcript = RoundSum(ReplayTranscript())
        var figures = RoundSum(ReplayFigures())
    }
    private let content = Mutex(Content())

    /// The transcript of the first `count` rounds.
    func transcript(of rounds: [SpeculationRound], upTo count: Int, questions: [Int: String]) -> ReplayTranscript {
        content.withLock {
            $0.transcript.bring(to: count, of: rounds) { $0.add($1, number: $2, question: questions[$2]) }
        }
    }

    /// The figures of the first `count` rounds.
    func figures(of rounds: [SpeculationRound], upTo count: Int) -> ReplayFigures {
        content.withLock { $0.figures.bring(to: count, of: rounds) { figures, round, _ in figures.add(round) } }
    }

    static func == (a: ReplayMemo, b: ReplayMemo) -> Bool { true }
}

/// A sum over the first rounds of a trace. Going on adds rounds; going back begins anew.
private struct RoundSum<Sum: Sendable>: Sendable {
    private let empty: Sum
    private var sum: Sum
    private var count = 0
    /// The round that was added last, by which another trace is noticed.
    private var last: SpeculationRound?

    init(_ empty: Sum) {
        self.empty = empty
        sum = empty
    }

    /// - Parameter add: takes the sum, a round and its number from 1.
    mutating func bring(
        to wanted: Int, of rounds: [SpeculationRound], add: (inout Sum, SpeculationRound, Int) -> Void
    ) -> Sum {
        let wanted = min(max(0, wanted), rounds.count)
        if wanted < count || count > 0 && rounds[count - 1] != last { self = RoundSum(empty) }
        while count < wanted {
            add(&sum, rounds[count], count + 1)
            last = rounds[count]
            count += 1
        }
        return sum
    }
}

/// The figures of a trace up to a round: of that round's answer, and of all answers.
struct ReplayFigures: Sendable {
    private(set) var statistics = AnswerStatistics()
    /// An answer without any tree did not speculate. Until it is over both are possible.
    private var asSpeculating = ConversationSpeed()
    private var asPlain = ConversationSpeed()
    private var speculates = false

    var speeds: ConversationSpeed { speculates ? asSpeculating : asPlain }

    mutating func add(_ round: SpeculationRound) {
        if round.index == 0 {
            statistics = AnswerStatistics()
            (asSpeculating, asPlain) = (speeds, speeds)
            speculates = false
        }
        statistics.add(round)
        asSpeculating.add(round, speculates: true)
        asPlain.add(round, speculates: false)
        speculates = speculates || round.drafted > 0
    }
}
