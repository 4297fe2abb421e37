// TranscriptPane.swift — questions, answers and notes as wrapped lines, and the window onto them.

import Engine

enum TranscriptPane {
    /// Glyphs of one role within a line.
    struct Run: Sendable, Equatable {
        var glyphs: [Glyph]
        var role: Role
    }
    typealias Line = [Run]

    private static let labelColumns = 5

    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        let turns = state.shownTurns
        let lines =
            turns.isEmpty
            ? welcome(state, width: area.columns - 1) : window(state, turns, rows: area.rows, width: area.columns)
        for (offset, line) in lines.prefix(area.rows).enumerated() {
            var column = area.column
            for run in line {
                column = frame.draw(
                    run.glyphs, row: area.row + offset, column: column, limit: area.endColumn, role: run.role)
            }
        }
        if state.scroll != .following {
            let mark = state.hasNewBelow ? " \(state.symbols.below) new, PgDn " : " \(state.symbols.below) more, PgDn "
            let column = area.endColumn - DisplayText.width(mark) - 1
            frame.draw(mark, row: area.endRow - 1, column: max(area.column, column), limit: area.endColumn, role: .key)
        }
    }

    private static func welcome(_ state: AppState, width: Int) -> [Line] {
        let margin = Run(glyphs: [.space], role: .faint)
        return [[]]
            + state.welcome.enumerated().flatMap { index, text in
                WordWrap.lines(text, width: max(1, width - 1)).map { line in
                    [margin, Run(glyphs: line, role: index == 0 ? .strong : .faint)]
                }
            }
    }

    /// The lines that the pane shows.
    private static func window(_ state: AppState, _ turns: [Turn], rows: Int, width: Int) -> [Line] {
        switch state.scroll {
        case .following:
            // From the end backwards, so that a long conversation costs no more than a short one.
            var lines: [Line] = []
            for index in turns.indices.reversed() {
                lines = self.lines(of: turns, at: index, width: width, symbols: state.symbols) + lines
                if lines.count >= rows { break }
            }
            return Array(lines.suffix(rows))
        case .held(let turn, let line):
            var lines: [Line] = []
            for index in turns.indices.dropFirst(turn) {
                lines += self.lines(of: turns, at: index, width: width, symbols: state.symbols)
                if lines.count >= rows + line { break }
            }
            return Array(lines.dropFirst(line).prefix(rows))
        }
    }

    static func lines(of turns: [Turn], at index: Int, width: Int, symbols: Symbols) -> [Line] {
        let turn = turns[index]
        if turn.content == .divider { return [[], divider(turn.text, width: width, symbols: symbols)] }
        let look = look(of: turn, symbols: symbols)
        let textWidth = max(1, width - labelColumns - 1)
        var wrapped =
            turn.marks.map { MirrorText.lines(turn, marks: $0, width: textWidth) }
            ?? WordWrap.lines(turn.text.trimmedAtStart, width: textWidth).map { [Run(glyphs: $0, role: look.role)] }
        if let ending = look.ending { append(ending, to: &wrapped, width: textWidth) }
        let label = DisplayText.clipped(look.label, to: labelColumns)
        let used = label.reduce(0) { $0 + $1.width }
        let indent = Array(repeating: Glyph.space, count: labelColumns)
        var lines: [Line] = wrapped.enumerated().map { row, line in
            row == 0
                ? [Run(glyphs: label + indent.dropFirst(used), role: look.labelRole)] + line
                : [Run(glyphs: indent, role: .text)] + line
        }
        if case .question = turn.content, index > 0 { lines.insert([], at: 0) }
        return lines
    }

    private struct Look {
        var label: String
        var labelRole: Role
        var role = Role.text
        /// Follows the text.
        var ending: Span?
    }

    private static func look(of turn: Turn, symbols: Symbols) -> Look {
        switch turn.content {
        case .question(.queued):
            Look(label: " you", labelRole: .you, ending: Span("(waiting)", .faint))
        case .question(.sent): Look(label: " you", labelRole: .you)
        case .answer(let ending): Look(label: " bot", labelRole: .bot, ending: mark(ending, symbols: symbols))
        case .picture: Look(label: "  \(symbols.picture)", labelRole: .you, role: .faint)
        case .notice: Look(label: "  \(symbols.dot)", labelRole: .notice, role: .notice)
        case .failure: Look(label: "  !", labelRole: .failure, role: .failure)
        case .divider: Look(label: "", labelRole: .faint)
        }
    }

    private static func mark(_ ending: Turn.Ending, symbols: Symbols) -> Span? {
        switch ending {
        case .streaming: Span(symbols.caret, .bot)
        case .stopping: Span("(stopping)", .faint)
        case .complete: nil
        case .stopped: Span("(stopped)", .faint)
        case .limit: Span("(cut at the token limit)", .faint)
        case .contextFull: Span("(cut: the context is full)", .faint)
        case .broken: Span("(broken off)", .faint)
        }
    }

    private static func append(_ ending: Span, to lines: inout [Line], width: Int) {
        let glyphs = DisplayText.glyphs(ending.text)
        let columns = glyphs.reduce(0) { $0 + $1.width }
        let last = lines[lines.count - 1].flatMap(\.glyphs)
        // The caret stands right at the text; words keep a space.
        let gap: [Glyph] = columns > 1 && !last.isEmpty ? [.space] : []
        let run = Run(glyphs: gap + glyphs, role: ending.role)
        if last.reduce(0, { $0 + $1.width }) + gap.count + columns <= width {
            lines[lines.count - 1].append(run)
        } else {
            lines.append([Run(glyphs: glyphs, role: ending.role)])
        }
    }

    private static func divider(_ text: String, width: Int, symbols: Symbols) -> Line {
        let label = " \(text) "
        let bar = symbols.border([.left, .right])
        let side = max(0, (width - 2 - DisplayText.width(label)) / 2)
        let line = " " + String(repeating: bar, count: side) + label + String(repeating: bar, count: side)
        return [Run(glyphs: DisplayText.glyphs(line), role: .faint)]
    }
}

extension String {
    /// Without the spaces and newlines that models put before an answer.
    fileprivate var trimmedAtStart: String { String(drop { $0.isWhitespace }) }
}

extension AppState {
    /// The transcript; in a replay, what the rounds so far have said.
    var shownTurns: [Turn] {
        guard replay != nil else { return marked(turns) }
        let committed = phase == .committed ? tree.number : tree.number - 1
        return marked(
            ReplayTranscript.turns(of: tree.rounds.prefix(max(0, committed)), isComplete: committed == tree.total))
    }

    /// Moves the transcript's window by pages and holds it there, or lets it follow again at the end.
    mutating func scrollTranscript(pages: Int) {
        guard Layout.fits(size) else { return }
        let area = layout.transcript
        let turns = shownTurns
        let counts = turns.indices.map {
            TranscriptPane.lines(of: turns, at: $0, width: area.columns, symbols: symbols).count
        }
        let total = counts.reduce(0, +)
        let last = max(0, total - area.rows)
        var top = last
        if case .held(let turn, let line) = scroll { top = min(last, counts.prefix(turn).reduce(0, +) + line) }
        top = min(last, max(0, top + pages * max(1, area.rows - 1)))
        guard top < last else {
            scroll = .following
            hasNewBelow = false
            return
        }
        var turn = 0
        while top >= counts[turn] {
            top -= counts[turn]
            turn += 1
        }
        scroll = .held(turn: turn, line: top)
    }
}
