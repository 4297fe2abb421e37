// SettingsFolder.swift — a settings file of a test, read as the program reads its own.

import Foundation

@testable import specchat

/// A folder with a settings file, gone with the test.
final class SettingsFolder {
    let folder = Program.temporary("settings")
    var file: String { folder + "/specchat/config.toml" }

    init(_ text: String? = nil) throws {
        try FileManager.default.createDirectory(atPath: folder + "/specchat", withIntermediateDirectories: true)
        if let text { try text.write(toFile: file, atomically: false, encoding: .utf8) }
    }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func resolved(
        _ environment: [String: String] = [:], flags: [SettingEntry] = []
    ) throws(SettingsError) -> Settings {
        try Settings.resolved(flags: flags, environment: environment.merging(["XDG_CONFIG_HOME": folder]) { a, _ in a })
    }
}
