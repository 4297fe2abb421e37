// StyledWrap.swift — spans of several roles broken into lines. Used by the overlays' texts.

enum StyledWrap {
    struct Piece: Sendable, Equatable {
        var glyph: Glyph
        var role: Role
    }

    /// The lines of `spans`, broken at spaces where possible, those after the first set in by `indent`; never empty.
    static func lines(_ spans: [Span], width: Int, indent: Int = 0) -> [[Piece]] {
        let pieces = spans.flatMap { span in DisplayText.glyphs(span.text).map { Piece(glyph: $0, role: span.role) } }
        let margin = Array(repeating: Piece(glyph: .space, role: .text), count: indent * 2 <= width ? indent : 0)
        var lines: [[Piece]] = []
        var line: [Piece] = []
        var used = 0
        for piece in pieces {
            if used + piece.glyph.width > width {
                let rest = wordAtEnd(of: line, keeping: lines.isEmpty ? 0 : margin.count)
                lines.append(Array(line.dropLast(rest.count)))
                // A space at the break stands for the break.
                line = margin + (piece.glyph.isSpace && rest.isEmpty ? [] : rest)
                used = columns(line)
                if piece.glyph.isSpace, used == margin.count { continue }
            }
            line.append(piece)
            used += piece.glyph.width
        }
        return lines + [line]
    }

    /// The word that a full line ends with, when it can move to the next line.
    private static func wordAtEnd(of line: [Piece], keeping margin: Int) -> [Piece] {
        guard let space = line.lastIndex(where: \.glyph.isSpace), space + 1 > margin, space + 1 < line.count else {
            return []
        }
        return Array(line[(space + 1)...])
    }

    private static func columns(_ line: [Piece]) -> Int { line.reduce(0) { $0 + $1.glyph.width } }
}
