// StoreError.swift — what can go wrong with saved conversations, each with what to do about it.

import Engine
import GRDB

public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Neither HOME nor XDG_DATA_HOME says where.
    case noHome
    case cannotOpen(path: String, reason: String)
    case readOnly(path: String)
    case notAStore(path: String)
    case newerSchema(path: String)
    case damaged(path: String, detail: String)
    case busy(path: String)
    case diskFull(path: String)
    case inputOutput(path: String, detail: String)
    case failed(path: String, detail: String)
    /// A file beside the store: a picture or a model.
    case unreadable(path: String, reason: String)
    /// A picture of a saved conversation that is not where it was, and of which no copy was kept.
    case pictureGone(path: String)
    case unknownConversation(String)
    case ambiguous(String, matches: [ConversationID])
    /// Deleted, by another program, while it was being written.
    case conversationGone(ConversationID)

    public var description: String {
        switch self {
        case .noHome:
            "there is no folder to save conversations in: neither HOME nor XDG_DATA_HOME is set to one. Set one of them, "
                + "or start with --no-save."
        case .cannotOpen(let path, let reason):
            "cannot open the saved conversations in \(path): \(reason). Check the folder, set XDG_DATA_HOME to another "
                + "one, or start with --no-save."
        case .readOnly(let path):
            "cannot write to the saved conversations in \(path): the file or its folder is read-only. Make both writable, "
                + "set XDG_DATA_HOME to another folder, or start with --no-save."
        case .notAStore(let path):
            "\(path) is not a file of saved conversations. Move it away, and a new one is made."
        case .newerSchema(let path):
            "\(path) was written by a newer specchat, which this one cannot read. Use the newer program, or move the file "
                + "away to begin a new one."
        case .damaged(let path, let detail):
            "the saved conversations in \(path) are damaged (\(detail)). Keep a copy, save what can be saved with "
                + "`sqlite3 FILE .recover`, and move the file away to begin a new one."
        case .busy(let path):
            "another program has been writing to the saved conversations in \(path) for too long. Try again when it is done."
        case .diskFull(let path):
            "no room is left on the disk for the saved conversations in \(path). Free some space there and try again."
        case .inputOutput(let path, let detail):
            "the disk failed at the saved conversations in \(path) (\(detail)). Check the disk and its connection."
        case .failed(let path, let detail):
            "the saved conversations in \(path) cannot be used: \(detail). Please report this."
        case .unreadable(let path, let reason):
            "cannot read \(path) to save what was said about it: \(reason). Check that the file is still there."
        case .pictureGone(let path):
            "the picture \(path) is gone or has changed since it was shown, so nothing more can be said about it. Put it back "
                + "where it was; with --keep-images the next one is kept."
        case .unknownConversation(let typed):
            "there is no saved conversation '\(typed)'. `specchat sessions list` shows what there is."
        case .ambiguous(let typed, let matches):
            "'\(typed)' begins \(matches.count) conversations: \(matches.prefix(5).map(\.description).joined(separator: ", "))"
                + (matches.count > 5 ? ", …" : "") + ". Type one more letter."
        case .conversationGone(let id):
            "the saved conversation \(id) was deleted by another program. /new begins one that can be saved."
        }
    }

    /// Whether trying again later may do: what stood in the way can go away by itself or by the user's doing.
    public var isPassing: Bool {
        switch self {
        case .cannotOpen, .readOnly, .busy, .diskFull, .inputOutput: true
        default: false
        }
    }
}

extension StoreError {
    /// What SQLite said, in our words.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            self = Self.of(error.resultCode, message: error.message ?? "\(error.resultCode)", path: path)
        case let error as RowDecodingError: self = .damaged(path: path, detail: "\(error)")
        default: self = .failed(path: path, detail: systemReason(error))
        }
    }

    static func of(_ code: ResultCode, message: String, path: String) -> StoreError {
        switch code {
        case .SQLITE_FULL: .diskFull(path: path)
        // Where even the index of the log finds no room, SQLite speaks of input and output.
        case .SQLITE_IOERR where StoreFile.freeBytes(at: path).map({ $0 < 1 << 16 }) ?? false: .diskFull(path: path)
        case .SQLITE_IOERR: .inputOutput(path: path, detail: message)
        case .SQLITE_READONLY, .SQLITE_PERM: .readOnly(path: path)
        case .SQLITE_CANTOPEN: .cannotOpen(path: path, reason: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy(path: path)
        case .SQLITE_NOTADB: .notAStore(path: path)
        case .SQLITE_CORRUPT: .damaged(path: path, detail: message)
        default: .failed(path: path, detail: message)
        }
    }
}
