// RecorderTests.swift — a chat is saved as it happens, by nobody who waits.

import Engine
import Foundation
import Synchronization
import Testing

@testable import ConversationStore

/// Hears what a recorder says of itself, and can take the disk away.
private final class Surroundings: Sendable {
    private let heard = Mutex<[ConversationRecorder.Status]>([])
    private let failure = Mutex<StoreError?>(nil)
    private let path: String

    init(path: String) { self.path = path }

    var statuses: [ConversationRecorder.Status] { heard.withLock { $0 } }

    func fail(_ error: StoreError?) { failure.withLock { $0 = error } }

    func recorder(store: ConversationStore? = nil) -> ConversationRecorder {
        ConversationRecorder(
            open: { [self] () throws(StoreError) in
                if let error = failure.withLock({ $0 }) { throw error }
                if let store { return store }
                return try ConversationStore.open(path: path)
            }, notify: { status in self.heard.withLock { $0.append(status) } })
    }
}

@Suite struct `Conversation recorder` {
    private let folder: TestFolder
    private let surroundings: Surroundings

    init() throws {
        folder = try TestFolder()
        surroundings = Surroundings(path: folder.store)
    }

    private func saved(_ recorder: ConversationRecorder) throws -> SavedConversation {
        try ConversationStore.open(path: folder.store).conversation(try #require(recorder.conversation))
    }

    private func answer(_ recorder: ConversationRecorder, rounds: Range<Int>) {
        for index in rounds { recorder.record(.round(Sample.round(index), text: "word\(index) ")) }
    }

    @Test func `saves questions, answers and ends, in order`() throws {
        let recorder = surroundings.recorder()
        recorder.begin { Sample.conversation }
        #expect(recorder.flush() && recorder.conversation == nil, "a conversation without a question is none")
        recorder.beginTurn(Sample.question("one"))
        answer(recorder, rounds: 0..<300)
        recorder.endTurn(.stopped)
        recorder.beginTurn(Sample.question("two"))
        recorder.record(.notice(Notice("nothing to save")))
        answer(recorder, rounds: 0..<2)
        recorder.endTurn(.broken)
        #expect(recorder.flush())
        let saved = try saved(recorder)
        #expect(saved.turns.map(\.question) == ["one", "two"])
        #expect(saved.turns.map(\.state) == [.stopped, .broken])
        #expect(saved.turns[0].tokens.count == 600 && saved.turns[0].answer.hasSuffix("word299 "))
        #expect(saved.turns[1].answer == "word0 word1 ")
        let rounds = try ConversationStore.open(path: folder.store).rounds(of: saved.id)
        #expect(rounds[0] == (0..<300).map(Sample.round) && rounds[1]?.count == 2)
        #expect(surroundings.statuses.isEmpty)
    }

    @Test func `makes few writings of many rounds, and the last one holds them all`() throws {
        let store = try ConversationStore.open(path: folder.store)
        let changes = Mutex(0)
        let recorder = surroundings.recorder(store: store)
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("?"))
        let start = ProcessInfo.processInfo.systemUptime
        for index in 0..<200 {
            recorder.record(.round(Sample.round(index), text: "x"))
            usleep(1000)
            let written = try recorder.conversation.map { try store.rounds(of: $0)[0]?.count ?? 0 } ?? 0
            changes.withLock { $0 = max($0, written) }
        }
        let seconds = ProcessInfo.processInfo.systemUptime - start
        #expect(changes.withLock { $0 } > 0, "progress is written before the end")
        recorder.endTurn(.complete)
        #expect(recorder.flush())
        #expect(try saved(recorder).turns[0].answer.count == 200)
        // Two transactions belong to the question and the end; the others are thirty a second at most.
        #expect(Double(recorder.writings) <= seconds / ConversationRecorder.interval + 4)
    }

