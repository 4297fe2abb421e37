// TranscriptPane.swift — the conversation, and the window onto it.

import Engine

enum TranscriptPane {
    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        let transcript = Transcript(state, width: area.columns)
        let lines =
            transcript.isEmpty ? welcome(state, width: area.columns - 1) : transcript.window(rows: area.rows)
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

    private static func welcome(_ state: AppState, width: Int) -> [GlyphLine] {
        [[]]
            + state.welcome.enumerated().flatMap { index, text in
                WordWrap.lines(text, width: max(1, width - 1)).map { line in
                    [GlyphRun(glyphs: [.space] + line, role: index == 0 ? .strong : .faint)]
                }
            }
    }
}

/// The turns as one long column of lines. Only the turns around the window are laid out, so a long conversation costs
/// no more than a short one.
struct Transcript {
    /// A line of a turn.
    struct Place: Sendable, Equatable {
        var turn: Int
        var line: Int
    }

    private let turns: [Turn]
    private let state: AppState
    private let width: Int

    init(_ state: AppState, width: Int) {
        turns = state.shownTurns
        self.state = state
        self.width = width
    }

    var isEmpty: Bool { turns.isEmpty }

    private func view(_ turn: Int) -> TurnView {
        if let view = views.made[turn] { return view }
        let view = TurnView(turns[turn], isFirst: turn == 0, width: width, state: state)
        views.made[turn] = view
        return view
    }

    /// The turns that were looked at: first they are counted, then their lines are shown.
    private final class Views { var made: [Int: TurnView] = [:] }
    private let views = Views()

    func count(_ turn: Int) -> Int { turns.indices.contains(turn) ? view(turn).count : 0 }

    /// The lines that a window of so many rows shows.
    func window(rows: Int) -> [GlyphLine] {
        var place = top(rows: rows)
        var lines: [GlyphLine] = []
        while lines.count < rows, place.turn < turns.count {
            let view = view(place.turn)
            let end = min(view.count, place.line + rows - lines.count)
            for line in min(place.line, end)..<end { lines.append(view[line]) }
            place = Place(turn: place.turn + 1, line: 0)
        }
        return lines
    }

    /// The topmost line of the window.
    func top(rows: Int) -> Place {
        let last = bottomTop(rows: rows)
        guard case .held(let turn, let line) = state.scroll, turn < turns.count else { return last }
        return Place(turn: turn, line: min(line, max(0, view(turn).count - 1)))
    }

    /// The topmost line when the window is at the end.
    private func bottomTop(rows: Int) -> Place {
        moved(Place(turn: turns.count, line: 0), by: -rows)
    }

    /// The place so many lines further down, or up; it stops at the ends.
    func moved(_ place: Place, by lines: Int) -> Place {
        var place = place
        var left = lines
        while left < 0, place.line > 0 || place.turn > 0 {
            if place.line == 0 {
                place.turn -= 1
                place.line = view(place.turn).count
            }
            let step = min(place.line, -left)
            place.line -= step
            left += step
        }
        while left > 0, place.turn < turns.count {
            let rest = view(place.turn).count - place.line
            if left < rest {
                place.line += left
                left = 0
            } else {
                left -= rest
                place = Place(turn: place.turn + 1, line: 0)
            }
        }
        return place
    }

    /// Whether a window that begins there shows the end.
    func reachesEnd(from place: Place, rows: Int) -> Bool {
        let last = bottomTop(rows: rows)
        return (place.turn, place.line) >= (last.turn, last.line)
    }
}

extension AppState {
    /// The transcript; in a replay, what the rounds so far have said.
    var shownTurns: [Turn] {
        guard replay != nil else { return marked(turns) }
        let committed = phase == .committed ? tree.number : tree.number - 1
        let transcript = replayMemo.transcript(of: tree.rounds, upTo: committed, questions: replay?.questions ?? [:])
        return marked(transcript.turns(isComplete: committed == tree.total))
    }

    /// Moves the transcript's window by pages and holds it there, or lets it follow again at the end.
    mutating func scrollTranscript(pages: Int) {
        guard Layout.fits(size) else { return }
        let area = layout.transcript
        scrollTranscript(lines: pages * max(1, area.rows - 1), in: area)
    }

    private mutating func scrollTranscript(lines: Int, in area: Rectangle) {
        let transcript = Transcript(self, width: area.columns)
        guard !transcript.isEmpty else { return }
        let place = transcript.moved(transcript.top(rows: area.rows), by: lines)
        if transcript.reachesEnd(from: place, rows: area.rows) {
            scroll = .following
            hasNewBelow = false
        } else {
            scroll = .held(turn: place.turn, line: place.line)
        }
    }

    /// Makes a change that may wrap the lines anew, and keeps the reader at about the same words.
    mutating func keepingPlace(_ change: (inout AppState) -> Void) {
        guard case .held(let turn, let line) = scroll, Layout.fits(size) else { return change(&self) }
        let before = Transcript(self, width: layout.transcript.columns).count(turn)
        change(&self)
        guard Layout.fits(size) else { return }
        let after = Transcript(self, width: layout.transcript.columns).count(turn)
        scroll = .held(turn: turn, line: before > 0 ? min(line * after / before, max(0, after - 1)) : 0)
    }
}

extension AppState {
    /// Shows answers styled, or as the model wrote them.
    mutating func toggleMarkdown() {
        keepingPlace { $0.showsMarkdown.toggle() }
        hint = showsMarkdown ? "Markdown is styled" : "Markdown is shown as it was written"
    }
}
