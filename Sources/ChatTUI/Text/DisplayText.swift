// DisplayText.swift — any string as glyphs of known width. The only way for text to reach a frame.

/// What one character of a text looks like in the grid.
///
/// A glyph holds nothing that a terminal could take for a command: control characters are spelt out, marks that move
/// or hide text are named, and what terminals measure differently is replaced by something they agree on.
struct Glyph: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case cluster(Cluster)
        /// Named in ASCII, such as ^[, because it must not reach the terminal itself.
        case spelt(Unicode.Scalar)
    }
    let content: Content
    /// Columns that it covers: usually 1, 2 for wide characters, more for something spelt out.
    let width: Int

    init(_ cluster: Cluster, width: Int = 1) {
        content = .cluster(cluster)
        self.width = width
    }

    init(spelling scalar: Unicode.Scalar) {
        content = .spelt(scalar)
        width = Glyph.name(of: scalar).utf8.count
    }

    static let space = Glyph(.space)
    var isSpace: Bool { self == .space }

    var text: String {
        switch content {
        case .cluster(let cluster): cluster.text
        case .spelt(let scalar): Glyph.name(of: scalar)
        }
    }

    /// How a character without a look of its own is spelt out.
    static func name(of scalar: Unicode.Scalar) -> String {
        if scalar.value == 0x7F { return "^?" }
        if scalar.value < 0x20 { return "^" + String(Character(Unicode.Scalar(UInt8(scalar.value) + 0x40))) }
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

enum DisplayText {
    /// The glyphs of one line; a newline inside is spelt out as ^J.
    static func glyphs(_ text: String) -> [Glyph] {
        var glyphs: [Glyph] = []
        glyphs.reserveCapacity(text.utf8.count)
        visit(text) { glyphs.append($0) }
        return glyphs
    }

    /// Columns of the line.
    static func width(_ text: String) -> Int {
        var width = 0
        visit(text) { width += $0.width }
        return width
    }

    /// Hands each glyph of one line to `body`.
    static func visit(_ text: String, _ body: (Glyph) -> Void) {
        // Nearly all text is plain, and where a plain character follows a plain one nothing combines: no clusters need
        // to be looked for, which is most of the work of reading a string.
        var plain: Unicode.Scalar?
        var read = 0
        for scalar in text.unicodeScalars {
            guard isPlain(scalar) else {
                // What follows may combine with the last one.
                let rest = text.utf8.index(text.startIndex, offsetBy: read)
                for character in text[rest...] { visit(character, body) }
                return
            }
            if let plain {
                body(Glyph(Cluster(plain)))
                read += UTF8.width(plain)
            }
            plain = scalar
        }
        if let plain { body(Glyph(Cluster(plain))) }
    }

    /// The line cut to `width` columns; what was cut leaves `mark` at its end.
    static func clipped(_ text: String, to width: Int, mark: String = "…") -> [Glyph] {
        let all = glyphs(text)
        if all.reduce(0, { $0 + $1.width }) <= width { return all }
        let markGlyphs = glyphs(mark)
        let room = width - markGlyphs.reduce(0) { $0 + $1.width }
        guard room >= 0 else { return Array(repeating: .space, count: max(0, width)) }
        var kept: [Glyph] = []
        var used = 0
        for glyph in all {
            if used + glyph.width > room { break }
            kept.append(glyph)
            used += glyph.width
        }
        return kept + markGlyphs
    }

    /// Latin letters, punctuation, arrows, lines, blocks and our own signs: one column each, and nothing to look up.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 0x2B0 { return value >= 0x20 && value < 0x7F || value >= 0xAE }
        switch value {
        case 0x2010...0x2027, 0x203A, 0x2190...0x21FF, 0x2500...0x25FC, 0x2605, 0x2713, 0x2717, 0x2800...0x28FF:
            return true
        default: return false
        }
    }

    private static func visit(_ character: Character, _ body: (Glyph) -> Void) {
        let scalars = character.unicodeScalars
        if let first = scalars.first, isPlain(first), scalars.dropFirst().isEmpty {
            body(Glyph(Cluster(first)))
            return
        }
        var spelt: [Unicode.Scalar] = []
        var base: Unicode.Scalar?
        var marks: [Unicode.Scalar] = []
        for scalar in scalars {
            switch kind(of: scalar) {
            case .spelt: spelt.append(scalar)
            case .mark: marks.append(scalar)
            case .joiner: break
            case .base:
                // Joined emoji, skin tones and key caps are 2 to 8 columns wide depending on the terminal. The first
                // picture of the cluster has one width everywhere.
                guard let first = base else {
                    base = scalar
                    continue
                }
                if let letter = flagLetter(first), let other = flagLetter(scalar) {
                    body(Glyph(Cluster(letter)))
                    body(Glyph(Cluster(other)))
                    return
                }
            }
        }
        if let base {
            body(glyph(base: base, marks: marks))
        } else if let first = marks.first {
            // A mark with nothing to stand on would land on the neighbouring cell, in someone else's text.
            body(glyph(base: "\u{25CC}", marks: [first]))
        }
        for scalar in spelt { body(Glyph(spelling: scalar)) }
    }

    private static func glyph(base: Unicode.Scalar, marks: [Unicode.Scalar]) -> Glyph {
        if let letter = flagLetter(base) { return Glyph(Cluster(letter)) }
        guard let width = columns(of: base) else { return Glyph(Cluster("□")) }
        return Glyph(Cluster(base, marks: marks), width: width)
    }

    private enum Kind {
        case base
        case mark
        /// Has a say only in how its neighbours are drawn.
        case joiner
        case spelt
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        let value = scalar.value
        if value < 0x20 || value == 0x7F { return .spelt }
        if value == 0x200D || (0xFE00...0xFE0F).contains(value) || (0x1F3FB...0x1F3FF).contains(value) {
            return value >= 0x1F3FB ? .base : .joiner
        }
        // Vowels and final consonants of Korean that join the consonant before them.
        if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FB).contains(value) || value == 0x1171E { return .mark }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            return value == 0xAD ? .base : .spelt
        case .nonspacingMark, .enclosingMark: return value == 0x20E3 ? .joiner : .mark
        default: return .base
        }
    }

    /// The letter of a regional indicator, of which two make a flag.
    private static func flagLetter(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        guard (0x1F1E6...0x1F1FF).contains(scalar.value) else { return nil }
        return Unicode.Scalar(UInt8(scalar.value - 0x1F1E6) + 0x41)
    }

    /// Columns of a base character; nil when no font could be expected to have it.
    private static func columns(of scalar: Unicode.Scalar) -> Int? {
        switch scalar.properties.generalCategory {
        case .unassigned, .privateUse, .surrogate: return nil
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        let value = scalar.value
        if value < 0x1100 { return 1 }
        return wideRanges.contains { $0.contains(value) } ? 2 : 1
    }

    /// East Asian wide and full-width characters (Unicode Annex 11) that are not emoji.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0xA4CF,
        0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60,
        0xFFE0...0xFFE6, 0x16FE0...0x18D08, 0x1AFF0...0x1B2FB, 0x1F200...0x1F202, 0x1F210...0x1F23B,
        0x1F240...0x1F248, 0x1F250...0x1F251, 0x1F260...0x1F265, 0x20000...0x2FFFD, 0x30000...0x3FFFD,
    ]
}
