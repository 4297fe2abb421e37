// WordWrap.swift — text into lines of at most so many columns. Used by the transcript and the notices.

enum WordWrap {
    /// The lines of `text`, broken at spaces where possible; never empty.
    ///
    /// Spaces at a break are dropped, as are those at the end of a line; a word longer than a line is cut.
    static func lines(_ text: String, width: Int) -> [[Glyph]] {
        precondition(width > 0, "WordWrap: a line needs at least one column")
        var parts = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for index in parts.indices.dropLast() where parts[index].last == UInt8(ascii: "\r") {
            parts[index].removeLast()
        }
        return parts.flatMap { wrap(glyphs(ofLine: String(Substring($0))), width: width) }
    }

    private static func glyphs(ofLine line: String) -> [Glyph] {
        guard line.utf8.contains(UInt8(ascii: "\t")) else { return DisplayText.glyphs(line) }
        var glyphs: [Glyph] = []
        for (index, part) in line.split(separator: "\t", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { glyphs += Array(repeating: .space, count: 4 - columns(glyphs) % 4) }
            glyphs += DisplayText.glyphs(String(part))
        }
        return glyphs
    }

    private static func columns(_ glyphs: some Sequence<Glyph>) -> Int { glyphs.reduce(0) { $0 + $1.width } }

    private static func wrap(_ glyphs: [Glyph], width: Int) -> [[Glyph]] {
        var lines: [[Glyph]] = []
        var line: [Glyph] = []
        var used = 0
        var at = 0
        func finish() {
            while line.last?.isSpace == true { line.removeLast() }
            lines.append(line)
            line = []
            used = 0
        }
        while at < glyphs.count {
            let isSpace = glyphs[at].isSpace
            var end = at + 1
            while end < glyphs.count, glyphs[end].isSpace == isSpace { end += 1 }
            let word = glyphs[at..<end]
            let needed = columns(word)
            at = end
            if used + needed <= width {
                line += word
                used += needed
            } else if isSpace {
                finish()
            } else {
                if needed <= width, used > 0 { finish() }
                for glyph in word {
                    // A glyph that is wider than the whole line cannot be shown whole anywhere.
                    let piece = glyph.width <= width ? glyph : Glyph(Cluster("?"))
                    if used + piece.width > width { finish() }
                    line.append(piece)
                    used += piece.width
                }
            }
        }
        finish()
        return lines
    }
}
