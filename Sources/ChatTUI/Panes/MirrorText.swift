// MirrorText.swift — an answer with marks on it: which tokens came together, round by round.

import Engine

enum MirrorText {
    /// The answer's text as it came, wrapped, with the text of every second round underlined and that of the round on
    /// the panel reversed. Marks need the raw text: Markdown's signs are shown, not obeyed.
    static func lines(_ turn: Turn, marks: RunMarks, width: Int) -> [TranscriptPane.Line] {
        let lead = turn.text.utf8.count - turn.text.drop(while: \.isWhitespace).utf8.count
        var at = lead
        var run = 0
        var lines: [TranscriptPane.Line] = []
        let text = turn.text.drop(while: \.isWhitespace)
        // Line by line, so that a glyph of the wrapped text can be found again in the text by walking along it.
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            var source: [(glyph: Glyph, role: Role)] = []
            for character in line {
                while run < turn.runs.count, turn.runs[run].bytes.upperBound <= at { run += 1 }
                let role = run < turn.runs.count ? role(of: turn.runs[run], marks) : .text
                source += DisplayText.glyphs(String(character)).map { ($0, role) }
                at += String(character).utf8.count
            }
            at += 1
            lines += wrap(source, line: String(line), width: width)
        }
        return lines
    }

    private static func role(of run: RoundRun, _ marks: RunMarks) -> Role {
        run.number == marks.shown ? .shownRun : run.number % 2 == 0 ? .run : .text
    }

    private static func wrap(
        _ source: [(glyph: Glyph, role: Role)], line: String, width: Int
    ) -> [TranscriptPane.Line] {
        var at = 0
        return WordWrap.lines(line, width: width).map { glyphs in
            var runs: TranscriptPane.Line = []
            for glyph in glyphs {
                // Spaces at a break are not in the wrapped text; a tab is more than one there.
                while at < source.count, source[at].glyph != glyph, source[at].glyph.isSpace { at += 1 }
                let role = at < source.count ? source[at].role : .text
                if at < source.count, source[at].glyph == glyph || glyph.text == "?" { at += 1 }
                if runs.last?.role == role {
                    runs[runs.count - 1].glyphs.append(glyph)
                } else {
                    runs.append(TranscriptPane.Run(glyphs: [glyph], role: role))
                }
            }
            return runs
        }
    }
}

extension AppState {
    /// The turns with the marks of the mirror, if it is on.
    func marked(_ turns: [Turn]) -> [Turn] {
        guard tree.isMirrored else { return turns }
        return turns.map { turn in
            var turn = turn
            if case .answer = turn.content { turn.marks = RunMarks(shown: tree.number) }
            return turn
        }
    }
}
