// Key.swift — keys as the keymap names them, and the reader that makes them from what the terminal sends.

enum Key: Sendable, Equatable {
    case character(Character)
    /// With Ctrl: always a lower-case letter or one of `\ ] ^ _ @`.
    case control(Character)
    /// With Alt (or after Escape).
    case alt(Character)
    case altEnter, altBackspace
    case enter, tab, backTab, escape, backspace, delete
    case up, down, left, right, home, end, pageUp, pageDown, wordLeft, wordRight
    case function(Int)
}

/// What the terminal reader hands on: one code point, or a key that it knows by name.
enum RawInput: Sendable, Equatable {
    case scalar(Unicode.Scalar)
    case key(Key)
    case pasteBegin, pasteEnd
}

/// What was typed, pasted, or answered by the terminal itself.
enum Input: Sendable, Equatable {
    case key(Key)
    /// The whole pasted text, with newlines as `\n`.
    case paste(String)
    /// A terminal's answer to a question of ours that came late, without its ESC.
    case report(String)
}

/// Puts raw input together. Feed it everything that is readable, then call `pause` when nothing more has come.
///
/// Escape sequences that nobody knows are swallowed whole, so that a strange key or a late answer never turns into
/// typed text.
struct KeyReader: Sendable {
    private enum Sequence: Sendable, Equatable {
        case none
        case escape
        /// After ESC [ or ESC O: until a final byte.
        case control(String)
        /// After ESC ], ESC P or ESC _: until BEL or ESC \, of which the ESC may have come.
        case string(String, isEnding: Bool)
    }

    private var sequence = Sequence.none
    private var pasted: String.UnicodeScalarView?
    /// Escape sequences of real keys are shorter; longer ones are noise.
    private let longestSequence = 64
    private let longestString = 4096
    /// How the strings begin that terminals answer with.
    private static let answers = ["]11;", "]1337;", "P>|", "_G"]

    /// Whether a paste has begun and not ended.
    var isPasting: Bool { pasted != nil }

    mutating func feed(_ input: RawInput) -> [Input] {
        if pasted != nil { return feedPaste(input) }
        switch input {
        case .pasteBegin:
            pasted = String.UnicodeScalarView()
            return []
        case .pasteEnd: return []
        case .key(let key):
            let escaped = sequence == .escape
            sequence = .none
            if escaped, key == .backspace { return [.key(.altBackspace)] }
            if escaped, key == .enter { return [.key(.altEnter)] }
            return [.key(key)]
        case .scalar(let scalar): return feed(scalar)
        }
    }

    /// Call when no more input is there: a lone ESC was the Escape key.
    mutating func pause() -> [Input] {
        if case .string(let text, let isEnding) = sequence {
            // An answer may come in pieces; anything else was Alt and a key.
            if KeyReader.answers.contains(where: text.hasPrefix) { return [] }
            sequence = .none
            return KeyReader.keys(of: text) + (isEnding ? [.key(.escape)] : [])
        }
        defer { if case .none = sequence {} else { sequence = .none } }
        return sequence == .escape ? [.key(.escape)] : []
    }

    /// Call when a paste has sent nothing for a while: its end was lost.
    mutating func endPaste() -> [Input] {
        guard let text = pasted else { return [] }
        pasted = nil
        return text.isEmpty ? [] : [.paste(KeyReader.withPlainNewlines(String(text)))]
    }

    private mutating func feedPaste(_ input: RawInput) -> [Input] {
        switch input {
        case .scalar(let scalar): pasted?.append(scalar)
        case .key(.enter): pasted?.append("\n")
        case .key(.tab): pasted?.append("\t")
        case .key, .pasteBegin: break
        case .pasteEnd: return endPaste()
        }
        return []
    }

    private mutating func feed(_ scalar: Unicode.Scalar) -> [Input] {
        switch sequence {
        case .none:
            if scalar == "\u{1B}" {
                sequence = .escape
                return []
            }
            return KeyReader.key(for: scalar).map { [.key($0)] } ?? []
        case .escape:
            if scalar == "\u{1B}" { return [.key(.escape)] }
            sequence = .none
            if scalar == "[" || scalar == "O" {
                sequence = .control(String(Character(scalar)))
                return []
            }
            if scalar == "]" || scalar == "P" || scalar == "_" {
                sequence = .string(String(Character(scalar)), isEnding: false)
                return []
            }
            switch KeyReader.key(for: scalar) {
            case .enter: return [.key(.altEnter)]
            case .backspace: return [.key(.altBackspace)]
            case .character(let character): return [.key(.alt(character))]
            case let other: return other.map { [.key($0)] } ?? []
            }
        case .control(let soFar):
            let text = soFar + String(Character(scalar))
            let isFinal = (0x40...0x7E).contains(scalar.value)
            if !isFinal, text.unicodeScalars.count < longestSequence {
                sequence = .control(text)
                return []
            }
            sequence = .none
            return [.report(text)]
        case .string(let text, let isEnding): return feedString(scalar, after: text, isEnding: isEnding)
        }
    }

    private mutating func feedString(_ scalar: Unicode.Scalar, after text: String, isEnding: Bool) -> [Input] {
        if scalar == "\u{07}" || isEnding && scalar == "\\" {
            sequence = .none
            return [.report(text)]
        }
        if scalar.value < 0x20, scalar != "\u{1B}" {
            // No answer holds a control character: it has lost its end, and this is a key.
            sequence = .none
            return feed(scalar)
        }
        if isEnding {
            // Something else begins: what came before it was no answer, or has lost its end.
            sequence = .escape
            return KeyReader.answers.contains(where: text.hasPrefix)
                ? feed(scalar) : KeyReader.keys(of: text) + feed(scalar)
        }
        if scalar == "\u{1B}" {
            sequence = .string(text, isEnding: true)
        } else if text.unicodeScalars.count < longestString {
            sequence = .string(text + String(Character(scalar)), isEnding: false)
        } else {
            sequence = .none
        }
        return []
    }

    /// What was typed when a string turns out to be none: Alt with its first character, then the others.
    private static func keys(of text: String) -> [Input] {
        text.unicodeScalars.enumerated().compactMap { index, scalar in
            index == 0 ? .key(.alt(Character(scalar))) : key(for: scalar).map { .key($0) }
        }
    }

    private static func key(for scalar: Unicode.Scalar) -> Key? {
        switch scalar.value {
        case 0x0D: .enter
        case 0x09: .tab
        case 0x08, 0x7F: .backspace
        case 0x00: .control("@")
        case 0x01...0x1A: .control(Character(Unicode.Scalar(UInt8(scalar.value) + 0x60)))
        case 0x1C...0x1F: .control(Character(Unicode.Scalar(UInt8(scalar.value) + 0x40)))
        case 0x80...0x9F: nil
        default: .character(Character(scalar))
        }
    }

    private static func withPlainNewlines(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if scalar != "\n" || last != "\r" { plain.append(scalar == "\r" ? "\n" : scalar) }
            last = scalar
        }
        return String(plain)
    }
}
