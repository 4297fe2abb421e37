// StoreFileTests.swift — files that are missing, closed, foreign, old, new or broken; and several programs at once.

import Engine
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ConversationStore

@Suite struct `The store's file` {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func `and its folders are the owner's alone`() throws {
        let path = folder.path + "/a/b/conversations.sqlite"
        let store = try ConversationStore.open(path: path)
        try store.save([("?", "!")])
        for file in [path, path + "-wal", path + "-shm"] { #expect(try mode(file) == 0o600, "\(file)") }
        for made in ["/a", "/a/b"] { #expect(try mode(folder.path + made) == 0o700) }
        chmod(path, 0o644)
        _ = try ConversationStore.open(path: path)
        #expect(try mode(path) == 0o600)
    }

    @Test func `lies where XDG_DATA_HOME says`() throws {
        func path(_ environment: [String: String]) throws -> String {
            try StoreFile.defaultPath(environment: environment)
        }
        #expect(try path(["XDG_DATA_HOME": "/data", "HOME": "/home/x"]) == "/data/specchat/conversations.sqlite")
        let usual = "/home/x/.local/share/specchat/conversations.sqlite"
        #expect(try path(["HOME": "/home/x"]) == usual)
        #expect(try path(["HOME": "/home/x", "XDG_DATA_HOME": ""]) == usual)
        #expect(try path(["HOME": "/home/x", "XDG_DATA_HOME": "relative"]) == usual)
        #expect(throws: StoreError.noHome) { try path([:]) }
    }

    @Test func `is not made by a look for it`() throws {
        #expect(try ConversationStore.openExisting(path: folder.store) == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.store))
        _ = try ConversationStore.open(path: folder.store)
        #expect(try ConversationStore.openExisting(path: folder.store)?.list().isEmpty == true)
    }

    @Test func `that many make at the same time is made once`() throws {
        for attempt in 0..<25 {
            let path = folder.path + "/\(attempt)/conversations.sqlite"
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    try ConversationStore.open(path: path).save([("?", "!")])
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try ConversationStore.open(path: path).list().count == 4)
        }
    }

    @Test func `that nobody lived to finish making is finished`() throws {
        try DatabaseQueue(path: folder.store).write { db in
            try db.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        }
        let store = try ConversationStore.open(path: folder.store)
        try store.save([("?", "!")])
        #expect(try store.list().count == 1)
    }

    @Test func `is refused when it is something else`() throws {
        let text = try folder.write("text", Array(String(repeating: "not a database at all. ", count: 100).utf8))
        #expect(throws: StoreError.notAStore(path: text)) { try ConversationStore.open(path: text) }
        #expect(throws: StoreError.notAStore(path: folder.path)) { try ConversationStore.open(path: folder.path) }
        let foreign = folder.path + "/foreign"
        try DatabaseQueue(path: foreign).write { try $0.execute(sql: "CREATE TABLE recipe (name TEXT)") }
        #expect(throws: StoreError.notAStore(path: foreign)) { try ConversationStore.open(path: foreign) }
        let below = text + "/conversations.sqlite"
        #expect(throws: StoreError.cannotOpen(path: below, reason: "Not a directory")) {
            try ConversationStore.open(path: below)
        }
        #expect(try String(contentsOfFile: text, encoding: .utf8).hasPrefix("not a database"))
    }

