// AnswerJournal.swift — what has come of the answer that is being written, on the disk before anyone reads it on the screen.
// Filled by ConversationRecorder, kept in an OpenConversation, brought into the store by StoreRecovery.

import Engine
import Foundation
import Synchronization

/// The journal of one answer. Every call writes what it was given before it returns: with write(2) and no more, which
/// outlives the end of the program by any signal, though not a loss of power.
///
/// What comes before the question is in the store, or while the disk has no room, waits in memory and is written first.
final class AnswerJournal: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var file: OpenConversation?
        /// What stands in the way of what waits.
        var failure: StoreError?
        var rounds: UInt32 = 0
        var hasEnded = false
        /// Nobody will need it any more.
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Why a part of the answer is in memory only; absent when all of it is on the disk, or waits for its question.
    var failure: StoreError? { state.withLock { $0.failure } }

    func add(_ round: SpeculationRound, text: String) {
        state.withLock { state in
            write(JournalRecord.round(JournalRound(round, text: text, number: state.rounds)), &state)
            state.rounds += 1
        }
    }

    /// The last word on the answer; what comes after it is not heard.
    func end(_ ending: JournalEnding) {
        state.withLock { state in
            write(.ending(ending), &state)
            state.hasEnded = true
        }
    }

    /// The question is in the store, and this is where its answer is kept.
    func attach(_ file: OpenConversation, turn: TurnReference) {
        state.withLock { state in
            guard !state.isClosed else { return }
            file.empty()
            state.file = file
            state.waiting.insert(contentsOf: JournalRecord.turn(row: turn.row).bytes, at: 0)
            drain(&state)
        }
    }

    /// The answer is in the store, or shall be nowhere.
    func close() {
        state.withLock { state in
            state.file?.empty()
            state = State(isClosed: true)
        }
    }

    private func write(_ record: JournalRecord, _ state: inout State) {
        guard !state.isClosed, !state.hasEnded else { return }
        state.waiting += record.bytes
        drain(&state)
    }

    private func drain(_ state: inout State) {
        guard let file = state.file else { return }
        do throws(StoreError) {
            try file.append(state.waiting)
            state.waiting.removeAll(keepingCapacity: true)
            state.failure = nil
        } catch {
            state.failure = error
        }
    }
}

/// How an answer ended. One that ended with a report has its text here once more, as the report has it.
struct JournalEnding: Sendable, Equatable, Codable {
    struct Report: Sendable, Equatable, Codable {
        let answer: String
        let tokens: [Int32]
        let statistics: TurnStatistics
    }

    let state: TurnState
    var report: Report?

    init(_ state: TurnState) { self.state = state }

    init(_ report: GenerationReport) {
        state = TurnState(report.finish)
        self.report = Report(answer: report.text, tokens: report.tokens, statistics: TurnStatistics(report))
    }
}

/// What a round added to an answer; its tree is in the store only.
struct JournalRound: Sendable, Equatable {
    /// From 0.
    let number: UInt32
    let drafted: UInt32
    let accepted: UInt32
    /// Of draft, verification and choice together.
    let seconds: Double
    let tokens: [Int32]
    let text: String
}

extension JournalRound {
    init(_ round: SpeculationRound, text: String, number: UInt32) {
        self.init(
            number: number, drafted: UInt32(round.drafted), accepted: UInt32(round.accepted.count),
            seconds: round.seconds.draft + round.seconds.verify + round.seconds.choose, tokens: round.tokens,
            text: text)
    }
}
