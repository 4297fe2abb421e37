// HistoryFile.swift — what was written, kept on disk: one JSON string a line, appended by any number of programs at once.

import Foundation
import Glibc

/// The file of the composer's history. Nothing that goes wrong with it is worth a word: it is a convenience.
final class HistoryFile: Sendable {
    let path: String
    private let queue = DispatchQueue(label: "specchat.history")

    /// Entries that stay when the file has grown too long.
    static let capacity = ComposerHistory.capacity
    /// Bytes at which it is cut back to its newest entries.
    static let largest = 1 << 20
    /// Longer texts are files of their own somewhere; here they would push out everything else.
    static let longestEntry = 1 << 16

    init(path: String) { self.path = path }

    /// `$XDG_STATE_HOME/specchat/history`, or the same below `~/.local/state`; nil without a home.
    static func path(environment: [String: String]) -> String? {
        // The specification ignores a relative path.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/specchat/history" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state/specchat/history" : nil }
    }

    /// The entries, oldest first; lines that are none are passed over.
    func load() -> [String] {
        // A FIFO or a device in its place must not keep us waiting.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        guard let size = HistoryFile.size(of: descriptor) else { return [] }
        return HistoryFile.entries(in: HistoryFile.read(descriptor, from: max(0, size - 2 * HistoryFile.largest)))
    }

    /// Adds an entry, beside the screen's thread.
    func append(_ text: String) {
        queue.async { [self] in write(text) }
    }

    /// Waits until everything is on disk.
    func finish() { queue.sync {} }

    // MARK: Writing

    private func write(_ text: String) {
        guard text.utf8.count <= HistoryFile.longestEntry, let line = HistoryFile.line(for: text) else { return }
        makeFolder()
        // Another program may put a shorter file in the place of the one that was just opened.
        for _ in 0..<10 {
            let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
            guard descriptor >= 0 else { return }
            defer { close(descriptor) }
            guard let size = HistoryFile.size(of: descriptor) else { return }
            guard HistoryFile.lock(descriptor) else { return }
            guard HistoryFile.isStill(descriptor, at: path) else { continue }
            fchmod(descriptor, 0o600)
            add(line, to: descriptor, size: HistoryFile.size(of: descriptor) ?? size)
            return
        }
    }

    private func makeFolder() {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Under the lock. What a full disk takes only in part is taken back, so that no half line is left behind.
    private func add(_ line: [UInt8], to descriptor: Int32, size: Int) {
        var line = line
        var last: UInt8 = 0
        if size > 0, pread(descriptor, &last, 1, off_t(size - 1)) == 1, last != UInt8(ascii: "\n") {
            line.insert(UInt8(ascii: "\n"), at: 0)
        }
        let written = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if written != line.count {
            ftruncate(descriptor, off_t(size))
        } else if size + line.count > HistoryFile.largest {
            shorten(descriptor)
        }
    }

    /// Puts a file with the newest entries in the place of this one. Who waits for the lock looks again after it.
    private func shorten(_ descriptor: Int32) {
        var kept: [[UInt8]] = []
        var bytes = 0
        for entry in HistoryFile.entries(in: HistoryFile.read(descriptor, from: 0)).reversed() {
            guard let line = HistoryFile.line(for: entry), kept.count < HistoryFile.capacity else { continue }
            // Half of what is allowed, so that the next entries need no shortening.
            guard bytes + line.count <= HistoryFile.largest / 2 else { break }
            bytes += line.count
            kept.append(line)
        }
        let draft = path + ".\(getpid())"
        let new = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard new >= 0 else { return }
        let content = Array(kept.reversed().joined())
        let written = content.withUnsafeBytes { Glibc.write(new, $0.baseAddress, $0.count) }
        close(new)
        if written != content.count || rename(draft, path) != 0 { unlink(draft) }
    }

    // MARK: Lines

    static func line(for text: String) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    static func entries(in bytes: [UInt8]) -> [String] {
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).suffix(capacity).compactMap {
            try? decoder.decode(String.self, from: Data($0))
        }
    }

    // MARK: The file itself

    /// Bytes of a plain file; nil for anything else.
    private static func size(of descriptor: Int32) -> Int? {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(facts.st_size)
    }

    /// Waits a moment for other programs; without the lock nothing is written.
    private static func lock(_ descriptor: Int32) -> Bool {
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            // File systems that know no locks take whole lines by O_APPEND alone.
            if errno != EWOULDBLOCK && errno != EINTR { return true }
            usleep(10_000)
        }
        return false
    }

    private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
        var mine = stat()
        var there = stat()
        return fstat(descriptor, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino
            && mine.st_dev == there.st_dev
    }

    private static func read(_ descriptor: Int32, from start: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var place = off_t(start)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, place)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
            place += off_t(count)
        }
    }
}