    @Test func `of a newer program is refused and left alone`() throws {
        _ = try ConversationStore.open(path: folder.store)
        try DatabaseQueue(path: folder.store).write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 telepathy')")
        }
        #expect(throws: StoreError.newerSchema(path: folder.store)) { try ConversationStore.open(path: folder.store) }
    }

    @Test func `that is damaged is an error, never a guess`() throws {
        do {
            let store = try ConversationStore.open(path: folder.store)
            try store.save((0..<200).map { ("question \($0)", String(repeating: "words ", count: 100)) })
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.store))
        for offset in stride(from: 8192, to: bytes.count, by: 512) {
            bytes[offset..<offset + 64] = Data(repeating: 0xA5, count: 64)
        }
        try bytes.write(to: URL(fileURLWithPath: folder.store))
        #expect {
            let store = try ConversationStore.open(path: folder.store)
            for summary in try store.list() { _ = try store.conversation(summary.id) }
        } throws: { error in
            if case StoreError.damaged(folder.store, _) = error { true } else { false }
        }
    }

    @Test func `with values that make no sense is an error, never a guess`() throws {
        let store = try ConversationStore.open(path: folder.store)
        let id = try store.save([("?", "!")])
        try store.write { db, _ in try db.execute(sql: "UPDATE turn SET tokens = x'0102'") }
        #expect { try store.conversation(id) } throws: {
            "\($0)".contains("(an answer in conversation \(id) cannot be read)")
        }
        try store.write { db, _ in try db.execute(sql: "UPDATE conversation SET model = '{}'") }
        #expect { try store.conversation(id) } throws: {
            "\($0)".contains("(its model in conversation \(id) cannot be read)")
        }
    }

    @Test func `of an older program gives its conversations to the new one`() throws {
        // As version 1 wrote it: without search, and with settings that knew fewer options.
        let old = try DatabaseQueue(path: folder.store)
        try StoreSchema.migrator.migrate(old, upTo: "1 conversations")
        try old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO conversation VALUES ('abc234', '2026-01-02 03:04:05.678', '2026-01-02 03:04:06.000',
                        'A kettle?', ?, NULL, '{"sampler":{"seed":7}}');
                    INSERT INTO turn (conversation, number, asked, question, answer, tokens, state, settings, statistics)
                        VALUES ('abc234', 0, '2026-01-02 03:04:05.700', 'A kettle?', 'No.', x'0500000006000000',
                        'complete', '{}', '{"tokens":2}');
                    INSERT INTO turn (conversation, number, asked, question, answer, state, settings, statistics)
                        VALUES ('abc234', 1, '2026-01-02 03:04:05.800', 'Why', 'Becau', 'streaming', '{}', '{}');
                    """, arguments: [try StoredJSON.text(Sample.model)])
        }
        try old.close()
        let store = try ConversationStore.open(path: folder.store)
        let saved = try store.conversation("abc")
        #expect(saved.model == Sample.model && saved.template == nil)
        #expect(
            saved.settings.sampler.seed == 7 && saved.settings.sampler.topP == 1 && saved.settings.maximumTokens == 512)
        #expect(saved.turns.map(\.tokens) == [[5, 6], []])
        #expect(saved.turns.map(\.state) == [.complete, .broken])
        #expect(saved.turns[0].statistics.tokens == 2)
        #expect(saved.created.timeIntervalSince1970 == 1_767_323_045.678)
        #expect(try store.search("kettle").count == 1)
        #expect(try store.search("becau").count == 1)
        #expect(try store.integrity() == "ok")
    }

    /// Files of every released version are out there: a change to one of these tables belongs into a new migration.
    @Test(arguments: [
        ("1 conversations", "2760e3d12787b793"),
        ("2 search", "6695497fb651305a"),
    ])
    func `has the tables that its version was released with`(version: String, digest: String) throws {
        let database = try DatabaseQueue()
        try StoreSchema.migrator.migrate(database, upTo: version)
        let tables = try database.read { db in
            try String.fetchAll(db, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        }
        #expect(SHA256Digest(of: tables.joined(separator: "\n").utf8).hexadecimal.prefix(16) == digest)
    }

    @Test func `serves two programs at once`() async throws {
        let path = folder.store
        try await withThrowingTaskGroup(of: ConversationID.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let store = try ConversationStore.open(path: path)
                    let turn = try store.begin(Sample.conversation, with: Sample.question("writer \(writer)"))
                    for rounds in 1...25 { try store.update(turn, Sample.progress(rounds: rounds, new: 1)) }
                    try store.finish(turn, Sample.progress(rounds: 25, new: 0), .complete)
                    return turn.conversation
                }
            }
            for try await id in group {
                let store = try ConversationStore.open(path: path)
                let turn = try #require(try store.conversation(id).turns.first)
                #expect(turn.state == .complete && turn.tokens.count == 50)
                #expect(try store.rounds(of: id)[0]?.count == 25)
            }
        }
        let store = try ConversationStore.open(path: path)
        #expect(try store.list().count == 4)
        #expect(try store.integrity() == "ok")
    }

    @Test func `that another program holds for too long is an error, and nothing is lost`() throws {
        let store = try ConversationStore.open(path: folder.store, patience: 0.05, now: { Date() })
        let other = try DatabaseQueue(path: folder.store)
        try other.inDatabase { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: StoreError.busy(path: folder.store)) { try store.save([("?", "!")]) }
            #expect(try store.list().isEmpty)
            try db.execute(sql: "ROLLBACK")
        }
        try store.save([("?", "!")])
        #expect(try store.list().count == 1)
    }

    @Test(arguments: [
        (ResultCode.SQLITE_FULL, "no room is left on the disk"), (.SQLITE_IOERR, "the disk failed at"),
        (.SQLITE_READONLY, "is read-only"), (.SQLITE_CANTOPEN, "cannot open"), (.SQLITE_BUSY, "another program"),
        (.SQLITE_LOCKED, "another program"), (.SQLITE_NOTADB, "is not a file of saved conversations"),
        (.SQLITE_CORRUPT, "are damaged"), (.SQLITE_ERROR, "cannot be used"),
    ])
    func `explains every way in which SQLite fails`(code: ResultCode, words: String) {
        let error = StoreError.of(code, message: "told by SQLite", path: folder.store)
        #expect("\(error)".contains(words) && "\(error)".contains(folder.store))
    }
}

@Suite struct `Store errors` {
    private static let id = ConversationID(saved: "abc234")

    @Test(arguments: [
        (
            StoreError.noHome,
            "there is no folder to save conversations in: neither HOME nor XDG_DATA_HOME is set to one. Set one of them, or start with --no-save."
        ),
        (
            .cannotOpen(path: "/p", reason: "Not a directory"),
            "cannot open the saved conversations in /p: Not a directory. Check the folder, set XDG_DATA_HOME to another one, or start with --no-save."
        ),
        (
            .readOnly(path: "/p"),
            "cannot write to the saved conversations in /p: the file or its folder is read-only. Make both writable, set XDG_DATA_HOME to another folder, or start with --no-save."
        ),
        (.notAStore(path: "/p"), "/p is not a file of saved conversations. Move it away, and a new one is made."),
        (
            .newerSchema(path: "/p"),
            "/p was written by a newer specchat, which this one cannot read. Use the newer program, or move the file away to begin a new one."
        ),
        (
            .damaged(path: "/p", detail: "malformed"),
            "the saved conversations in /p are damaged (malformed). Keep a copy, save what can be saved with `sqlite3 FILE .recover`, and move the file away to begin a new one."
        ),
        (
            .busy(path: "/p"),
            "another program has been writing to the saved conversations in /p for too long. Try again when it is done."
        ),
        (
            .diskFull(path: "/p"),
            "no room is left on the disk for the saved conversations in /p. Free some space there and try again."
        ),
        (
            .inputOutput(path: "/p", detail: "disk I/O error"),
            "the disk failed at the saved conversations in /p (disk I/O error). Check the disk and its connection."
        ),
        (
            .failed(path: "/p", detail: "odd"),
            "the saved conversations in /p cannot be used: odd. Please report this."
        ),
        (
            .unreadable(path: "/p", reason: "Is a directory"),
            "cannot read /p to save what was said about it: Is a directory. Check that the file is still there."
        ),
        (
            .pictureGone(path: "/p.png"),
            "the picture /p.png is gone or has changed since it was shown, so nothing more can be said about it. Put it back where it was; with --keep-images the next one is kept."
        ),
        (
            .unknownConversation("zz"),
            "there is no saved conversation 'zz'. `specchat sessions list` shows what there is."
        ),
        (.ambiguous("a", matches: [id, id]), "'a' begins 2 conversations: abc234, abc234. Type one more letter."),
        (
            .ambiguous("a", matches: Array(repeating: id, count: 6)),
            "'a' begins 6 conversations: abc234, abc234, abc234, abc234, abc234, …. Type one more letter."
        ),
        (
            .conversationGone(id),
            "the saved conversation abc234 was deleted by another program. /new begins one that can be saved."
        ),
    ])
    func `say what, where, and what to do`(error: StoreError, message: String) {
        #expect("\(error)" == message)
    }
}
