// SettingForm.swift — how a setting is written: what its value may be, and its way into Settings and back.

import ChatTUI
import Foundation

/// A value as it stands in a file, a variable or a flag.
enum SettingValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case number(Double)
    case truth(Bool)
    /// What no setting takes, such as a list or a date; as TOML writes it.
    case other(String)

    /// As TOML writes it.
    var text: String {
        switch self {
        case .text(let text): TOMLText.quoted(text)
        case .integer(let value): String(value)
        case .number(let value): "\(value)"
        case .truth(let value): String(value)
        case .other(let text): text
        }
    }

    /// The value in double precision; whole numbers too, as people write 1 for 1.0.
    var double: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// The path with the user's folder in place of a leading "~"; shells do that for flags only.
    func expandingHome(_ home: String?) -> SettingValue {
        guard case .text(let path) = self, let home, path == "~" || path.hasPrefix("~/") else { return self }
        return .text(home + path.dropFirst())
    }
}

/// A place in the settings. Key paths are values, but their type does not say so.
typealias SettingPath<Value> = any WritableKeyPath<Settings, Value> & Sendable

/// What a setting's value may be. The same rule holds for the flag, the variable and the line of the file.
struct SettingForm: Sendable {
    enum Kind: Sendable { case text, integer, number, truth }

    /// Completes "must be ...".
    let wanted: String
    let kind: Kind
    /// A path, or a name that may be one: "~" and the settings file's folder are put before it.
    let isPath: Bool
    /// Returns whether the value is allowed; leaves the settings alone when it is not.
    let store: @Sendable (SettingValue, inout Settings) -> Bool
    /// Absent when nothing was set and there is no default to name.
    let load: @Sendable (Settings) -> SettingValue?
    let copy: @Sendable (Settings, inout Settings) -> Void

    /// A form around one place in the settings.
    static func at<Value>(
        _ place: SettingPath<Value>, _ kind: Kind, isPath: Bool = false, wanted: String,
        from read: @escaping @Sendable (SettingValue) -> Value?,
        to write: @escaping @Sendable (Value) -> SettingValue?
    ) -> SettingForm {
        SettingForm(
            wanted: wanted, kind: kind, isPath: isPath,
            store: { value, settings in
                guard let value = read(value) else { return false }
                settings[keyPath: place] = value
                return true
            },
            load: { write($0[keyPath: place]) },
            copy: { $1[keyPath: place] = $0[keyPath: place] })
    }

    /// The value that a variable's text stands for; text that is none of this kind is left for `store` to refuse.
    func value(of text: String) -> SettingValue {
        switch kind {
        case .text: .text(text)
        case .integer: Int(text).map { .integer($0) } ?? .text(text)
        case .number: Double(text).map { .number($0) } ?? .text(text)
        case .truth:
            switch text.lowercased() {
            case "true", "1", "yes", "on": .truth(true)
            case "false", "0", "no", "off": .truth(false)
            default: .text(text)
            }
        }
    }
}

extension SettingForm {
    /// What `/set` changes: the same table says what is allowed.
    static func generation(_ setting: Setting) -> SettingForm {
        let kind: Kind = if case .number = setting.form { .number } else { .integer }
        return SettingForm(
            wanted: setting.allowed, kind: kind, isPath: false,
            store: { value, settings in
                switch (value, setting.form) {
                case (.integer, _), (.number, _): setting.set(value.text, in: &settings.generation)
                // Words such as "auto", and seeds that are larger than TOML's whole numbers.
                case (.text(let text), .wholeOrAuto), (.text(let text), .seed):
                    setting.set(text, in: &settings.generation)
                default: false
                }
            },
            load: { settings in
                let text = setting.value(in: settings.generation)
                if case .wholeOrAuto = setting.form { return Int(text).map { .integer($0) } }
                // The shortest text that means this number: 0.7 and not 0.699999988.
                return kind == .number
                    ? Double(text).map { .number($0) } : Int(text).map { .integer($0) } ?? .text(text)
            },
            copy: { from, to in
                let isCopied = setting.set(setting.value(in: from.generation), in: &to.generation)
                precondition(isCopied, "SettingForm: the value of \(setting.rawValue) is not one that it takes")
            })
    }

