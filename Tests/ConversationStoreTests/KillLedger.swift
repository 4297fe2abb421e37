// KillLedger.swift — the program that is killed, and what it said held against what is found in the store.

import Foundation
import GRDB
import Synchronization
import Testing

@testable import ConversationStore

/// The program that is killed: StoreWriter, built beside these tests.
enum Victim {
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
struct Ledger {
    private struct Place: Hashable {
        let conversation: String
        let number: Int
    }
    private struct Entry {
        let name: String
        /// As many as were shown before the program was killed.
        let rounds: Int
        let isComplete: Bool
        /// The disk had no room for a while, and the victim kept silent on what it could not promise.
        var wasRefused = false
    }

    let path: String
    private var entries: [Place: Entry] = [:]
    /// The turn that was spoken of last.
    private var latest: Place?
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
        // Of a round that was on its way to the screen nothing was promised. The tree of a round may be lost with its
        // writer, its words may not.
        let most = entry.wasRefused ? Int.max : entry.rounds + 1
        guard entry.rounds...most ~= turn.tokens, turn.rounds <= turn.tokens else {
            return "has \(turn.tokens) tokens and \(turn.rounds) rounds; \(entry.rounds) were shown"
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
            let place = Place(conversation: words[1], number: number)
            entries[place] = Entry(name: words[3], rounds: rounds, isComplete: isComplete)
            latest = place
        case "deleted": entries = entries.filter { $0.key.conversation != words[1] }
        case "cut": entries = entries.filter { $0.key.conversation != words[1] || $0.key.number < Int(words[2]) ?? 0 }
        case "error":
            errors += 1
            if let latest { entries[latest]?.wasRefused = true }
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
