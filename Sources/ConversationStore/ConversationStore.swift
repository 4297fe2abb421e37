// ConversationStore.swift — saved conversations, in one SQLite file. Written by ConversationRecorder, read by the
// command line and the screen. Why it is as it is: Docs/Decisions/0005.

import Foundation
import GRDB

/// The conversations of one user.
///
/// Every change is one transaction: whatever kills the program, the file holds all of a change or nothing of it. Several
/// programs may use one file at once. Calls block until they are done, for up to five seconds while another program
/// writes, so they are not for the screen's thread.
public final class ConversationStore: Sendable {
    public let path: String
    private let queue: DatabaseQueue
    private let now: @Sendable () -> Date

    /// Opens the store at `path`, made with its folders where there is none.
    public static func open(path: String) throws(StoreError) -> ConversationStore {
        try open(path: path, now: { Date() })
    }

    /// Opens the store at `path` to be read; absent where nothing has been saved yet, and then nothing is made.
    ///
    /// On a disk without any room the store keeps other programs out while it is open, so it is for a moment only.
    public static func openExisting(path: String) throws(StoreError) -> ConversationStore? {
        guard StoreFile.exists(path) else { return nil }
        do {
            return try open(path: path)
        } catch .diskFull {
            return try open(path: path, sharing: .exclusive, now: { Date() })
        }
    }

    /// Who else may use the file.
    enum Sharing {
        case shared
        /// Nobody; then the index of the log is kept in memory, and reading takes no room on the disk.
        case exclusive
    }

    /// A store that is in memory and goes with the program: for a chat that shall leave nothing on the disk.
    public static func inMemory() throws(StoreError) -> ConversationStore {
        do {
            return try ConversationStore(
                path: memoryPath, queue: DatabaseQueue(configuration: configuration), now: { Date() })
        } catch {
            throw StoreError(error, path: memoryPath)
        }
    }

    private static let memoryPath = "(memory)"

    /// Whether nothing of it is on the disk.
    var isInMemory: Bool { path == Self.memoryPath }

    static func open(
        path: String, sharing: Sharing = .shared, patience: TimeInterval = 5, now: @escaping @Sendable () -> Date
    ) throws(StoreError) -> ConversationStore {
        try StoreFile.prepare(path)
        do {
            var configuration = Self.configuration
            configuration.busyMode = .timeout(patience)
            configuration.prepareDatabase { db in
                if sharing == .exclusive { try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
                // Not by GRDB's configuration, which writes a little at every opening: a full disk can still be read.
                guard try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                    throw StoreError.cannotOpen(path: path, reason: "its file system cannot keep a log beside it")
                }
            }
            return try StoreFile.alone(at: path, patience: patience) {
                let queue = try DatabaseQueue(path: path, configuration: configuration)
                return try ConversationStore(path: path, queue: queue, now: now)
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "specchat.conversations"
        configuration.prepareDatabase { db in
            // What a user deletes shall not be readable in the file afterwards.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        return configuration
    }

    private init(path: String, queue: DatabaseQueue, now: @escaping @Sendable () -> Date) throws {
        self.path = path
        self.now = now
        self.queue = queue
        try queue.read { db in try Self.checkOrigin(db, path: path) }
        try StoreSchema.migrator.migrate(queue)
        try recoverAnswers()
    }

    /// Refuses a file that another program's tables are in, and one that a newer specchat has changed.
    private static func checkOrigin(_ db: Database, path: String) throws {
        let mark = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        // A program that was stopped while it made the file has left nothing in it but the list of its migrations.
        let tables =
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name <> 'grdb_migrations'") ?? 0
        guard mark == StoreSchema.applicationID || (mark == 0 && tables == 0) else {
            throw StoreError.notAStore(path: path)
        }
        if try StoreSchema.migrator.hasBeenSuperseded(db) { throw StoreError.newerSchema(path: path) }
    }

    // MARK: Transactions

    /// How sure a change is to outlive a loss of power. All outlive the end of the program.
    enum Durability: String {
        /// On the disk before the call returns.
        case full = "FULL"
        /// On the disk with the next full one: for the progress of an answer, many times a second.
        case normal = "NORMAL"
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Runs `body` in one transaction; it is given the time of the change.
    func write<Value>(
        _ durability: Durability = .full, _ body: (Database, Date) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = \(durability.rawValue)")
                var value: Value?
                try db.inTransaction(.immediate) {
                    value = try body(db, now())
                    return .commit
                }
                guard let value else { preconditionFailure("ConversationStore: a transaction without a value") }
                return value
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Brings the log into the file and empties it, so that nothing that was deleted stays in it. Where another program
    /// is in the way, that program's end does it.
    func emptyLog() {
        try? queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    }

    /// What SQLite thinks of the file: "ok", or what is wrong.
    func integrity() throws(StoreError) -> String {
        try read { db in
            try String.fetchAll(db, sql: "PRAGMA integrity_check").joined(separator: "; ")
        }
    }
}
