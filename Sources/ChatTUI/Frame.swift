// Frame.swift — one picture of the screen: styled cells and a cursor. Made by render, drawn by Terminal.

struct Size: Sendable, Equatable {
    var rows: Int
    var columns: Int
}

/// A rectangle of cells; may be empty.
struct Rectangle: Sendable, Equatable {
    var row: Int
    var column: Int
    var rows: Int
    var columns: Int

    var endRow: Int { row + rows }
    var endColumn: Int { column + columns }
    var isEmpty: Bool { rows <= 0 || columns <= 0 }

    func intersects(_ other: Rectangle) -> Bool {
        row < other.endRow && other.row < endRow && column < other.endColumn && other.column < endColumn
    }
}

/// What a cell is, which the theme turns into attributes and colours.
enum Role: Sendable, Equatable, CaseIterable {
    case text, strong, faint
    case you, bot
    case border, title, focusedTitle
    case prompt, key, notice, failure
    case accepted, bonus, bonusMark, rejected, unreached, drafted, lane
    case good, spark, progress
    /// The node that is looked at.
    case cursor
    /// Text of every second round, where the transcript marks what came together; and of the round on the panel.
    case run, shownRun
    // Markdown of answers.
    case heading, subheading, emphasis, strongEmphasis, code, link, address, quote
    /// A half block of a photo; its colours come with the cell.
    case photo
    /// Stands under a sixel picture and is never seen.
    case filler
}

/// An entry of the 256-colour palette.
typealias PaletteColor = UInt8

struct Cell: Sendable, Equatable {
    var cluster = Cluster.space
    /// Columns of `cluster`; 0 for the cell that a wide neighbour on the left covers.
    var width = 1
    var role = Role.text
    /// The colours of a photo's cell; absent elsewhere.
    var foreground: PaletteColor?
    var background: PaletteColor?

    var text: String { cluster.text }
}

/// Text of one role within a line.
struct Span: Sendable, Equatable {
    var text: String
    var role: Role

    init(_ text: String, _ role: Role = .text) {
        self.text = text
        self.role = role
    }
}

struct Frame: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        var row: Int
        var column: Int
    }

    let size: Size
    /// Layout: [rows, columns].
    var cells: [Cell]
    /// Absent hides the cursor.
    var cursor: Place?
    /// Where a picture of pixels lies over the filler; absent without one.
    var picture: Rectangle?
    /// Whether some of the cells are a picture.
    var hasCellPicture = false

    init(size: Size) {
        self.size = size
        cells = Array(repeating: Cell(), count: max(0, size.rows * size.columns))
    }

    subscript(row: Int, column: Int) -> Cell {
        get { cells[row * size.columns + column] }
        set { cells[row * size.columns + column] = newValue }
    }

    /// Draws the text and returns the column after it. Clips at `limit` (the frame's edge at most); a wide character
    /// that would cross it is left out.
    @discardableResult
    mutating func draw(_ text: String, row: Int, column: Int, limit: Int? = nil, role: Role = .text) -> Int {
        let end = min(limit ?? size.columns, size.columns)
        guard row >= 0, row < size.rows, column >= 0 else { return column }
        var at = column
        var isFull = false
        DisplayText.visit(text) { glyph in
            isFull = isFull || at + glyph.width > end
            guard !isFull else { return }
            put(glyph, row: row, column: at, role: role)
            at += glyph.width
        }
        return at
    }

    @discardableResult
    mutating func draw(_ glyphs: [Glyph], row: Int, column: Int, limit: Int? = nil, role: Role = .text) -> Int {
        let end = min(limit ?? size.columns, size.columns)
        guard row >= 0, row < size.rows, column >= 0 else { return column }
        var at = column
        for glyph in glyphs {
            guard at + glyph.width <= end else { break }
            put(glyph, row: row, column: at, role: role)
            at += glyph.width
        }
        return at
    }

    @discardableResult
    mutating func draw(_ spans: [Span], row: Int, column: Int, limit: Int? = nil) -> Int {
        spans.reduce(column) { draw($1.text, row: row, column: $0, limit: limit, role: $1.role) }
    }

    private mutating func put(_ glyph: Glyph, row: Int, column: Int, role: Role) {
        switch glyph.content {
        case .spelt(let scalar):
            for (offset, sign) in Glyph.name(of: scalar).unicodeScalars.enumerated() {
                self[row, column + offset] = Cell(cluster: Cluster(sign), role: role)
            }
        case .cluster(let cluster):
            self[row, column] = Cell(cluster: cluster, width: glyph.width, role: role)
            for offset in 1..<max(1, glyph.width) {
                self[row, column + offset] = Cell(cluster: .nothing, width: 0, role: role)
            }
        }
    }

    mutating func fill(_ area: Rectangle, with cell: Cell = Cell()) {
        for row in max(0, area.row)..<max(0, min(area.endRow, size.rows)) {
            for column in max(0, area.column)..<max(0, min(area.endColumn, size.columns)) { self[row, column] = cell }
        }
    }

    /// The frame as lines of text, for tests and logs.
    var lines: [String] {
        (0..<size.rows).map { row in
            (0..<size.columns).map { self[row, $0].text }.joined()
        }
    }
}
