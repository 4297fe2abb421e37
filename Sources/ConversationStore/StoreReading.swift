// StoreReading.swift — conversations, lists and pictures as they were saved.

public import Engine
public import Foundation
import GRDB

extension ConversationStore {
    /// The conversation that an id, or a beginning that no other id has, names.
    public func conversation(_ typed: String) throws(StoreError) -> SavedConversation {
        try conversation(try id(typed))
    }

    public func conversation(_ id: ConversationID) throws(StoreError) -> SavedConversation {
        try read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM conversation WHERE id = ?", arguments: [id.description])
            guard let row = rows.first else { throw StoreError.unknownConversation(id.description) }
            guard let model = StoredJSON.value(ModelIdentity.self, from: row["model"]) else {
                throw self.damage(id, "its model")
            }
            return SavedConversation(
                id: id, title: row["title"], created: row["created"], updated: row["updated"], model: model,
                template: row["template"],
                settings: StoredJSON.value(from: row["settings"], over: ConversationSettings())
                    ?? ConversationSettings(),
                turns: try self.turns(of: id, db))
        }
    }

    /// The id that was typed, or whose beginning was.
    public func id(_ typed: String) throws(StoreError) -> ConversationID {
        guard let prefix = ConversationID.prefix(typed: typed) else { throw .unknownConversation(typed) }
        let matches = try read { db in
            // No letter of an id has a meaning for GLOB.
            try String.fetchAll(
                db, sql: "SELECT id FROM conversation WHERE id GLOB ? ORDER BY updated DESC", arguments: [prefix + "*"])
        }
        guard let first = matches.first else { throw .unknownConversation(typed) }
        guard matches.count == 1 else {
            throw .ambiguous(typed, matches: matches.map { ConversationID(saved: $0) })
        }
        return ConversationID(saved: first)
    }

    /// The conversation that was written last.
    public func latest() throws(StoreError) -> ConversationID? { try list(limit: 1).first?.id }

    /// Conversations, the one written last first.
    ///
    /// - Parameters:
    ///   - limit: the most to give; absent for all.
    ///   - matching: words, or beginnings of words, that a question or an answer must hold, all in the same turn.
    public func list(limit: Int? = nil, matching words: String? = nil) throws(StoreError) -> [ConversationSummary] {
        let pattern = words.flatMap(SearchPattern.pattern)
        return try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, title, created, updated, json_extract(model, '$.name') AS modelName,
                        (SELECT count(*) FROM turn WHERE conversation = conversation.id) AS turns,
                        (SELECT count(*) FROM picture JOIN turn ON turn.id = picture.turn
                            WHERE conversation = conversation.id) AS pictures
                    FROM conversation
                    WHERE :pattern IS NULL OR id IN (
                        SELECT conversation FROM turn JOIN search ON search.rowid = turn.id WHERE search MATCH :pattern)
                    ORDER BY updated DESC, rowid DESC
                    LIMIT :limit
                    """,
                arguments: ["pattern": pattern, "limit": limit ?? -1]
            ).map { row in
                ConversationSummary(
                    id: ConversationID(saved: row["id"]), title: row["title"], created: row["created"],
                    updated: row["updated"], model: row["modelName"] ?? "", turns: row["turns"],
                    pictures: row["pictures"])
            }
        }
    }

    /// The rounds of every turn, by the turn's number. Those that an answer was not recorded with are missing.
    public func rounds(of id: ConversationID) throws(StoreError) -> [Int: [SpeculationRound]] {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT turn.number AS turn, line FROM round JOIN turn ON turn.id = round.turn
                    WHERE conversation = ? ORDER BY turn.number, round.number
                    """, arguments: [id.description])
            var rounds: [Int: [SpeculationRound]] = [:]
            while let row = try rows.next() {
                guard let round = Trace.round(from: row["line"]) else { throw self.damage(id, "a round") }
                rounds[row["turn"], default: []].append(round)
            }
            return rounds
        }
    }

    /// The thumbnail of a picture, a PNG.
    public func thumbnail(of digest: SHA256Digest) throws(StoreError) -> Data? {
        try blob("thumbnail", of: digest)
    }

    /// The file of a picture, where it was kept and still is what it was.
    public func bytes(of digest: SHA256Digest) throws(StoreError) -> Data? {
        guard let bytes = try blob("bytes", of: digest) else { return nil }
        guard SHA256Digest(of: bytes) == digest else {
            throw .damaged(path: path, detail: "the picture \(digest.hexadecimal.prefix(12)) is not what it was")
        }
        return bytes
    }

    /// What is kept of a picture, to be shown with a question that is asked anew.
    public func record(of picture: SavedPicture) throws(StoreError) -> PictureRecord {
        guard let thumbnail = try thumbnail(of: picture.digest) else {
            throw .damaged(path: path, detail: "the picture \(picture.digest.hexadecimal.prefix(12)) is missing")
        }
        return PictureRecord(picture, thumbnail: thumbnail, bytes: picture.isKept ? try bytes(of: picture.digest) : nil)
    }

    private func blob(_ column: String, of digest: SHA256Digest) throws(StoreError) -> Data? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT \(column) FROM image WHERE digest = ?", arguments: [digest.hexadecimal])
                .flatMap { $0[0] }
        }
    }

    // MARK: Within a reading

    private func turns(of id: ConversationID, _ db: Database) throws -> [SavedTurn] {
        let pictures = try pictures(of: id, db)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT number, asked, CAST(question AS BLOB) AS question, CAST(answer AS BLOB) AS answer, tokens, state,
                    settings, statistics
                FROM turn WHERE conversation = ? ORDER BY number
                """, arguments: [id.description]
        ).map { row in
            guard let tokens = StoredTokens.tokens(row["tokens"]), let state = TurnState(rawValue: row["state"]) else {
                throw damage(id, "an answer")
            }
            return SavedTurn(
                number: row["number"], asked: row["asked"],
                question: String(decoding: row["question"] as Data, as: UTF8.self),
                pictures: pictures[row["number"]] ?? [], answer: String(decoding: row["answer"] as Data, as: UTF8.self),
                tokens: tokens,
                state: state == .streaming ? .broken : state,
                settings: StoredJSON.value(from: row["settings"], over: ConversationSettings())
                    ?? ConversationSettings(),
                statistics: StoredJSON.value(from: row["statistics"], over: TurnStatistics()) ?? TurnStatistics())
        }
    }

    /// By the number of their turn.
    private func pictures(of id: ConversationID, _ db: Database) throws -> [Int: [SavedPicture]] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT turn.number AS turn, path, image.digest, byteCount, width, height, bytes IS NOT NULL AS isKept
                FROM picture JOIN turn ON turn.id = picture.turn JOIN image ON image.digest = picture.digest
                WHERE conversation = ? ORDER BY turn.number, picture.number
                """, arguments: [id.description])
        var pictures: [Int: [SavedPicture]] = [:]
        for row in rows {
            guard let digest = SHA256Digest(hexadecimal: row["digest"]) else { throw damage(id, "a picture") }
            pictures[row["turn"], default: []].append(
                SavedPicture(
                    path: row["path"], digest: digest, byteCount: row["byteCount"], width: row["width"],
                    height: row["height"], isKept: row["isKept"]))
        }
        return pictures
    }

    private func damage(_ id: ConversationID, _ what: String) -> StoreError {
        .damaged(path: path, detail: "\(what) in conversation \(id) cannot be read")
    }
}
