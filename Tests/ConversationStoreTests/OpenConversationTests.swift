// OpenConversationTests.swift — a conversation is open in one program at a time.

import Foundation
import Testing

@testable import ConversationStore

@Suite struct `An open conversation` {
    private let folder: TestFolder
    private let store: ConversationStore
    private let id: ConversationID

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.open(path: folder.store)
        id = try store.save([("one", "1")])
    }

    @Test func `is nobody else's until it is let go of`() throws {
        var claim = try store.claim(id)
        #expect(claim != nil)
        let other = try ConversationStore.open(path: folder.store)
        #expect(try other.claim(id) == nil)
        // Others are free.
        #expect(try other.claim(try other.save([("two", "2")])) != nil)
        claim = nil
        #expect(try other.claim(id) != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.store + "-open").isEmpty)
    }

    @Test func `that is begun by a recorder is its own, until it begins another`() throws {
        let recorder = ConversationRecorder(
            open: { [store] () throws(StoreError) in store }, notify: { _ in })
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("mine"))
        recorder.endTurn(.complete)
        #expect(recorder.flush())
        let mine = try #require(recorder.conversation)
        #expect(try store.claim(mine) == nil)
        recorder.begin { Sample.conversation }
        #expect(recorder.flush())
        #expect(try store.claim(mine) != nil)
    }

    @Test func `has what a killed program had said in it before anyone goes on`() throws {
        let turn = try store.beginTurn(Sample.question("two"), in: id)
        let round = JournalRound(Sample.round(0), text: "word0 ", number: 0)
        let left = JournalRecord.turn(row: turn.row).bytes + JournalRecord.round(round).bytes
        try FileManager.default.createDirectory(
            atPath: folder.store + "-open", withIntermediateDirectories: true)
        try Data(left).write(to: URL(fileURLWithPath: "\(folder.store)-open/\(id)"))
        let claim = try #require(try store.claim(id))
        #expect(try store.conversation(id).turns[1].answer == "word0 ")
        withExtendedLifetime(claim) {}
    }

    @Test func `in use is copied whole`() throws {
        var settings = Sample.settings
        settings.system = "Be brief."
        let new = NewConversation(model: Sample.model, settings: settings)
        let turn = try store.begin(new, with: NewTurn(question: "?", settings: settings))
        try store.finish(turn, Sample.progress(rounds: 3), .complete)
        let saved = try store.conversation(turn.conversation)
        let copy = try store.take(saved, from: store)
        let copied = try store.conversation(copy)
        #expect(copy != saved.id && copied.settings == settings)
        #expect(copied.turns.map(\.answer) == saved.turns.map(\.answer))
        #expect(try store.rounds(of: copy) == (try store.rounds(of: saved.id)))
    }
}
