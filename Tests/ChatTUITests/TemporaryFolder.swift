// TemporaryFolder.swift — a folder of a test's own, gone when the test is.

import Foundation

final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "specchat-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOf: URL(fileURLWithPath: path + "/" + name), encoding: .utf8)
    }

    /// The permission bits of a file or folder.
    func mode(_ name: String) throws -> Int {
        let facts = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return (facts[.posixPermissions] as? Int ?? 0) & 0o777
    }
}
