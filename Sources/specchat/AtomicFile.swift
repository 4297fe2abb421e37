// AtomicFile.swift — a file that is there whole or not at all. Used for answers and the settings file.

import Foundation

/// A place for a file: looked at before the work begins, filled in one go when it is done.
struct AtomicFile: Sendable {
    private let path: String
    private let replacing: Bool
    private let name: String

    /// Makes sure, as far as can be known beforehand, that the file can be written; writes nothing.
    ///
    /// With `replacing` an earlier file may be replaced; otherwise it is refused. Anything but a file is always refused.
    init(path: String, replacing: Bool) throws(CommandFailure) {
        name = path
        self.replacing = replacing
        var status = stat()
        let isThere = stat(path, &status) == 0
        // A link stays a link: what it points to is replaced.
        self.path = isThere ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
        if isThere {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandFailure(.failure, "\(path) is not a file, so it is not replaced. Name another place.")
            }
            guard replacing else { throw Self.exists(path) }
        }
        guard access(Self.folder(of: self.path), W_OK | X_OK) == 0 else {
            throw Self.cannotWrite(path)
        }
    }

    /// Writes the whole file: beside its place first, through to the disk, and then into its place in one step.
    ///
    /// Whatever goes wrong, nothing is left behind, and an earlier file stays as it was.
    func write(_ text: String) throws(CommandFailure) { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws(CommandFailure) {
        var template = Array((Self.folder(of: path) + "/.specchat-XXXXXX").utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw Self.cannotWrite(name) }
        let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(CommandFailure) {
            defer { close(file) }
            guard fchmod(file, permissions) == 0, Self.write(bytes[...], to: file), fsync(file) == 0 else {
                throw Self.cannotWrite(name)
            }
            try putInPlace(temporary)
        } catch {
            unlink(temporary)
            throw error
        }
        Self.syncFolder(of: path)
    }

    private func putInPlace(_ temporary: String) throws(CommandFailure) {
        // Unlike a rename, a link never replaces what someone else has put there in the meantime.
        if !replacing {
            if link(temporary, path) == 0 {
                unlink(temporary)
                return
            }
            if errno == EEXIST { throw Self.exists(name) }
            // This file system has no links.
            guard access(path, F_OK) != 0 else { throw Self.exists(name) }
        }
        guard rename(temporary, path) == 0 else { throw Self.cannotWrite(name) }
    }

    /// Those of the file that is replaced, or what the user's mask leaves of the usual ones.
    private var permissions: mode_t {
        var status = stat()
        if stat(path, &status) == 0 { return status.st_mode & 0o777 }
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }

    private static func write(_ whole: ArraySlice<UInt8>, to file: Int32) -> Bool {
        var bytes = whole
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if written > 0 { bytes = bytes.dropFirst(written) } else if errno != EINTR { return false }
        }
        return true
    }

    /// A new name is on the disk only when its folder is.
    private static func syncFolder(of path: String) {
        let folder = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    private static func exists(_ path: String) -> CommandFailure {
        CommandFailure(.failure, "\(path) is already there. Name another place, or add --force to replace it.")
    }

    private static func cannotWrite(_ path: String) -> CommandFailure {
        CommandFailure(.failure, "cannot write \(path): \(String(cString: strerror(errno))).")
    }
}
