// SmallDisk.swift — a disk that is soon full, for the tests of what happens then.

import Foundation
import Testing

@testable import ConversationStore

/// A file system of its own, small enough to be filled.
final class SmallDisk {
    static let isPossible =
        getuid() == 0 && run("/bin/mount", ["-t", "tmpfs", "tmpfs", probe]) && run("/bin/umount", [probe])

    private static let probe: String = {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-disk-\(getpid())").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()

    private let folder: TestFolder
    var path: String { folder.path }

    init(kilobytes: Int) throws {
        folder = try TestFolder()
        try #require(Self.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", folder.path]))
    }

    deinit { _ = Self.run("/bin/umount", ["--lazy", folder.path]) }

    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Fills the disk until so much is left.
    func leave(kilobytes: Int) {
        takeBallastAway()
        let free = Int(StoreFile.freeBytes(at: path + "/x") ?? 0) / 1024
        let ballast = Data(count: max(0, free - kilobytes) * 1024)
        _ = FileManager.default.createFile(atPath: path + "/ballast", contents: ballast)
    }

    func takeBallastAway() { try? FileManager.default.removeItem(atPath: path + "/ballast") }

    func used(_ store: String) -> Int {
        ["", "-wal", "-shm"].reduce(0) { sum, suffix in
            let size = try? FileManager.default.attributesOfItem(atPath: store + suffix)[.size] as? Int
            return sum + (size ?? 0) / 1024
        }
    }

    /// Takes the store and the ballast away.
    func empty() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }
}
