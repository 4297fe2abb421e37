// Symbols.swift — the signs that the screen is drawn with, for terminals with and without UTF-8.

struct Symbols: Sendable, Equatable {
    let isUTF8: Bool
    /// Whether a token's spaces have a sign of their own.
    var marksSpaces = true

    static let unicode = Symbols(isUTF8: true)
    static let ascii = Symbols(isUTF8: false)

    var accepted: String { isUTF8 ? "✓" : "+" }
    var bonus: String { isUTF8 ? "★" : "*" }
    var rejected: String { isUTF8 ? "✗" : "x" }
    var unreached: String { isUTF8 ? "·" : "." }
    var cursor: String { isUTF8 ? "▶" : ">" }
    var drafted: String { isUTF8 ? "○" : "o" }

    /// After a token that was looked up, and after one that the draft model proposed too.
    var lookedUp: String { isUTF8 ? "°" : "'" }
    var proposedByBoth: String { isUTF8 ? "⁺" : "\"" }

    var space: String { isUTF8 ? "·" : "_" }
    var newline: String { isUTF8 ? "↵" : "\\n" }
    var tab: String { isUTF8 ? "→" : "\\t" }
    func controlToken(_ name: String) -> String { isUTF8 ? "‹\(name)›" : "<\(name)>" }
    func bytes(_ digits: String) -> String { isUTF8 ? "⟨\(digits)⟩" : "<\(digits)>" }
    func isWhitespaceSign(_ character: Character) -> Bool {
        isUTF8 ? character == "·" || character == "↵" || character == "→" : character == "_"
    }

    var ellipsis: String { isUTF8 ? "…" : "~" }
    var prompt: String { isUTF8 ? "› " : "> " }
    /// Before the row that Enter would choose.
    var pointer: String { isUTF8 ? "▸" : ">" }
    var caret: String { isUTF8 ? "▌" : "_" }
    var dot: String { isUTF8 ? "·" : "-" }
    var dash: String { isUTF8 ? "—" : "-" }
    var times: String { isUTF8 ? "×" : "x" }
    var arrow: String { isUTF8 ? "→" : "->" }
    var below: String { isUTF8 ? "↓" : "v" }
    var above: String { isUTF8 ? "↑" : "^" }
    /// Stands left of quoted text.
    var quoteBar: String { isUTF8 ? "▎" : "|" }
    /// List markers by depth.
    var bullets: [String] { isUTF8 ? ["•", "◦", "▪"] : ["*", "-", "+"] }
    var picture: String { isUTF8 ? "▣" : "#" }
    var barFull: String { isUTF8 ? "━" : "#" }
    var barEmpty: String { isUTF8 ? "─" : "-" }
    /// Eight heights for a line of little columns.
    var spark: [String] {
        isUTF8 ? ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] : [".", ".", ":", ":", "|", "|", "#", "#"]
    }

    /// The line sign whose arms are the given set of `BorderArm`.
    func border(_ arms: BorderArm) -> String {
        isUTF8 ? Symbols.unicodeBorders[Int(arms.rawValue)] : Symbols.asciiBorders[Int(arms.rawValue)]
    }

    // Indexed by the arms' bits: up 1, down 2, left 4, right 8.
    private static let unicodeBorders = [
        " ", "│", "│", "│", "─", "╯", "╮", "┤", "─", "╰", "╭", "├", "─", "┴", "┬", "┼",
    ]
    private static let asciiBorders = [
        " ", "|", "|", "|", "-", "+", "+", "+", "-", "+", "+", "+", "-", "+", "+", "+",
    ]
}

/// The directions in which a line leaves a cell.
struct BorderArm: OptionSet, Sendable {
    let rawValue: UInt8
    static let up = BorderArm(rawValue: 1)
    static let down = BorderArm(rawValue: 2)
    static let left = BorderArm(rawValue: 4)
    static let right = BorderArm(rawValue: 8)
}
