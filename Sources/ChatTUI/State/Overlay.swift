// Overlay.swift — one list or text over the panes: at most one at a time, with a filter where there is much to find.

/// What lies over the panes and takes the keys.
struct Overlay: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case help, palette, completion, settings, sessions, images, messages, statistics, doctor
    }

    /// What choosing a row does.
    enum Choice: Sendable, Equatable {
        case run(Command)
        /// Puts a text into the composer, to be gone on with.
        case write(String)
        /// Brings a turn of the transcript into sight.
        case show(turn: Int)
    }

    struct Row: Sendable, Equatable {
        var spans: [Span]
        /// Absent for a row that is only read: a heading, or a line of text.
        var choice: Choice?
        /// Columns by which the lines after the first are set in when a text row is wrapped.
        var indent: Int

        init(_ spans: [Span], choice: Choice? = nil, indent: Int = 0) {
            self.spans = spans
            self.choice = choice
            self.indent = indent
        }

        var text: String { spans.map(\.text).joined() }
    }

    let kind: Kind
    var title: String
    /// All rows; `shown` are those that the filter leaves.
    private(set) var rows: [Row]
    private(set) var shown: [Row]
    /// What is typed to narrow the rows; absent where letters are keys of their own.
    private(set) var filter: Composer?
    /// The rows are narrowed by whoever made them (a search on disk), and come back through `replaceRows`.
    let isFilteredElsewhere: Bool
    /// Index into `shown` of the row under the cursor; absent when no row can be chosen.
    private(set) var cursor: Int?
    /// The topmost line of a text; lists scroll by their cursor.
    private(set) var top = 0
    /// Keys beyond those that every overlay has, for its lower border.
    var keys: [KeyHint] = []

    /// - Parameter isFiltered: whether a line is there to type what the rows are narrowed to.
    init(
        kind: Kind, title: String, rows: [Row], isFiltered: Bool = false, isFilteredElsewhere: Bool = false,
        filter text: String = ""
    ) {
        self.kind = kind
        self.title = title
        self.rows = rows
        self.isFilteredElsewhere = isFilteredElsewhere
        shown = rows
        if isFiltered {
            var line = Composer()
            line.insert(text)
            filter = line
        }
        narrow()
    }

    var isList: Bool { rows.contains { $0.choice != nil } || isFilteredElsewhere }
    var chosen: Row? { cursor.map { shown[$0] } }

    // MARK: Rows

    /// Takes over rows that a search found.
    mutating func replaceRows(_ rows: [Row]) {
        self.rows = rows
        narrow()
    }

    /// Changes the filter's text by a key of the composer; returns whether the text is another now.
    mutating func editFilter(_ body: (inout Composer) -> Void) -> Bool {
        guard var line = filter else { return false }
        body(&line)
        let hasChanged = line.text != filter?.text
        filter = line
        if hasChanged { narrow() }
        return hasChanged
    }

    /// Leaves the rows that fit the filter, the best first; without one all in their order.
    private mutating func narrow() {
        let wanted = filter?.text.trimmed ?? ""
        if wanted.isEmpty || isFilteredElsewhere {
            shown = rows
        } else {
            let scored = rows.enumerated().compactMap { index, row -> (row: Row, score: Int, index: Int)? in
                guard row.choice != nil, let score = FuzzyMatch.score(wanted, in: row.text) else { return nil }
                return (row, score, index)
            }
            shown = scored.sorted { ($1.score, $0.index) < ($0.score, $1.index) }.map(\.row)
        }
        cursor = shown.firstIndex { $0.choice != nil }
        top = 0
    }

    // MARK: Moving

    /// Moves the cursor by so many rows that can be chosen, and stops at the ends.
    mutating func moveCursor(by offset: Int) {
        guard let cursor else { return }
        let places = shown.indices.filter { shown[$0].choice != nil }
        guard let place = places.firstIndex(of: cursor) else { return }
        self.cursor = places[min(max(0, place + offset), places.count - 1)]
    }

    /// Scrolls a text by so many lines, of which it has `lines` and shows `rows`.
    mutating func scroll(by offset: Int, lines: Int, rows: Int) {
        top = min(max(0, top + offset), max(0, lines - rows))
    }
}

/// A key and what it does now, for footers.
struct KeyHint: Sendable, Equatable {
    var key: String
    var meaning: String

    init(_ key: String, _ meaning: String) {
        self.key = key
        self.meaning = meaning
    }
}
