// StoreRecovery.swift — who goes on with which conversation, and what becomes of the answers of programs that were killed.

import Foundation
import GRDB

extension ConversationStore {
    /// The folder of the files of conversations that are open somewhere.
    private var openFolder: String { path + "-open" }

    private func openFile(_ id: ConversationID) -> String { "\(openFolder)/\(id)" }

    /// Takes a conversation for this program alone; absent while another has it open. It is let go of with the value, or
    /// with the program, however that ends.
    public func claim(_ id: ConversationID) throws(StoreError) -> OpenConversation? {
        guard !isInMemory else { return OpenConversation(id, path: "", store: path, file: nil) }
        let file = openFile(id)
        // Another program may be looking into the file just now, for a moment.
        for _ in 0..<5 {
            do throws(StoreError) {
                if let locked = try LockedFile(file, of: path, making: true) {
                    if !locked.bytes.isEmpty { try recover([(id, locked)]) { $0 != id.description } }
                    return OpenConversation(id, path: file, store: path, file: locked)
                }
            } catch  where error.isPassing {
                return OpenConversation(id, path: file, store: path, file: nil)
            }
            usleep(20_000)
        }
        return nil
    }

    /// Brings the answers of programs that were killed into the store, as far as they came. Turns whose writer is gone
    /// become `broken`, so that search finds them too. A full disk is no reason not to read: whoever opens the store next
    /// does it.
    public func recoverAnswers() throws(StoreError) {
        do throws(StoreError) {
            var abandoned: [(ConversationID, LockedFile)] = []
            var live: Set<String> = []
            for name in (try? FileManager.default.contentsOfDirectory(atPath: openFolder)) ?? [] {
                guard name.count == ConversationID.length, ConversationID.prefix(typed: name) == name else { continue }
                let id = ConversationID(saved: name)
                if let file = try LockedFile(openFile(id), of: path, making: false) {
                    abandoned.append((id, file))
                } else {
                    live.insert(name)
                }
            }
            try recover(abandoned) { live.contains($0) }
            for (_, file) in abandoned { file.remove() }
        } catch  where error.isPassing {
            return
        }
    }

    /// Writes what the files hold, and empties them.
    ///
    /// - Parameter isLive: whether somebody may still be writing in a conversation.
    private func recover(
        _ files: [(ConversationID, LockedFile)], isLive: (String) -> Bool
    ) throws(StoreError) {
        let answers = files.compactMap { id, file in JournalAnswer(file.bytes).map { (id, $0) } }
        let streaming = try read { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT conversation FROM turn WHERE state = ?",
                arguments: [TurnState.streaming.rawValue])
        }
        let ended = streaming.filter { !isLive($0) }
        if !answers.isEmpty || !ended.isEmpty {
            try write { db, now in
                for (id, answer) in answers { try Self.recover(answer, of: id, db, now) }
                for id in ended {
                    try db.execute(
                        sql: "UPDATE turn SET state = ? WHERE conversation = ? AND state = ?",
                        arguments: [TurnState.broken.rawValue, id, TurnState.streaming.rawValue])
                }
            }
        }
        for (_, file) in files { file.empty() }
    }

    private static func recover(_ answer: JournalAnswer, of id: ConversationID, _ db: Database, _ now: Date) throws {
        let row = try Row.fetchOne(
            db, sql: "SELECT number, state, length(tokens) / 4 AS tokens FROM turn WHERE id = ? AND conversation = ?",
            arguments: [answer.row, id.description])
        // The turn may have been removed, or its end written just before its writer was killed.
        guard let row, let state = TurnState(rawValue: row["state"]), state == .streaming || state == .broken else {
            return
        }
        guard answer.hasReport || answer.progress.tokens.count >= row["tokens"] else { return }
        let turn = TurnReference(conversation: id, number: row["number"], row: answer.row)
        try set(turn, answer.progress, answer.state, db, now)
    }
}
