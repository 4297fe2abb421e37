// SettingsFile.swift — the user's config.toml: found, read, and every line of it held against the keys that there are.

import ChatTUI
import Engine
import Foundation

enum SettingsFile {
    /// More than this is no settings file.
    private static let largest = 64 << 10

    /// $SPECCHAT_CONFIG, or specchat/config.toml in the user's configuration folder; nil where there is no such folder.
    static func path(environment: [String: String]) -> String? {
        if let named = environment["SPECCHAT_CONFIG"], !named.isEmpty { return named }
        // The XDG rules: a path that is not absolute counts as not set.
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            return folder + "/specchat/config.toml"
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.config/specchat/config.toml"
    }

    /// What the file says; nothing when there is none.
    static func read(path: String, home: String?) throws(SettingsError) -> [SettingEntry] {
        guard let text = try text(at: path) else { return [] }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var entries: [SettingEntry] = []
        for statement in try TOMLText.statements(of: text, path: path) {
            switch statement.content {
            case .table: try expectTable(statement.keys, path: path, line: statement.line)
            case .tableOfTables:
                try expectTable(statement.keys, path: path, line: statement.line)
                throw .tableOfTables(path: path, line: statement.line, name: statement.keys.joined(separator: "."))
            case .value(let value):
                let key = try key(of: statement, path: path)
                entries.append(
                    SettingEntry(
                        key: key, value: resolved(value, of: key, folder: folder, home: home),
                        place: .file(path: path, line: statement.line)))
            }
        }
        return entries
    }

    private static func text(at path: String) throws(SettingsError) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
        guard file >= 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        let data: Data
        do {
            data = try handle.read(upToCount: largest + 1) ?? Data()
        } catch {
            throw .cannotRead(path: path, reason: "it is not a file")
        }
        guard data.count <= largest else { throw .cannotRead(path: path, reason: "it is larger than 64 KiB") }
        // A null character would end the text for the parser, and hide what follows.
        guard let text = String(validating: data, as: UTF8.self), !text.utf8.contains(0) else {
            throw .cannotRead(path: path, reason: "it is not text in UTF-8")
        }
        return text
    }

    private static func expectTable(_ keys: [String], path: String, line: Int) throws(SettingsError) {
        let table = keys.joined(separator: ".")
        guard SettingKey.tables.contains(table) else { throw .unknownTable(path: path, line: line, name: table) }
    }

    private static func key(of statement: TOMLText.Statement, path: String) throws(SettingsError) -> SettingKey {
        let line = statement.line
        let name = statement.keys.last ?? ""
        let tables = Array(statement.keys.dropLast())
        if !tables.isEmpty { try expectTable(tables, path: path, line: line) }
        let table = tables.first ?? ""
        guard let key = SettingKey.named(name) else { throw .unknownKey(path: path, line: line, name: name) }
        guard key.table == table else { throw .wrongTable(path: path, line: line, key: name, table: key.table) }
        return key
    }

    /// Paths in the file are meant from where the file is; a draft may also be a mere name, a model one in a store.
    private static func resolved(
        _ value: SettingValue, of key: SettingKey, folder: String, home: String?
    ) -> SettingValue {
        guard key.form.isPath, case .text(let path) = value.expandingHome(home), !path.isEmpty else { return value }
        let isName = key == .draft && !path.contains("/") && !path.hasSuffix(".gguf")
        return path.hasPrefix("/") || isName || ModelPlaces.isReference(path) ? .text(path) : .text(folder + "/" + path)
    }
}
