// HelpOverlay.swift — the keys and commands, over everything else until the next key.

enum HelpOverlay {
    private typealias Entry = (key: String, meaning: String)

    private static let chat: [(title: String, entries: [Entry])] = [
        (
            "Writing",
            [
                ("Enter", "send"), ("Alt-Enter, Ctrl-J", "new line"), ("Up, Down", "earlier questions"),
                ("Ctrl-A E B F K U W Y", "as in a shell"), ("Esc, Ctrl-C", "stop the answer"),
                ("Ctrl-C twice, Ctrl-D", "quit"), ("PgUp, PgDn", "scroll"), ("Ctrl-Z, Ctrl-L", "suspend, redraw"),
            ]
        ),
        (
            "Draft tree",
            [
                ("F2, Ctrl-T", "off, one line, full"), ("Tab", "to the tree and back"), ("n p [ ]", "step, 10 rounds"),
                ("Space", "hold, follow"), ("g G", "first, newest"),
            ]
        ),
        (
            "Commands",
            [
                ("/image FILE", "add a picture"), ("/spec off|chain|dynamic", "how to draft"),
                ("/tree off|mini|full", "size of the tree"), ("/clear", "new conversation"), ("/quit", "leave"),
            ]
        ),
    ]

    private static let replay: [(title: String, entries: [Entry])] = [
        (
            "Replay",
            [
                ("Space", "play, pause"), ("n p, arrows", "one round on, back"), ("[ ]", "ten rounds"),
                ("g G", "first, last"), ("41 Enter", "to round 41"), ("+ -", "faster, slower"), ("r", "from the start"),
                ("t", "size of the tree"), ("q, Esc", "quit"),
            ]
        )
    ]

    static func draw(_ state: AppState, on frame: inout Frame) {
        let sections = state.replay == nil ? chat : replay
        let keyColumns = sections.flatMap(\.entries).reduce(0) { max($0, $1.key.count) } + 2
        var lines: [[Span]] = []
        for section in sections {
            if !lines.isEmpty { lines.append([]) }
            lines.append([Span(section.title, .title)])
            for entry in section.entries {
                let gap = String(repeating: " ", count: keyColumns - entry.key.count)
                lines.append([Span(entry.key + gap, .key), Span(entry.meaning)])
            }
        }
        let roomRows = frame.size.rows - 2
        // A low screen drops the blank lines first; what then does not fit is the end of the list.
        if lines.count > roomRows { lines.removeAll(where: \.isEmpty) }
        lines = Array(lines.prefix(roomRows))
        let inner = lines.reduce(0) { widest, line in
            max(widest, line.reduce(0) { $0 + DisplayText.width($1.text) })
        }
        let columns = min(frame.size.columns, inner + 6)
        let box = Rectangle(
            row: (frame.size.rows - lines.count - 2) / 2, column: (frame.size.columns - columns) / 2,
            rows: lines.count + 2, columns: columns)
        frame.fill(box)
        frame.draw(BorderLine.box(box), in: state.symbols, role: .title)
        frame.draw(" help \(state.symbols.dot) any key closes ", row: box.row, column: box.column + 2, role: .title)
        for (offset, line) in lines.enumerated() {
            frame.draw(line, row: box.row + 1 + offset, column: box.column + 3, limit: box.endColumn - 1)
        }
        frame.cursor = nil
    }
}
