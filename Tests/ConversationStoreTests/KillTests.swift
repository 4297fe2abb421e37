// KillTests.swift — whatever kills the program and however full the disk is: the store opens, and nothing is lost that
// was said to be saved.

import Engine
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ConversationStore

/// Each kill lands at another moment; SPECCHAT_KILLS=100 makes a long run of the short one.
@Suite(.serialized) struct `A program that is killed` {
    private static let kills = Int(ProcessInfo.processInfo.environment["SPECCHAT_KILLS"] ?? "") ?? 20

    @Test func `loses nothing that it had saved`() throws {
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

    @Test(.enabled(if: SmallDisk.isPossible, "only root can mount a small disk"))
    func `loses nothing on a disk that fills up and is emptied again`() throws {
        let disk = try SmallDisk(kilobytes: 2048)
        let path = disk.path + "/specchat/conversations.sqlite"
        var ledger = Ledger(path: path)
        var generator = SeededGenerator(seed: 43)
        for kill in 0..<Self.kills {
            // Between no room at all and plenty.
            disk.leave(kilobytes: .random(in: 0...400, using: &generator))
            try ledger.take(Victim.killed(path: path, seed: kill, after: .random(in: 0...120_000, using: &generator)))
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

@Suite(.serialized, .enabled(if: SmallDisk.isPossible, "only root can mount a small disk"))
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

/// Seeded randomness (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The program that is killed: StoreWriter, built beside these tests.
private enum Victim {
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("StoreWriter")

    /// What it said before it was killed, so many microseconds after its first word.
    static func killed(path: String, seed: Int, after delay: UInt32) throws -> [String] {
        let process = Process()
        process.executableURL = program
        process.arguments = [path, "\(seed)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let words = Mutex(Data())
        let (first, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread {
            while case let piece = handle.availableData, !piece.isEmpty {
                words.withLock { $0 += piece }
                first.signal()
            }
            first.signal()
            end.signal()
        }
        first.wait()
        usleep(delay)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        end.wait()
        // What was cut in the middle of a line was not said.
        let lines = String(decoding: words.withLock { $0 }, as: UTF8.self).components(separatedBy: "\n").dropLast()
        return Array(lines)
    }
}

/// What the victims said is on the disk, held against the store after each kill.
private struct Ledger {
    private struct Place: Hashable {
        let conversation: String
        let number: Int
    }
    private struct Entry {
        let name: String
        let rounds: Int
        let isComplete: Bool
    }

    let path: String
    private var entries: [Place: Entry] = [:]
    private(set) var finished = 0
    private(set) var checked = 0
    private(set) var errors = 0
    private(set) var errorKinds: Set<String> = []

    init(path: String) { self.path = path }

    /// The same counts for a disk that holds nothing any more.
    var emptied: Ledger {
        var ledger = self
        ledger.entries = [:]
        return ledger
    }

    /// Takes down what a victim said and looks whether it is so.
    mutating func take(_ lines: [String]) throws {
        for line in lines { note(line.split(separator: " ").map(String.init), line) }
        guard FileManager.default.fileExists(atPath: path) else {
            #expect(entries.isEmpty)
            return
        }
        guard let store = try opened() else { return }
        #expect(try store.integrity() == "ok")
        try store.write { db, _ in
            try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        }
        try settle(lines.last?.split(separator: " ").map(String.init) ?? [], store)
        let saved = try turns(in: store)
        for (place, entry) in entries {
            checked += 1
            if let fault = fault(of: saved[place], entry) {
                Issue.record("turn \(place.number) of \(place.conversation) \(fault)")
            }
        }
    }

    private struct Turn {
        let question: String
        let answer: String
        let tokens: Int
        let state: String
        let rounds: Int
    }

    /// Everything in one reading, past the store's own: there are thousands.
    private func turns(in store: ConversationStore) throws -> [Place: Turn] {
        try store.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT conversation, number, question, answer, length(tokens) / 4 AS tokens, state,
                        (SELECT count(*) FROM round WHERE turn = turn.id) AS rounds FROM turn
                    """)
            let turns = rows.map { row in
                (
                    Place(conversation: row["conversation"], number: row["number"]),
                    Turn(
                        question: row["question"], answer: row["answer"], tokens: row["tokens"], state: row["state"],
                        rounds: row["rounds"])
                )
            }
            return Dictionary(uniqueKeysWithValues: turns)
        }
    }

    /// How a turn in the store differs from what was said of it.
    private func fault(of turn: Turn?, _ entry: Entry) -> String? {
        guard let turn else { return "is lost" }
        guard turn.question == "question \(entry.name)" else { return "asks \(turn.question)" }
        guard turn.tokens >= entry.rounds, turn.rounds == turn.tokens else {
            return "has \(turn.tokens) tokens and \(turn.rounds) rounds; \(entry.rounds) were saved"
        }
        guard turn.answer == (0..<turn.tokens).map({ "\(entry.name)w\($0) " }).joined() else {
            return "answers \(turn.answer)"
        }
        guard !entry.isComplete || (turn.state == "complete" && turn.tokens == entry.rounds) else {
            return "is \(turn.state) with \(turn.tokens) of \(entry.rounds) tokens"
        }
        return nil
    }

    /// The store; absent where there was never room enough to make one.
    private func opened() throws -> ConversationStore? {
        do {
            return try ConversationStore.openExisting(path: path)
        } catch {
            if entries.isEmpty, case StoreError.diskFull = error { return nil }
            throw error
        }
    }

    private mutating func note(_ words: [String], _ line: String) {
        switch words.first {
        case "turn":
            guard let number = Int(words[2]), let rounds = Int(words[4]) else { return }
            let isComplete = words[5] == "complete"
            finished += isComplete ? 1 : 0
            entries[Place(conversation: words[1], number: number)] = Entry(
                name: words[3], rounds: rounds, isComplete: isComplete)
        case "deleted": entries = entries.filter { $0.key.conversation != words[1] }
        case "cut": entries = entries.filter { $0.key.conversation != words[1] || $0.key.number < Int(words[2]) ?? 0 }
        case "error":
            errors += 1
            errorKinds.insert(String(line.dropFirst("error ".count)))
        default: break
        }
    }

    /// A removal that was begun and not heard of again has happened as a whole or not at all.
    private mutating func settle(_ last: [String], _ store: ConversationStore) throws {
        guard let what = last.first, ["deleting", "cutting"].contains(what) else { return }
        let first = what == "cutting" ? Int(last[2]) ?? 0 : 0
        let places = entries.keys.filter { $0.conversation == last[1] && $0.number >= first }
        let there =
            try store.list().contains { $0.id.description == last[1] }
            ? try store.conversation(last[1]).turns.map(\.number).filter { $0 >= first } : []
        if there.isEmpty { for place in places { entries[place] = nil } }
    }

    func report(_ what: String, kills: Int) {
        print(
            "\(what): \(kills) kills, \(finished) answers finished, \(checked) checks of saved turns, \(errors) refusals for want of room"
        )
    }
}

/// A file system of its own, small enough to be filled.
private final class SmallDisk {
    static let isPossible =
        getuid() == 0 && run("/bin/mount", ["-t", "tmpfs", "tmpfs", probe]) && run("/bin/umount", [probe])

    private static let probe: String = {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-disk-\(getpid())").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()

    private let folder: TestFolder
    var path: String { folder.path }

    init(kilobytes: Int) throws {
        folder = try TestFolder()
        try #require(Self.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", folder.path]))
    }

    deinit { _ = Self.run("/bin/umount", ["--lazy", folder.path]) }

    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Fills the disk until so much is left.
    func leave(kilobytes: Int) {
        takeBallastAway()
        let free = Int(StoreFile.freeBytes(at: path + "/x") ?? 0) / 1024
        let ballast = Data(count: max(0, free - kilobytes) * 1024)
        _ = FileManager.default.createFile(atPath: path + "/ballast", contents: ballast)
    }

    func takeBallastAway() { try? FileManager.default.removeItem(atPath: path + "/ballast") }

    func used(_ store: String) -> Int {
        ["", "-wal", "-shm"].reduce(0) { sum, suffix in
            let size = try? FileManager.default.attributesOfItem(atPath: store + suffix)[.size] as? Int
            return sum + (size ?? 0) / 1024
        }
    }

    /// Takes the store and the ballast away.
    func empty() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }
}
