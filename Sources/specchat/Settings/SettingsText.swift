// SettingsText.swift — settings as they are printed: as TOML, as JSON, and as the file to begin with.

import Foundation

enum SettingsText {
    /// Every setting as TOML. What has neither value nor default is a comment.
    static func show(_ settings: Settings, withOrigin: Bool) -> String {
        SettingKey.tables.map { table in
            let keys = SettingKey.all.filter { $0.table == table }
            let lines = keys.map { key in
                key.form.load(settings).map { "\(key.name) = \($0.text)" } ?? "# \(key.name) ="
            }
            let width = lines.map(\.count).max() ?? 0
            let shown = zip(keys, lines).map { key, line in
                guard withOrigin else { return line + "\n" }
                return line.padding(toLength: width, withPad: " ", startingAt: 0)
                    + "  # \(settings.place(of: key))\n"
            }
            return "[\(table)]\n" + shown.joined()
        }.joined(separator: "\n")
    }

    /// A settings file that changes nothing: every setting explained and commented out.
    static var template: String {
        let head = """
            # Settings of specchat. Remove the "# " before a setting to make it count.
            #
            # Flags win over environment variables, those over this file, and that over the defaults, which are shown here.
            # `specchat config show --origin` says what counts. Relative paths are meant from this file's folder.

            """
        let defaults = Settings()
        let tables = SettingKey.tables.map { table in
            let keys = SettingKey.all.filter { $0.table == table }
            let entries = keys.map { key in
                let value = key.form.load(defaults) ?? key.example
                return "# \(key.about) \(key.variable)\n# \(key.name) = \(value?.text ?? "")\n"
            }
            return "\n[\(table)]\n" + entries.joined(separator: "\n")
        }
        return head + tables.joined()
    }

    /// Variables that look like settings and are none.
    static func strangers(in environment: [String: String]) -> [String] {
        let known = Set(SettingKey.all.map(\.variable)).union(["SPECCHAT_CONFIG", "SPECCHAT_ASSETS"])
        return environment.keys.filter { $0.hasPrefix("SPECCHAT_") && !known.contains($0) }.sorted()
    }
}

/// Settings as `config show --json` prints them.
struct SettingsJSON: Encodable {
    let settings: Settings
    let withOrigin: Bool

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for table in SettingKey.tables {
            var inner = container.nestedContainer(keyedBy: Name.self, forKey: Name(table))
            for key in SettingKey.all where key.table == table {
                let value = key.form.load(settings)
                guard withOrigin else {
                    try inner.encode(value, forKey: Name(key.name))
                    continue
                }
                var entry = inner.nestedContainer(keyedBy: Name.self, forKey: Name(key.name))
                try entry.encode(value, forKey: Name("value"))
                try encode(settings.place(of: key), to: &entry)
            }
        }
    }

    private func encode(_ place: SettingPlace, to entry: inout KeyedEncodingContainer<Name>) throws {
        switch place {
        case .builtIn: try entry.encode("default", forKey: Name("origin"))
        case .commandLine: try entry.encode("flag", forKey: Name("origin"))
        case .environment(let variable):
            try entry.encode("environment", forKey: Name("origin"))
            try entry.encode(variable, forKey: Name("variable"))
        case .file(let path, let line):
            try entry.encode("file", forKey: Name("origin"))
            try entry.encode(path, forKey: Name("file"))
            try entry.encode(line, forKey: Name("line"))
        }
    }
}

extension SettingValue: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text), .other(let text): try container.encode(text)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .truth(let value): try container.encode(value)
        }
    }
}
