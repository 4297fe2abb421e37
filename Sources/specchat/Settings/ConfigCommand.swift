// ConfigCommand.swift — `specchat config`: what is set, by whom, and a settings file to begin with.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show the settings, or write a settings file.",
        discussion: """
            Flags win over environment variables, those over the settings file, and that over the defaults. A setting is \
            called the same everywhere: --top-p, SPECCHAT_TOP_P, and top-p below [sampling] in the file. A model's vision \
            file and draft count only where that model does: with another --model they are left aside.

            The file is $XDG_CONFIG_HOME/specchat/config.toml, or ~/.config/specchat/config.toml; SPECCHAT_CONFIG names \
            another. Paths in it are meant from the folder that it is in.

            EXAMPLES:
              specchat config init
              specchat config show --origin
            """,
        subcommands: [ConfigShowCommand.self, ConfigPathCommand.self, ConfigInitCommand.self])

    /// Where the settings file is, or would be.
    static func path() throws -> String {
        guard let path = SettingsFile.path(environment: ProcessInfo.processInfo.environment) else {
            throw CommandFailure(
                .failure, "there is no place for a settings file: neither XDG_CONFIG_HOME nor HOME is set.")
        }
        return path
    }
}

struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print every setting as it is without flags: as TOML, fit for a settings file.")

    @Flag(help: "Say where each value comes from.")
    var origin = false

    @Flag(help: "Print one JSON object: tables, and in them the settings.")
    var json = false

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let settings = try Settings.resolved(flags: [], environment: environment)
        for name in SettingsText.strangers(in: environment) {
            let near = nearestVariable(to: name).map { " Did you mean \($0)?" } ?? ""
            TextOutput.complain("the variable \(name) is no setting and has no effect.\(near)")
        }
        if json {
            try TextOutput.standard.line(JSONText.line(SettingsJSON(settings: settings, withOrigin: origin)))
        } else {
            try TextOutput.standard.write(harmless(SettingsText.show(settings, withOrigin: origin)))
        }
    }

    private func nearestVariable(to name: String) -> String? {
        nearestWord(to: name, among: SettingKey.all.map(\.variable))
    }
}

struct ConfigPathCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path", abstract: "Print where the settings file is, or would be.")

    func run() throws { try TextOutput.standard.line(harmless(ConfigCommand.path())) }
}

struct ConfigInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a settings file in which every setting is explained and commented out.")

    @Flag(help: "Replace a settings file that is there.")
    var force = false

    func run() throws {
        let path = try ConfigCommand.path()
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.failure, "cannot make the folder \(folder.path): \(error.localizedDescription).")
        }
        let file = try AtomicFile(path: path, replacing: force)
        try file.write(SettingsText.template)
        try TextOutput.standard.line("wrote \(harmless(path))")
    }
}
