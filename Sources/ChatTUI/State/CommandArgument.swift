// CommandArgument.swift — what may follow a command: how it is written, checked and completed. Used by CommandTable.

/// The kind of a command's argument.
enum CommandArgument: Sendable, Equatable {
    case none
    /// One of these words.
    case word([String], isOptional: Bool = false)
    /// A whole number in the range, named like this in the usage.
    case number(String, ClosedRange<Int>)
    /// Any text, named like this in the usage; Tab offers the words.
    case text(String, isOptional: Bool = false, words: [String] = [])
    /// A command's name, with its slash or without.
    case command
    /// Picture files; Tab completes their paths.
    case pictures
    /// A name of a setting and its value.
    case setting
    /// Words of which some are paths; checked by the command itself.
    case format([String], then: String)

    /// "FILE...", "off|chain", "[n]": how the help writes it; empty for none.
    var usage: String {
        switch self {
        case .none: ""
        case .word(let words, let isOptional):
            isOptional ? "[\(words.joined(separator: "|"))]" : words.joined(separator: "|")
        case .number(let name, _): "[\(name)]"
        case .text(let name, let isOptional, _): isOptional ? "[\(name)]" : name
        case .command: "[COMMAND]"
        case .pictures: "FILE..."
        case .setting: "[NAME VALUE]"
        case .format(let words, let rest): "[\(words.joined(separator: "|"))] \(rest)"
        }
    }

    /// Whether the command means something without it.
    var isOptional: Bool {
        switch self {
        case .none, .number, .command, .setting, .format: true
        case .word(_, let isOptional), .text(_, let isOptional, _): isOptional
        case .pictures: false
        }
    }

    /// What is wrong with `argument` for the command `name`; nil when it will do.
    func fault(in argument: String, of name: String) -> String? {
        switch self {
        case .none:
            return argument.isEmpty ? nil : "\(name) stands alone: nothing may follow it"
        case .word(let words, let isOptional):
            if words.contains(argument) || (isOptional && argument.isEmpty) { return nil }
            return "\(name) takes one of: \(words.joined(separator: ", "))"
        case .number(_, let range):
            if argument.isEmpty || Int(argument).map(range.contains) == true { return nil }
            return "\(name) takes a number from \(range.lowerBound) to \(range.upperBound)"
        case .text(let what, let isOptional, _):
            return argument.isEmpty && !isOptional ? "\(name) needs \(what)" : nil
        case .pictures:
            return argument.isEmpty ? "\(name) needs a file: \(name) photo.jpg (Tab completes)" : nil
        case .command, .setting, .format: return nil
        }
    }

    /// The words that Tab offers for the argument's beginning; empty where words are not what it takes.
    var words: [String] {
        switch self {
        case .word(let words, _), .text(_, _, let words), .format(let words, _): words
        case .command: CommandTable.names.map { String($0.dropFirst()) }
        case .setting: Setting.allCases.map(\.rawValue)
        case .none, .number, .pictures: []
        }
    }
}
