// TOMLText.swift — TOML as statements with their lines. The one file that talks to TOMLKit.

import TOMLKit

enum TOMLText {
    /// `key = value`, one of the values of an inline table, or the header of a table.
    struct Statement: Equatable {
        enum Content: Equatable {
            case value(SettingValue)
            /// `[table]`.
            case table
            /// `[[table]]`: one of several.
            case tableOfTables
        }
        /// From the outermost table to the key.
        let keys: [String]
        let content: Content
        /// From 1.
        let line: Int
    }

    /// The statements of a text, in its order; `path` is named in errors.
    ///
    /// TOMLKit reads a whole text or none of it and keeps no lines. So the whole text is parsed first: whatever is wrong
    /// with it is found there. Then it is parsed again statement by statement, each below its table's header, and a
    /// statement's line is where it begins.
    static func statements(of text: String, path: String) throws(SettingsError) -> [Statement] {
        do {
            _ = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .notTOML(path: path, line: error.source.begin.line, reason: oneLine(error.description))
        } catch {
            throw .notTOML(path: path, line: 1, reason: oneLine("\(error)"))
        }
        var statements: [Statement] = []
        var header = ""
        var pending: (text: String, line: Int)?
        // By scalars: "\r\n" is one character.
        let lines = text.unicodeScalars.drop { $0 == "\u{FEFF}" }.split(
            separator: "\n", omittingEmptySubsequences: false)
        for (index, scalars) in lines.enumerated() {
            let line = String(scalars)
            let begun = pending ?? ("", index + 1)
            let piece = begun.text + line + "\n"
            let isHeader = pending == nil && line.drop { $0 == " " || $0 == "\t" }.hasPrefix("[")
            guard let table = try? TOMLTable(string: isHeader ? piece : header + piece) else {
                // A text or a list that goes on in the next line.
                pending = (piece, begun.line)
                continue
            }
            pending = nil
            if isHeader {
                header = piece
                let isOne = !line.drop { $0 == " " || $0 == "\t" }.hasPrefix("[[")
                statements.append(
                    Statement(
                        keys: headerKeys(of: table), content: isOne ? .table : .tableOfTables, line: begun.line))
            } else {
                statements += leaves(of: table, below: [], line: begun.line)
            }
        }
        return statements
    }

    /// `text` between quotation marks.
    static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result +=
                    "\\u" + String(repeating: "0", count: scalar.value < 0x10 ? 3 : 2)
                    + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return "\"" + escaped + "\""
    }

    private static func oneLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }

    /// The one way down through the tables of a header.
    private static func headerKeys(of table: TOMLTable) -> [String] {
        withExtendedLifetime(table) {
            guard let key = table.keys.first else { return [] }
            return [key] + (table[key]?.table.map(headerKeys) ?? [])
        }
    }

    private static func leaves(of table: TOMLTable, below keys: [String], line: Int) -> [Statement] {
        // Inner tables borrow the outer one's memory.
        withExtendedLifetime(table) {
            table.keys.flatMap { key -> [Statement] in
                guard let value = table[key] else { return [] }
                if let inner = value.table { return leaves(of: inner, below: keys + [key], line: line) }
                return [Statement(keys: keys + [key], content: .value(setting(value)), line: line)]
            }
        }
    }

    private static func setting(_ value: any TOMLValueConvertible) -> SettingValue {
        switch value.type {
        case .string: .text(value.string ?? "")
        case .int: .integer(value.int ?? 0)
        case .double: .number(value.double ?? 0)
        case .bool: .truth(value.bool ?? false)
        case .array: .other("a list")
        default: .other("a \(value.type)")
        }
    }
}
