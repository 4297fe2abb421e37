// StoreWriting.swift — what changes a saved conversation, one transaction each.

import Engine
import Foundation
import GRDB

extension ConversationStore {
    /// Writes a conversation that has no turn yet.
    public func begin(_ conversation: NewConversation) throws(StoreError) -> ConversationID {
        try write { db, now in try Self.insert(conversation, db, now) }
    }

    /// Writes a conversation together with its first question.
    public func begin(_ conversation: NewConversation, with turn: NewTurn) throws(StoreError) -> TurnReference {
        try write { db, now in
            try Self.insert(turn, in: try Self.insert(conversation, db, now), replacingFrom: nil, db, now)
        }
    }

    /// Writes a question; its answer is `streaming` from then on.
    ///
    /// - Parameter first: the turns from this number on are removed in the same transaction: the question is asked in
    ///   their place.
    public func beginTurn(
        _ turn: NewTurn, in conversation: ConversationID, replacingFrom first: Int? = nil
    ) throws(StoreError) -> TurnReference {
        try write { db, now in try Self.insert(turn, in: conversation, replacingFrom: first, db, now) }
    }

    /// Writes how far an answer has come. A loss of power may undo it, the end of the program cannot.
    public func update(_ turn: TurnReference, _ progress: TurnProgress) throws(StoreError) {
        try write(.normal) { db, now in try Self.set(turn, progress, .streaming, db, now) }
    }

    /// Writes the end of an answer.
    public func finish(_ turn: TurnReference, _ progress: TurnProgress, _ state: TurnState) throws(StoreError) {
        try write { db, now in try Self.set(turn, progress, state, db, now) }
    }

    /// Removes the turns from `first` on, with their pictures.
    public func removeTurns(of conversation: ConversationID, from first: Int) throws(StoreError) {
        try write { db, now in
            try Self.remove(conversation, from: first, db)
            try Self.touch(conversation, db, now)
        }
    }

    /// Changes what the next answer is generated with.
    public func setSettings(_ settings: ConversationSettings, of conversation: ConversationID) throws(StoreError) {
        try write { db, now in
            try db.execute(
                sql: "UPDATE conversation SET settings = ? WHERE id = ?",
                arguments: [try StoredJSON.text(settings), conversation.description])
            try Self.touch(conversation, db, now)
        }
    }

    /// Deletes conversations for good: no trace of them stays in the file.
    public func delete(_ conversations: [ConversationID]) throws(StoreError) {
        try write { db, _ in
            for conversation in conversations {
                try db.execute(sql: "DELETE FROM conversation WHERE id = ?", arguments: [conversation.description])
                if db.changesCount == 0 { throw StoreError.unknownConversation(conversation.description) }
            }
            // The index keeps the words of deleted rows until its parts are merged.
            try db.execute(sql: "INSERT INTO search (search) VALUES ('optimize')")
        }
        emptyLog()
        // An answer that was being written when its program was killed is in a file of its own.
        try recoverAnswers()
    }

    /// Takes over a conversation of another store, with its pictures and rounds: what goes on with it is written here.
    public func take(
        _ saved: SavedConversation, from other: ConversationStore
    ) throws(StoreError) -> ConversationID {
        let id = try begin(
            NewConversation(model: saved.model, template: saved.template, settings: saved.settings))
        let rounds = try other.rounds(of: saved.id)
        for turn in saved.turns {
            var pictures: [PictureRecord] = []
            for picture in turn.pictures { pictures.append(try other.record(of: picture)) }
            let question = NewTurn(question: turn.question, pictures: pictures, settings: turn.settings)
            var progress = TurnProgress()
            (progress.answer, progress.tokens, progress.statistics) = (turn.answer, turn.tokens, turn.statistics)
            progress.rounds = rounds[turn.number] ?? []
            try finish(try beginTurn(question, in: id), progress, turn.state)
        }
        return id
    }

    // MARK: Within a transaction

