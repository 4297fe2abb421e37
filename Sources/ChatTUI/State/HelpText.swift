// HelpText.swift — what the help says: the keys of where the reader is first, then those everywhere, then the commands.

enum HelpText {
    typealias Section = (title: String, entries: [KeyHint])

    private static let writing: Section = (
        "Writing",
        [
            KeyHint("Enter", "send"), KeyHint("Alt-Enter, Ctrl-J", "new line"),
            KeyHint("Tab", "complete a command or path, or go to the tree"),
            KeyHint("Up, Down", "lines, then earlier questions"),
            KeyHint("Ctrl-A, Ctrl-E", "start and end of the line"),
            KeyHint("Alt-B, Alt-F, Ctrl-arrows", "word by word"),
            KeyHint("Ctrl-W, Alt-D", "cut a word before, after"),
            KeyHint("Ctrl-U, Ctrl-K", "cut to the start, the end"),
            KeyHint("Ctrl-Y, Alt-Y", "put back what was cut, or before that"),
            KeyHint("Ctrl-_", "take the last change back"), KeyHint("Ctrl-R", "search what was written before"),
            KeyHint("Ctrl-G, Ctrl-X Ctrl-E", "write it in $EDITOR"),
        ]
    )

    private static let everywhere: Section = (
        "Everywhere",
        [
            KeyHint("Esc, Ctrl-C", "stop the answer"), KeyHint("Ctrl-C", "clear the input; twice quits"),
            KeyHint("Ctrl-D", "quit, on empty input"), KeyHint("PgUp, PgDn", "scroll the conversation"),
            KeyHint("F1, ?", "this help"), KeyHint("F3, Alt-X", "all commands, to be found by typing"),
            KeyHint("F2, Ctrl-T", "size of the draft tree"), KeyHint("F4", "Markdown styled, or as it was written"),
            KeyHint("F5, Alt-M", "messages: copy one, go to one"), KeyHint("Ctrl-Z, Ctrl-L", "suspend, redraw"),
        ]
    )

    private static let tree: Section = (
        "Draft tree",
        [
            KeyHint("Tab", "to the tree and back"), KeyHint("Space", "hold the engine after this round, go on"),
            KeyHint("n p, Right Left", "one round on, back; held at the newest, n makes one more"),
            KeyHint("[ ]", "ten rounds"), KeyHint("g G", "first round, live"), KeyHint("f", "follow"),
            KeyHint("r", "replay this answer"), KeyHint("+ -", "faster, slower"),
        ] + nodes
    )

    private static let nodes = [
        KeyHint("Up Down", "look at a node; then all arrows move"), KeyHint("Enter", "the node's details"),
        KeyHint("/", "find a token"), KeyHint("w", "marks of spaces"),
        KeyHint("m", "mark in the text what came together"), KeyHint("e", "export this round"),
        KeyHint("t", "size of the tree"),
    ]

    private static let replay: Section = (
        "Replay",
        [
            KeyHint("Space", "play, pause"), KeyHint("n p, arrows", "one round on, back"),
            KeyHint("[ ]", "ten rounds"), KeyHint("g G", "first, last"), KeyHint("41 Enter", "to round 41"),
            KeyHint("+ -", "faster, slower"), KeyHint("r", "from the start"),
        ] + nodes + [KeyHint("q, Esc", "quit")]
    )

    private static func commands(of group: CommandEntry.Group) -> Section {
        ("\(group.rawValue)", CommandTable.entries(of: group).map { KeyHint($0.usage, $0.help) })
    }

    /// What the reader of this state may want to know, most wanted first.
    static func sections(for state: AppState, beginningWithCommands: Bool = false) -> [Section] {
        if state.replay != nil { return [replay] }
        let keys = state.focus == .tree ? [tree, everywhere, writing] : [writing, everywhere, tree]
        let commands = CommandEntry.Group.allCases.map(commands(of:))
        return beginningWithCommands ? commands + keys : keys + commands
    }

    static func overlay(for state: AppState, beginningWithCommands: Bool = false) -> Overlay {
        let sections = sections(for: state, beginningWithCommands: beginningWithCommands)
        let room = max(0, state.size.columns - 8)
        let longest = sections.flatMap(\.entries).reduce(0) { max($0, $1.key.count) }
        // On a narrow screen a long usage takes a line of its own rather than the meanings' columns.
        let columns = min(longest + 2, max(12, room * 2 / 5))
        var rows: [Overlay.Row] = []
        for section in sections {
            if !rows.isEmpty { rows.append(Overlay.Row([])) }
            rows.append(Overlay.Row([Span(section.title, .title)]))
            for entry in section.entries {
                if entry.key.count + 2 > columns {
                    rows.append(Overlay.Row([Span(entry.key, .key)], indent: 2))
                    rows.append(Overlay.Row([Span("".padded(to: columns)), Span(entry.meaning)], indent: columns))
                } else {
                    let key = Span(entry.key.padded(to: columns), .key)
                    rows.append(Overlay.Row([key, Span(entry.meaning)], indent: columns))
                }
            }
        }
        return Overlay(kind: .help, title: "help", rows: rows)
    }
}
