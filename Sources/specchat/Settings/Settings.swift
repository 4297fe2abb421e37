// Settings.swift — what the user wants for good: flags over environment over file over defaults, as one value.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

/// Everything that can be set, resolved. Made by a command from its flags; read by chat, ask and bench.
struct Settings: Sendable, Equatable {
    var model: String?
    var mmproj: String?
    var draft: String?
    var draftProjector: String?
    var threads: Int?
    var context: Int?
    var template: ChatTemplate?
    var cacheFormat = CacheFormat.float16
    var quantize: Quantisation?
    /// Bytes.
    var weightCache = WeightCacheOptions.standardBytes

    /// Speculation, sampling and the longest answer.
    var generation = GenerationOptions()

    var theme = ThemeChoice.auto
    var color = ColorChoice.auto
    var imageProtocol = ImageProtocol.auto
    var tree = TreeSize.full
    var markdown = true
    /// Seconds that a chat leaves every round standing; other commands have nobody who watches.
    var pace = 0.0
    var editor: String?

    var save = true
    var keepImages = false
    /// Bytes.
    var pictureCache = PictureCacheOptions.standardBytes
    var keepAnswers = true

    /// Who has decided what, by the keys' names; what is missing has its default.
    private(set) var places: [String: SettingPlace] = [:]

    func place(of key: SettingKey) -> SettingPlace { places[key.name] ?? .builtIn }

    /// Takes over what one level says: the file, the environment or the flags.
    mutating func take(_ entries: [SettingEntry]) throws(SettingsError) {
        let named = Set(entries.map(\.key.name))
        // Vision file, draft, template and type were chosen for a model: for another one they would be wrong.
        if named.contains(SettingKey.model.name) { forget([.mmproj, .draft, .draftProjector, .template, .quantize]) }
        if named.contains(SettingKey.draft.name) { forget([.draftProjector]) }
        for entry in entries {
            guard entry.key.form.store(entry.value, &self) else {
                throw .badValue(entry.place, key: entry.key.name, value: entry.value, wanted: entry.key.form.wanted)
            }
            places[entry.key.name] = entry.place
        }
    }

    /// Gives these keys their defaults.
    mutating func forget(_ keys: [SettingKey]) {
        let defaults = Settings()
        for key in keys {
            key.form.copy(defaults, &self)
            places[key.name] = nil
        }
    }

    /// Every level, the flags last.
    static func resolved(
        flags: [SettingEntry], environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SettingsError) -> Settings {
        var settings = Settings()
        if let file = SettingsFile.path(environment: environment) {
            try settings.take(SettingsFile.read(path: file, home: environment["HOME"]))
        }
        try settings.take(SettingEntry.entries(of: environment))
        try settings.take(flags)
        return settings
    }
}

/// Where a value comes from.
enum SettingPlace: Sendable, Equatable, CustomStringConvertible {
    case builtIn
    case file(path: String, line: Int)
    case environment(variable: String)
    case commandLine

    var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): variable
        case .commandLine: "command line"
        }
    }
}

/// One value for one key, and who says so.
struct SettingEntry: Sendable, Equatable {
    let key: SettingKey
    let value: SettingValue
    let place: SettingPlace

    /// What a flag says; nothing when it was not given.
    static func flag(_ key: SettingKey, _ value: SettingValue?) -> [SettingEntry] {
        value.map { [SettingEntry(key: key, value: $0, place: .commandLine)] } ?? []
    }

    /// Refuses what a flag must not say, while the command line is read.
    static func check(_ entries: [SettingEntry]) throws {
        var settings = Settings()
        do {
            try settings.take(entries)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// What the environment says. An empty variable says nothing, as everywhere.
    static func entries(of environment: [String: String]) -> [SettingEntry] {
        SettingKey.all.compactMap { key in
            guard let text = environment[key.variable], !text.isEmpty else { return nil }
            var value = key.form.value(of: text)
            if key.form.isPath { value = value.expandingHome(environment["HOME"]) }
            return SettingEntry(key: key, value: value, place: .environment(variable: key.variable))
        }
    }
}

/// What is wrong with a setting, where, and what to do.
enum SettingsError: Error, Equatable, CustomStringConvertible {
    case cannotRead(path: String, reason: String)
    case notTOML(path: String, line: Int, reason: String)
    case unknownTable(path: String, line: Int, name: String)
    case unknownKey(path: String, line: Int, name: String)
    case tableOfTables(path: String, line: Int, name: String)
    case wrongTable(path: String, line: Int, key: String, table: String)
    case badValue(SettingPlace, key: String, value: SettingValue, wanted: String)

    var description: String {
        switch self {
        case .cannotRead(let path, let reason):
            "cannot read the settings \(path): \(reason)."
        case .notTOML(let path, let line, let reason):
            "\(path):\(line): this is not TOML: \(reason). Words need quotation marks, as in theme = \"dark\"."
        case .unknownTable(let path, let line, let name):
            "\(path):\(line): there is no table [\(name)]. "
                + (nearestWord(to: name, among: SettingKey.tables).map { "Did you mean [\($0)]?" }
                    ?? "`specchat config show` lists what there is.")
        case .unknownKey(let path, let line, let name):
            "\(path):\(line): there is no setting '\(name)'. " + Self.suggestion(for: name)
        case .tableOfTables(let path, let line, let name):
            "\(path):\(line): [\(name)] is one table: write it with single brackets."
        case .wrongTable(let path, let line, let key, let table):
            "\(path):\(line): '\(key)' belongs below [\(table)]."
        case .badValue(.commandLine, let key, _, let wanted):
            "--\(key) must be \(wanted)"
        case .badValue(.environment(let variable), _, let value, let wanted):
            "\(variable) must be \(wanted). It is \(value.text)."
        case .badValue(let place, let key, let value, let wanted):
            "\(place): \(key) must be \(wanted). It is \(value.text)."
        }
    }

    private static func suggestion(for name: String) -> String {
        guard let near = nearestWord(to: name, among: SettingKey.all.map(\.name)), let key = SettingKey.named(near)
        else {
            return "`specchat config show` lists what there is."
        }
        return "Did you mean '\(near)' below [\(key.table)]?"
    }
}
