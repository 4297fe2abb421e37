// Command.swift — what the composer's text asks for. Read with CommandTable, carried out by CommandDispatch.

import Engine

enum Command: Sendable, Equatable {
    case ask(String)
    /// Picture files, in the order in which they were named.
    case attach(paths: [String])
    /// A text that is the path of a picture if there is such a file, and a slip if there is none.
    case findPictures(readings: [[String]])
    /// Shows that picture of the conversation, from 1; without a number, the list of them.
    case images(Int?)
    case new, clear
    /// The list of conversations, narrowed to those that hold these words.
    case sessions(search: String)
    case resume(id: String?)
    case save
    case export(ExportWish)
    case copy(CopyWish)
    case retry
    /// The question of that number, from 1; without one, the last.
    case edit(Int?)
    /// The system prompt of the next conversation; without a text, what it is now.
    case system(String?)
    /// A setting as it was typed after /set; empty for all of them.
    case set(String)
    /// Without a policy, what it is now.
    case speculation(SpeculationPolicy?)
    /// Without a size, the next one.
    case tree(TreeSize?)
    case pause
    /// Rounds forward, or back when negative.
    case step(Int)
    case replay
    case stats
    case theme(String?)
    case doctor
    /// A command's name, or nothing for all of them.
    case help(String?)
    case quit
    /// Something that begins like a command and is none; the text says what to type instead.
    case mistake(String)

    init(_ text: String) {
        let trimmed = text.trimmed
        // As in other chats, a space before it makes a text of anything.
        guard text.first != " " || trimmed.isEmpty else {
            self = .ask(trimmed)
            return
        }
        if let paths = PathText.wholePicturePaths(trimmed) {
            self = .attach(paths: paths)
            return
        }
        let readings = PathText.readings(of: trimmed)
        guard readings.isEmpty else {
            self = .findPictures(readings: readings)
            return
        }
        guard trimmed.hasPrefix("/") else {
            self = .ask(text)
            return
        }
        let word = String(trimmed.prefix { !$0.isWhitespace })
        let argument = String(trimmed.dropFirst(word.count)).trimmed
        guard let entry = CommandTable.entry(named: word) else {
            self = .mistake(CommandTable.correction(of: word))
            return
        }
        self = entry.command(argument)
    }
}

/// What /copy is to copy.
enum CopyWish: Sendable, Equatable {
    /// The last answer is 1, the one before it 2.
    case answer(Int)
    /// The last block of code in an answer.
    case code
}

/// What /export is to write, and where.
struct ExportWish: Sendable, Equatable {
    enum Format: String, Sendable, Equatable, CaseIterable {
        case markdown = "md"
        case json, trace
    }
    var format = Format.markdown
    /// Absent: a name made from the conversation's.
    var path: String?
    /// Overwrites a file that is there.
    var isForced = false
}

extension String {
    /// Without white space at either end.
    var trimmed: String {
        var part = self[...]
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }
}