    private static func insert(_ new: NewConversation, _ db: Database, _ now: Date) throws -> ConversationID {
        var generator = SystemRandomNumberGenerator()
        var id = ConversationID(using: &generator)
        while try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM conversation WHERE id = ?)", arguments: [id.description]) == true
        {
            id = ConversationID(using: &generator)
        }
        try db.execute(
            sql: """
                INSERT INTO conversation (id, created, updated, title, model, template, settings)
                VALUES (?, ?, ?, '', ?, ?, ?)
                """,
            arguments: [
                id.description, now, now, try StoredJSON.text(new.model), new.template,
                try StoredJSON.text(new.settings),
            ])
        return id
    }

    private static func insert(
        _ turn: NewTurn, in conversation: ConversationID, replacingFrom first: Int?, _ db: Database, _ now: Date
    ) throws -> TurnReference {
        if let first { try remove(conversation, from: first, db) }
        try touch(conversation, db, now)
        let number =
            try Int.fetchOne(
                db, sql: "SELECT max(number) + 1 FROM turn WHERE conversation = ?",
                arguments: [conversation.description]) ?? 0
        try db.execute(
            sql: """
                INSERT INTO turn (conversation, number, asked, question, state, settings, statistics)
                VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?)
                """,
            arguments: [
                conversation.description, number, now, Data(turn.question.utf8), TurnState.streaming.rawValue,
                try StoredJSON.text(turn.settings), try StoredJSON.text(TurnStatistics()),
            ])
        let reference = TurnReference(conversation: conversation, number: number, row: db.lastInsertedRowID)
        for (index, picture) in turn.pictures.enumerated() { try insert(picture, index, reference, db) }
        try db.execute(
            sql: "UPDATE conversation SET settings = ? WHERE id = ?",
            arguments: [try StoredJSON.text(turn.settings), conversation.description])
        if number == 0 {
            try db.execute(
                sql: "UPDATE conversation SET title = ? WHERE id = ?",
                arguments: [title(of: turn.question), conversation.description])
        }
        return reference
    }

    private static func insert(
        _ picture: PictureRecord, _ number: Int, _ turn: TurnReference, _ db: Database
    ) throws {
        let digest = picture.digest.hexadecimal
        try db.execute(
            sql: """
                INSERT INTO image (digest, byteCount, width, height, thumbnail, bytes) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (digest) DO UPDATE SET bytes = coalesce(bytes, excluded.bytes)
                """,
            arguments: [
                digest, picture.byteCount, picture.width, picture.height, picture.thumbnail, picture.bytes,
            ])
        try db.execute(
            sql: "INSERT INTO picture (turn, number, path, digest) VALUES (?, ?, ?, ?)",
            arguments: [turn.row, number, picture.path, digest])
    }

    // Texts go in and come out as bytes: a text that SQLite takes for a C string would end at a NUL.

    static func set(
        _ turn: TurnReference, _ progress: TurnProgress, _ state: TurnState, _ db: Database, _ now: Date
    ) throws {
        try db.execute(
            sql: "UPDATE turn SET answer = CAST(? AS TEXT), tokens = ?, state = ?, statistics = ? WHERE id = ?",
            arguments: [
                Data(progress.answer.utf8), StoredTokens.data(progress.tokens), state.rawValue,
                try StoredJSON.text(progress.statistics), turn.row,
            ])
        guard db.changesCount == 1 else { throw StoreError.conversationGone(turn.conversation) }
        let statement = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO round (turn, number, line) VALUES (?, ?, ?)")
        for round in progress.rounds {
            try statement.execute(arguments: [turn.row, round.index, try Trace.line(round)])
        }
        try touch(turn.conversation, db, now)
    }

    private static func remove(_ conversation: ConversationID, from first: Int, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM turn WHERE conversation = ? AND number >= ?",
            arguments: [conversation.description, first])
    }

    private static func touch(_ conversation: ConversationID, _ db: Database, _ now: Date) throws {
        try db.execute(
            sql: "UPDATE conversation SET updated = ? WHERE id = ?", arguments: [now, conversation.description])
        guard db.changesCount == 1 else { throw StoreError.conversationGone(conversation) }
    }

    /// The first line of a question that says something, at most 80 characters of it.
    static func title(of question: String) -> String {
        let lines = question.split(whereSeparator: \.isNewline).lazy.map {
            $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        let line = lines.first { !$0.isEmpty } ?? ""
        return line.count <= 80 ? line : line.prefix(79) + "…"
    }
}
