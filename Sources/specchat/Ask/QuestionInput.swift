// QuestionInput.swift — the question as it was meant: the words of the command line and what was handed in beside them.

import Foundation

/// Puts a question together from the command line and the standard input.
///
/// A program that reads whatever its standard input happens to be hangs in scripts, under cron and ssh, on a pipe that
/// nobody closes, and eats the lines of a `while read` loop around it. So unasked it reads only what can do neither: a
/// file, from its beginning.
struct QuestionInput {
    /// The question, or "-".
    let words: String
    /// What the flags say of the standard input; absent: nothing.
    let readsInput: Bool?

    /// Bytes; no context holds as many tokens.
    private static let largest = 1 << 20

    func text() throws -> String {
        let text = words == "-" ? try Self.standardInput() : words + (try context())
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw CommandFailure(
                .usage, "the question is empty. Give it as the argument, or pipe it into `specchat ask -`.")
        }
        return text
    }

    /// What follows the words: nothing, or an empty line and the standard input.
    private func context() throws -> String {
        guard readsInput ?? Self.isFreshFile(STDIN_FILENO) else { return "" }
        let text = try Self.standardInput()
        return text.contains { !$0.isWhitespace } ? "\n\n" + text : ""
    }

    /// Whether text waits in a pipe that nobody has asked to read: it was hardly meant to be lost.
    var leavesTextUnread: Bool {
        guard readsInput == nil, words != "-" else { return false }
        var status = stat()
        guard fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return false }
        var waiting: Int32 = 0
        return ioctl(STDIN_FILENO, UInt(FIONREAD), &waiting) == 0 && waiting > 0
    }

    /// Whether this is a file of which nothing has been read yet.
    static func isFreshFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
            && lseek(descriptor, 0, SEEK_CUR) == 0
    }

    /// The standard input without the line end that closes it.
    private static func standardInput() throws -> String {
        let text = try TextInput.all(upTo: largest)
        return text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
