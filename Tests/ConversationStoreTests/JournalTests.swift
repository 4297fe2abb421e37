// JournalTests.swift — what a program had shown when it was killed comes back; what is torn or damaged is never believed.

import Engine
import Foundation
import GRDB
import Testing

@testable import ConversationStore

@Suite struct `An answer's journal` {
    private static let report = Sample.report(text: "word0 word1 and the rest", tokens: [1, 2, 3])

    private func bytes(rounds: Int, ending: JournalEnding? = nil) -> [UInt8] {
        var bytes = JournalRecord.turn(row: 7).bytes
        for index in 0..<rounds {
            let round = JournalRound(Sample.round(index), text: "word\(index) é\0", number: UInt32(index))
            bytes += JournalRecord.round(round).bytes
        }
        if let ending { bytes += JournalRecord.ending(ending).bytes }
        return bytes
    }

    @Test func `gives back rounds in order, with what they cost`() throws {
        let answer = try #require(JournalAnswer(bytes(rounds: 3)))
        #expect(answer.row == 7 && answer.state == .broken && !answer.hasReport)
        #expect(answer.progress.answer == "word0 é\0word1 é\0word2 é\0")
        #expect(answer.progress.tokens == (0..<3).flatMap { Sample.round($0).tokens })
        var expected = TurnStatistics()
        for index in 0..<3 { expected.add(Sample.round(index)) }
        #expect(answer.progress.statistics == expected)
    }

    @Test func `gives back how the answer ended, and what the report says of it`() throws {
        #expect(JournalAnswer(bytes(rounds: 1, ending: JournalEnding(.stopped)))?.state == .stopped)
        let answer = try #require(JournalAnswer(bytes(rounds: 2, ending: JournalEnding(Self.report))))
        #expect(answer.state == .complete && answer.hasReport)
        #expect(answer.progress.answer == Self.report.text && answer.progress.tokens == Self.report.tokens)
        #expect(answer.progress.statistics == TurnStatistics(Self.report))
    }

    @Test func `that is cut anywhere gives the rounds that are whole`() {
        let whole = bytes(rounds: 3)
        let ends = (0...3).map { bytes(rounds: $0).count }
        for length in 0...whole.count {
            let rounds = ends.lastIndex { $0 <= length } ?? 0
            let answer = JournalAnswer(Array(whole.prefix(length)))
            #expect(answer?.progress.tokens.count ?? 0 == 2 * rounds, "\(length) bytes")
        }
    }

    @Test func `with any byte changed gives only what stands before it`() {
        let whole = bytes(rounds: 3)
        let ends = (0...3).map { bytes(rounds: $0).count }
        for place in whole.indices {
            var damaged = whole
            damaged[place] ^= 0x41
            let answer = JournalAnswer(damaged)
            let rounds = ends.lastIndex { $0 <= place }
            #expect(answer?.progress.tokens.count ?? 0 == 2 * (rounds ?? 0), "byte \(place)")
        }
    }

    @Test func `with a round missing in the middle ends there`() {
        var bytes = JournalRecord.turn(row: 7).bytes
        for index in [0, 1, 3] {
            bytes += JournalRecord.round(JournalRound(Sample.round(index), text: "x", number: UInt32(index))).bytes
        }
        #expect(JournalAnswer(bytes)?.progress.answer == "xx")
    }
}

@Suite struct `The answer of a program that is gone` {
    private let folder: TestFolder
    private let store: ConversationStore
    private let turn: TurnReference

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.open(path: folder.store)
        turn = try store.begin(Sample.conversation, with: Sample.question("kettle?"))
    }

    private var file: String { "\(folder.store)-open/\(turn.conversation)" }

    /// As its program left it: three rounds shown, one of them in the store.
    private func leave(ending: JournalEnding? = nil) throws {
        try store.update(turn, Sample.progress(rounds: 1))
        let claim = try #require(try store.claim(turn.conversation))
        let journal = AnswerJournal()
        for index in 0..<3 { journal.add(Sample.round(index), text: "word\(index) ") }
        journal.attach(claim, turn: turn)
        if let ending { journal.end(ending) }
        #expect(journal.failure == nil)
    }

    private func found() throws -> SavedTurn {
        try ConversationStore.open(path: folder.store).conversation(turn.conversation).turns[0]
    }

    @Test func `is whole when the store is opened next, and found by its words`() throws {
        try leave()
        let found = try found()
        #expect(found.answer == "word0 word1 word2 " && found.tokens.count == 6 && found.state == .broken)
        #expect(found.statistics == Sample.progress(rounds: 3).statistics)
        #expect(try store.search("word2").count == 1)
        #expect(!FileManager.default.fileExists(atPath: file))
        // The tree of the round that had come into the store is still there.
        #expect(try store.rounds(of: turn.conversation)[0]?.count == 1)
    }

    @Test func `has ended as it had ended`() throws {
        try leave(ending: JournalEnding(.stopped))
        #expect(try found().state == .stopped)
    }

    @Test func `is not touched while its program lives`() throws {
        let claim = try #require(try store.claim(turn.conversation))
        let journal = AnswerJournal()
        journal.attach(claim, turn: turn)
        journal.add(Sample.round(0), text: "word0 ")
        #expect(try found().answer.isEmpty)
        #expect(try state() == "streaming", "another program's opening took the turn for abandoned")
        #expect(FileManager.default.fileExists(atPath: file))
        withExtendedLifetime(claim) {}
    }

    private func state() throws -> String? { try store.read { try String.fetchOne($0, sql: "SELECT state FROM turn") } }

    @Test func `does not come back over an end that the store has`() throws {
        try leave()
        try store.finish(turn, Sample.progress(rounds: 4), .complete)
        let found = try found()
        #expect(found.state == .complete && found.tokens.count == 8)
    }

    @Test func `is gone with its question`() throws {
        try leave()
        try store.delete([turn.conversation])
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(try ConversationStore.open(path: folder.store).list().isEmpty)
    }

    @Test func `is read by nobody else`() throws {
        try leave()
        for path in [file, folder.store + "-open"] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(try #require(mode) & 0o077 == 0, "\(path)")
        }
    }

    @Test func `leaves files alone that are none of ours`() throws {
        try leave()
        let other = folder.store + "-open/README"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: other))
        _ = try found()
        #expect(FileManager.default.fileExists(atPath: other))
    }
}
