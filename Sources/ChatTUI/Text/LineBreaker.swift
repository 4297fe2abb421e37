// LineBreaker.swift — styled glyphs into lines of at most so many columns, one glyph after another.

/// Glyphs of one role within a line.
struct GlyphRun: Sendable, Equatable {
    var glyphs: [Glyph]
    var role: Role

    var columns: Int { glyphs.reduce(0) { $0 + $1.width } }
}

typealias GlyphLine = [GlyphRun]

extension GlyphLine {
    var columns: Int { reduce(0) { $0 + $1.columns } }

    /// The glyphs of a text of one role.
    init(text: String, role: Role = .text) { self = [GlyphRun(glyphs: DisplayText.glyphs(text), role: role)] }

    fileprivate mutating func append(_ glyph: Glyph, _ role: Role) {
        if last?.role == role {
            self[count - 1].glyphs.append(glyph)
        } else {
            append(GlyphRun(glyphs: [glyph], role: role))
        }
    }

    fileprivate mutating func dropLastSpaces() {
        while let run = last, run.glyphs.last?.isSpace ?? true {
            if run.glyphs.count <= 1 { removeLast() } else { self[count - 1].glyphs.removeLast() }
        }
    }
}

/// Breaks lines at spaces where possible. Spaces at a break are dropped, as are those at the end of a line; a word that
/// is longer than a line is cut.
///
/// A line that is full never changes again, whatever comes after it: text that grows costs only what is new.
struct LineBreaker: Sendable {
    /// Lines that are full, or ended by `endLine`.
    private var lines: [GlyphLine] = []
    /// Columns that the line being filled has for its text, and those that the lines after it have.
    private var room: Int
    private let nextRoom: Int
    private var prefix: GlyphLine
    private let nextPrefix: GlyphLine

    private var line: GlyphLine = []
    private var used = 0
    /// Spaces after the line, which it gets when a word follows on it.
    private var gap: GlyphLine = []
    private var gapColumns = 0
    /// The word that is not yet known to fit.
    private var word: GlyphLine = []
    private var wordColumns = 0
    /// The word is longer than a line and goes out glyph by glyph.
    private var isCutting = false
    /// Columns since the last newline of the text, for its tabs.
    private var sourceColumn = 0

    /// - Parameters:
    ///   - width: columns of a whole line, its beginning included; at least one is left for the text.
    ///   - first: what the first line begins with; `next` is what the others begin with.
    init(width: Int, first: GlyphLine = [], next: GlyphLine = []) {
        room = max(1, width - first.columns)
        nextRoom = max(1, width - next.columns)
        prefix = first
        nextPrefix = next
    }

    /// Adds text; a newline in it ends the line, a tab goes to the next multiple of four columns.
    mutating func add(_ text: String, _ role: Role) {
        let parts = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for part in parts.dropLast() {
            addPart(Substring(part.last == UInt8(ascii: "\r") ? part.dropLast() : part), role)
            endLine()
        }
        if let last = parts.last { addPart(Substring(last), role) }
    }

    private mutating func addPart(_ part: Substring, _ role: Role) {
        guard part.utf8.contains(UInt8(ascii: "\t")) else {
            for glyph in DisplayText.glyphs(String(part)) { add(glyph, role) }
            return
        }
        for (index, piece) in part.split(separator: "\t", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { for _ in 0..<4 - sourceColumn % 4 { add(.space, role) } }
            for glyph in DisplayText.glyphs(String(piece)) { add(glyph, role) }
        }
    }

    mutating func add(_ glyph: Glyph, _ role: Role) {
        sourceColumn += glyph.width
        if glyph.isSpace {
            placeWord()
            isCutting = false
            gap.append(glyph, role)
            gapColumns += 1
            return
        }
        // A glyph that is wider than the whole line cannot be shown whole anywhere.
        let glyph = glyph.width <= min(room, nextRoom) ? glyph : Glyph(Cluster("?"))
        if isCutting {
            cut(glyph, role)
        } else if wordColumns + glyph.width > nextRoom {
            beginCutting()
            cut(glyph, role)
        } else {
            word.append(glyph, role)
            wordColumns += glyph.width
        }
    }

    /// Ends the line, as a newline does.
    mutating func endLine() {
        placeWord()
        isCutting = false
        gap = []
        gapColumns = 0
        sourceColumn = 0
        finishLine()
    }

    /// The lines that are full; they are the caller's now.
    mutating func takeLines() -> [GlyphLine] {
        defer { lines = [] }
        return lines
    }

    /// All lines if the text ended here; at least one.
    func finished() -> [GlyphLine] {
        var copy = self
        copy.endLine()
        return copy.lines
    }

    private mutating func placeWord() {
        guard !word.isEmpty else { return }
        if used + gapColumns + wordColumns <= room {
            line.add(gap)
            used += gapColumns
        } else if used > 0 || wordColumns > room {
            finishLine()
        }
        line.add(word)
        used += wordColumns
        dropWord()
    }

    /// The word turns out longer than a line: it begins where the line has room.
    private mutating func beginCutting() {
        if used + gapColumns < room {
            line.add(gap)
            used += gapColumns
        } else {
            finishLine()
        }
        let begun = word
        dropWord()
        isCutting = true
        for run in begun { for glyph in run.glyphs { cut(glyph, run.role) } }
    }

    private mutating func cut(_ glyph: Glyph, _ role: Role) {
        if used + glyph.width > room { finishLine() }
        line.append(glyph, role)
        used += glyph.width
    }

    private mutating func dropWord() {
        word = []
        wordColumns = 0
        gap = []
        gapColumns = 0
    }

    private mutating func finishLine() {
        line.dropLastSpaces()
        lines.append(prefix + line)
        prefix = nextPrefix
        room = nextRoom
        line = []
        used = 0
    }
}

extension GlyphLine {
    /// Joins `other` on, in one run where the roles meet.
    fileprivate mutating func add(_ other: GlyphLine) {
        for run in other {
            if last?.role == run.role {
                self[count - 1].glyphs += run.glyphs
            } else {
                append(run)
            }
        }
    }
}