    static func number(
        _ place: SettingPath<Double>, _ wanted: String,
        _ allows: @escaping @Sendable (Double) -> Bool
    ) -> SettingForm {
        at(place, .number, wanted: wanted) { value in
            value.double.flatMap { allows($0) ? $0 : nil }
        } to: {
            .number($0)
        }
    }

    static func integer(
        _ place: SettingPath<Int>, _ wanted: String,
        _ allows: @escaping @Sendable (Int) -> Bool
    ) -> SettingForm {
        at(place, .integer, wanted: wanted) { value in
            if case .integer(let number) = value, allows(number) { number } else { nil }
        } to: {
            .integer($0)
        }
    }

    static func integer(
        _ place: SettingPath<Int?>, _ wanted: String,
        _ allows: @escaping @Sendable (Int) -> Bool
    ) -> SettingForm {
        at(place, .integer, wanted: wanted) { value -> Int?? in
            if case .integer(let number) = value, allows(number) { .some(number) } else { nil }
        } to: {
            $0.map { .integer($0) }
        }
    }

    static func truth(_ place: SettingPath<Bool>) -> SettingForm {
        at(place, .truth, wanted: "true or false") { value in
            if case .truth(let truth) = value { truth } else { nil }
        } to: {
            .truth($0)
        }
    }

    static func text(
        _ place: SettingPath<String?>, isPath: Bool = false, _ wanted: String
    ) -> SettingForm {
        at(place, .text, isPath: isPath, wanted: wanted) { value -> String?? in
            if case .text(let text) = value, !text.isEmpty { .some(text) } else { nil }
        } to: {
            $0.map { .text($0) }
        }
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ place: SettingPath<Choice>
    ) -> SettingForm {
        at(place, .text, wanted: words(Choice.self)) { value in
            if case .text(let text) = value { Choice(rawValue: text) } else { nil }
        } to: {
            .text($0.rawValue)
        }
    }

    /// A choice without a default.
    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ place: SettingPath<Choice?>
    ) -> SettingForm {
        at(place, .text, wanted: words(Choice.self)) { value -> Choice?? in
            if case .text(let text) = value, let choice = Choice(rawValue: text) { .some(choice) } else { nil }
        } to: {
            $0.map { .text($0.rawValue) }
        }
    }

    private static func words<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> String {
        let words = Choice.allCases.map(\.rawValue)
        return words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }

    static func size(_ place: SettingPath<Int>) -> SettingForm {
        at(place, .text, wanted: "a number of bytes or a size such as \"512 MB\"") { value in
            switch value {
            case .integer(let bytes) where bytes >= 0: bytes
            case .text(let text): ByteSize.bytes(text)
            default: nil
            }
        } to: {
            .text(ByteSize.text($0))
        }
    }
}

/// Sizes as people write them: "512 MB", "1 GiB", "0".
enum ByteSize {
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000),
        ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("B", 1),
    ]

    static func bytes(_ text: String) -> Int? {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        let unit = units.first { trimmed.lowercased().hasSuffix($0.name.lowercased()) }
        let digits = trimmed.dropLast(unit?.name.count ?? 0).trimmingCharacters(in: .whitespaces)
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let number = Double(digits)
        else { return nil }
        let bytes = number * Double(unit?.bytes ?? 1)
        return bytes < 0x1p62 ? Int(bytes) : nil
    }

    /// The largest unit that leaves a whole number.
    static func text(_ bytes: Int) -> String {
        let unit = units.first { bytes != 0 && $0.name.count > 1 && bytes % $0.bytes == 0 }
        return unit.map { "\(bytes / $0.bytes) \($0.name)" } ?? "\(bytes) B"
    }
}
