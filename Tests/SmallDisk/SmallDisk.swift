// SmallDisk.swift — a disk that is soon full, for the tests of what happens then. Used by the tests of all that writes.

import Foundation

/// A file system of its own, small enough to be filled. Only where `isPossible`.
public final class SmallDisk {
    /// Whether this process may mount one.
    public static let isPossible: Bool = {
        let probe = folder("probe")
        defer { rmdir(probe) }
        return getuid() == 0 && run("/bin/mount", ["-t", "tmpfs", "tmpfs", probe]) && run("/bin/umount", [probe])
    }()
    /// Why tests that need one are left out elsewhere.
    public static let reason: String = "only root, where it may mount, can make a small disk"

    public let path: String

    public init(kilobytes: Int) throws {
        path = Self.folder(UUID().uuidString)
        guard Self.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", path]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    deinit {
        _ = Self.run("/bin/umount", ["--lazy", path])
        rmdir(path)
    }

    private static func folder(_ name: String) -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-disk-\(getpid())-\(name)")
            .path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Bytes that are left on it.
    public var free: Int {
        var disk = statvfs()
        return statvfs(path, &disk) == 0 ? Int(disk.f_bavail) * Int(disk.f_frsize) : 0
    }

    /// Fills the disk until so much is left.
    public func leave(kilobytes: Int) {
        takeBallastAway()
        let ballast = Data(count: max(0, free / 1024 - kilobytes) * 1024)
        _ = FileManager.default.createFile(atPath: path + "/ballast", contents: ballast)
    }

    public func takeBallastAway() { try? FileManager.default.removeItem(atPath: path + "/ballast") }

    /// Takes all that lies on it away.
    public func empty() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }
}