    @Test func `goes on with a saved conversation, and asks again in the place of earlier turns`() throws {
        let id = try ConversationStore.open(path: folder.store).save([("one", "1"), ("two", "2")])
        let recorder = surroundings.recorder()
        recorder.resume(id)
        recorder.beginTurn(Sample.question("zwei"), replacingFrom: 1)
        answer(recorder, rounds: 0..<1)
        recorder.endTurn(.complete)
        recorder.beginTurn(Sample.question("three"))
        recorder.removeTurns(from: 2)
        var settings = Sample.settings
        settings.maximumTokens = 3
        recorder.setSettings(settings)
        #expect(recorder.flush())
        #expect(recorder.conversation == id)
        let saved = try saved(recorder)
        #expect(saved.turns.map(\.question) == ["one", "zwei"])
        #expect(saved.turns[1].answer == "word0 ")
        #expect(saved.settings.maximumTokens == 3)
    }

    @Test func `begins a new conversation without touching the old one`() throws {
        let recorder = surroundings.recorder()
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("old"))
        answer(recorder, rounds: 0..<2)
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("new"))
        recorder.endTurn(.complete)
        #expect(recorder.flush())
        let store = try ConversationStore.open(path: folder.store)
        #expect(try store.list().map(\.title) == ["new", "old"])
        #expect(try store.conversation(store.list()[1].id).turns[0].state == .stopped)
        #expect(try saved(recorder).title == "new")
    }

    @Test func `keeps what cannot be written now, says so, and writes it later`() throws {
        let error = StoreError.diskFull(path: folder.store)
        surroundings.fail(error)
        let recorder = surroundings.recorder()
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("one"))
        answer(recorder, rounds: 0..<5)
        #expect(!recorder.flush() && recorder.status == .waiting(error))
        recorder.endTurn(.complete)
        recorder.beginTurn(Sample.question("two"))
        recorder.endTurn(.stopped)
        #expect(!recorder.flush())
        surroundings.fail(nil)
        #expect(recorder.flush() && recorder.status == .saved)
        #expect(surroundings.statuses == [.waiting(error), .saved])
        let saved = try saved(recorder)
        #expect(saved.turns.map(\.state) == [.complete, .stopped])
        #expect(saved.turns[0].tokens.count == 10)
    }

    @Test func `tries again by itself when the way is free`() throws {
        surroundings.fail(.busy(path: folder.store))
        let recorder = surroundings.recorder()
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("one"))
        #expect(!recorder.flush())
        surroundings.fail(nil)
        let deadline = Date(timeIntervalSinceNow: 20)
        while recorder.status != .saved && Date() < deadline { usleep(20_000) }
        #expect(try saved(recorder).turns.map(\.question) == ["one"])
    }

    @Test func `gives up what can never be written, and saves the next conversation`() throws {
        let recorder = surroundings.recorder()
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("one"))
        #expect(recorder.flush())
        let id = try #require(recorder.conversation)
        try ConversationStore.open(path: folder.store).delete([id])
        recorder.endTurn(.complete)
        #expect(!recorder.flush())
        #expect(recorder.status == .ended(.conversationGone(id)))
        recorder.beginTurn(Sample.question("two"))
        #expect(!recorder.flush())
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("three"))
        #expect(recorder.flush())
        #expect(try ConversationStore.open(path: folder.store).list().map(\.title) == ["three"])
        #expect(surroundings.statuses == [.ended(.conversationGone(id)), .saved])
    }

    @Test func `lets nobody wait while another program holds the disk`() throws {
        let store = try ConversationStore.open(path: folder.store, patience: 2, now: { Date() })
        let other = try ConversationStore.open(path: folder.store)
        let recorder = surroundings.recorder(store: store)
        let isHeld = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            try? other.write { _, _ in
                isHeld.signal()
                release.wait()
            }
        }
        isHeld.wait()
        recorder.begin { Sample.conversation }
        var longest = 0.0
        for index in 0..<100 {
            let start = ProcessInfo.processInfo.systemUptime
            if index == 0 { recorder.beginTurn(Sample.question("?")) }
            recorder.record(.round(Sample.round(index), text: "x"))
            _ = (recorder.conversation, recorder.status)
            longest = max(longest, ProcessInfo.processInfo.systemUptime - start)
            usleep(1000)
        }
        release.signal()
        recorder.endTurn(.complete)
        #expect(recorder.flush())
        #expect(try saved(recorder).turns[0].answer.count == 100)
        // A call that waited would have waited for the other program: a tenth of a second at least.
        #expect(longest < 0.1)
    }
}
