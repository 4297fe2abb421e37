// StoreFile.swift — where saved conversations lie on the disk, and who may read them.

import Foundation

/// The file of the store: readable by its owner only, as all that people tell a program about their pictures should be.
public enum StoreFile {
    static let name = "conversations.sqlite"

    /// `$XDG_DATA_HOME/specchat/conversations.sqlite`, or below `~/.local/share` where that is not set.
    public static func defaultPath(environment: [String: String]) throws(StoreError) -> String {
        // The XDG specification has relative paths ignored.
        func folder(_ variable: String) -> String? { environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        guard let data = folder("XDG_DATA_HOME") ?? folder("HOME").map({ $0 + "/.local/share" }) else { throw .noHome }
        return URL(fileURLWithPath: data).appendingPathComponent("specchat/\(name)").path
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }

    /// Makes the folders (0700) and the file (0600) that are missing, and takes an existing file from other readers.
    static func prepare(_ path: String) throws(StoreError) {
        try makeFolder((path as NSString).deletingLastPathComponent, for: path)
        // Only a file that does not exist is opened here: closing a second descriptor of a file drops the locks that
        // SQLite holds on it in this process, and two writers would destroy it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
            return
        }
        guard errno == EEXIST else { throw failure(path, errno) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAStore(path: path) }
        if status.st_mode & 0o077 != 0 { chmod(path, 0o600) }
        // The log is a file of its own beside the store.
        guard access(path, W_OK) == 0, access((path as NSString).deletingLastPathComponent, W_OK) == 0 else {
            throw failure(path, errno)
        }
    }

    /// Runs `body` while no other program opens a store in the folder of `path`.
    ///
    /// Making tables takes several steps, and what the first program has made the second must not make again. The folder
    /// is what is locked: a descriptor of the store itself could not be closed without harm (`prepare`). Where a lock
    /// cannot be had in time, `body` runs without one: only the first opening of all needs it.
    static func alone<Value>(at path: String, patience: Double, _ body: () throws -> Value) rethrows -> Value {
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { close(folder) } }
        let end = ProcessInfo.processInfo.systemUptime + patience
        while folder >= 0, flock(folder, LOCK_EX | LOCK_NB) != 0, ProcessInfo.processInfo.systemUptime < end {
            usleep(2_000)
        }
        return try body()
    }

    private static func makeFolder(_ folder: String, for path: String) throws(StoreError) {
        guard !folder.isEmpty, !exists(folder) else { return }
        try makeFolder((folder as NSString).deletingLastPathComponent, for: path)
        // Another program may have made it in the meantime.
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw failure(path, errno) }
    }

    /// What the system's error means for the file at `path`.
    static func failure(_ path: String, _ code: Int32) -> StoreError {
        switch code {
        case EROFS, EACCES, EPERM: .readOnly(path: path)
        case ENOSPC, EDQUOT: .diskFull(path: path)
        default: .cannotOpen(path: path, reason: String(cString: strerror(code)))
        }
    }

    /// Bytes that an ordinary user may still write where `path` lies; absent where the system does not say.
    static func freeBytes(at path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs((path as NSString).deletingLastPathComponent, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
