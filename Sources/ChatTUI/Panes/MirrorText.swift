// MirrorText.swift — an answer with marks on it: which tokens came together, round by round.

import Engine

enum MirrorText {
    /// The answer's text as it came, wrapped, with the text of every second round underlined and that of the round on
    /// the panel reversed. Marks need the raw text: Markdown's signs are shown, not obeyed.
    static func lines(_ turn: Turn, marks: RunMarks, width: Int) -> [GlyphLine] {
        let text = turn.text.drop(while: \.isWhitespace)
        var at = turn.text.utf8.count - text.utf8.count
        var run = 0
        var breaker = LineBreaker(width: width)
        for character in text {
            while run < turn.runs.count, turn.runs[run].bytes.upperBound <= at { run += 1 }
            breaker.add(String(character), run < turn.runs.count ? role(of: turn.runs[run], marks) : .text)
            at += String(character).utf8.count
        }
        return breaker.finished()
    }

    private static func role(of run: RoundRun, _ marks: RunMarks) -> Role {
        run.number == marks.shown ? .shownRun : run.number % 2 == 0 ? .run : .text
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
