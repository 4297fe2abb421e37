// KillTests.swift — whatever kills the program and however full the disk is: the store opens, and no word is lost that was
// on the screen.

import Engine
import Foundation
import SmallDisk
import Testing

@testable import ConversationStore

/// Each kill lands at another moment; SPECCHAT_KILLS=100 makes a long run of the short one.
@Suite(.serialized) struct `A program that is killed` {
    private static let kills = Int(ProcessInfo.processInfo.environment["SPECCHAT_KILLS"] ?? "") ?? 20

    @Test func `loses nothing that it had shown`() throws {
        let folder = try TestFolder()
        var ledger = Ledger(path: folder.store)
        var generator = SeededGenerator(seed: 41)
        for kill in 0..<Self.kills {
            try ledger.take(
                Victim.killed(path: folder.store, seed: kill, after: .random(in: 0...120_000, using: &generator)))
        }
        ledger.report("killed with room on the disk", kills: Self.kills)
        #expect(ledger.finished > 0 && ledger.errors == 0)
    }

    @Test(.enabled(if: SmallDisk.isPossible, Comment(rawValue: SmallDisk.reason)))
    func `loses nothing on a disk that fills up and is emptied again`() throws {
        let disk = try SmallDisk(kilobytes: 2048)
        let path = disk.path + "/specchat/conversations.sqlite"
        var ledger = Ledger(path: path)
        var generator = SeededGenerator(seed: 43)
        for kill in 0..<Self.kills {
            // Between no room at all and plenty.
            disk.leave(kilobytes: .random(in: 0...400, using: &generator))
            let lines = try Victim.killed(
                path: path, seed: kill, after: .random(in: 0...120_000, using: &generator))
            // What is in a journal comes into the store as soon as there is room.
            disk.takeBallastAway()
            try ledger.take(lines)
            if disk.used(path) > 1200 {
                disk.empty()
                ledger = ledger.emptied
            }
        }
        disk.empty()
        let store = try ConversationStore.open(path: path)
        try store.save([("is there room again?", "yes")])
        #expect(try store.search("room").count == 1)
        ledger.report("killed on a disk that fills up", kills: Self.kills)
        #expect(ledger.errors > 0, "the disk was never full")
        #expect(ledger.errorKinds.allSatisfy { $0.hasPrefix("no room is left on the disk") }, "\(ledger.errorKinds)")
    }
}

@Suite(.serialized, .enabled(if: SmallDisk.isPossible, Comment(rawValue: SmallDisk.reason)))
struct `A disk without a byte left` {
    private let disk: SmallDisk
    private let path: String

    init() throws {
        disk = try SmallDisk(kilobytes: 8192)
        path = disk.path + "/specchat/conversations.sqlite"
    }

    @Test func `still gives back what was saved`() throws {
        let id = try ConversationStore.open(path: path).save([("What?", "That.")])
        disk.leave(kilobytes: 0)
        #expect(throws: StoreError.diskFull(path: path)) { try ConversationStore.open(path: path).save([("?", "!")]) }
        for _ in 0..<2 {
            let store = try #require(try ConversationStore.openExisting(path: path))
            #expect(try store.conversation(id).turns.map(\.answer) == ["That."])
            #expect(try store.search("that").count == 1)
        }
    }

    @Test func `is waited for by a chat, which is saved when there is room`() throws {
        let recorder = ConversationRecorder(
            open: { [path] () throws(StoreError) in try ConversationStore.open(path: path) }, notify: { _ in })
        recorder.begin { Sample.conversation }
        recorder.beginTurn(Sample.question("one"))
        recorder.endTurn(.complete)
        #expect(recorder.flush())
        disk.leave(kilobytes: 0)
        recorder.beginTurn(Sample.question("two"))
        for index in 0..<200 { recorder.record(.round(Sample.round(index), text: "word\(index) ")) }
        recorder.endTurn(.complete)
        // What room the log still has may do for a while.
        for number in 0..<20 { recorder.beginTurn(Sample.question("more \(number)")) }
        #expect(!recorder.flush())
        #expect(recorder.status == .waiting(.diskFull(path: path)))
        disk.takeBallastAway()
        #expect(recorder.flush() && recorder.status == .saved)
        let id = try #require(recorder.conversation)
        let turns = try ConversationStore.open(path: path).conversation(id).turns
        #expect(turns.count == 22 && turns[1].tokens.count == 400)
    }
}

extension SmallDisk {
    /// Kilobytes that a store takes with all that lies beside it.
    fileprivate func used(_ store: String) -> Int {
        ["", "-wal", "-shm"].reduce(0) { sum, suffix in
            let size = try? FileManager.default.attributesOfItem(atPath: store + suffix)[.size] as? Int
            return sum + (size ?? 0) / 1024
        }
    }
}
