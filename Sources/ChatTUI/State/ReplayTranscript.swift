// ReplayTranscript.swift — what the rounds of a trace said, as transcript and as plain text.

public import Engine

enum ReplayTranscript {
    /// One answer for each round numbered 0 and those after it, below its question.
    ///
    /// - Parameter questions: by the number of the answer's first round, from 1.
    static func turns(
        of rounds: some Collection<SpeculationRound>, questions: [Int: String] = [:], isComplete: Bool
    ) -> [Turn] {
        var turns: [Turn] = []
        var texts = RoundTexts()
        for (offset, round) in rounds.enumerated() {
            if round.index == 0 || turns.isEmpty {
                if !turns.isEmpty { turns[turns.count - 1].text += texts.end() }
                texts = RoundTexts()
                if let question = questions[offset + 1] {
                    turns.append(Turn(id: turns.count, content: .question(.sent), text: question))
                }
                turns.append(Turn(id: turns.count, content: .answer(.complete), text: ""))
            }
            turns[turns.count - 1].add(texts.add(round), ofRound: offset + 1)
        }
        guard !turns.isEmpty else { return [] }
        turns[turns.count - 1].text += texts.end()
        if !isComplete { turns[turns.count - 1].content = .answer(.streaming) }
        return turns
    }
}

extension SpeculationRound {
    /// The bytes that the round added to the answer.
    var textBytes: [UInt8] {
        (accepted.map(piece(of:)) + [bonusPiece]).filter { !$0.isControl }.flatMap(\.bytes)
    }
}

/// The rounds as plain text, one block of lines each: for pipes and logs. Holds no escape codes.
///
/// - Parameter isUTF8: whether signs beyond ASCII may be used.
public func replayText(_ rounds: [SpeculationRound], isUTF8: Bool = true) -> String {
    let symbols = isUTF8 ? Symbols.unicode : Symbols.ascii
    return rounds.map { replayText($0, symbols: symbols) }.joined(separator: "\n")
}

private func replayText(_ round: SpeculationRound, symbols: Symbols) -> String {
    let facts = [
        "round \(round.index + 1)", "\(round.drafted) drafted", "\(round.accepted.count) accepted",
        "+" + Figures.count(round.tokens.count, "token"), "draft \(Figures.milliseconds(round.seconds.draft))",
        "verify \(Figures.milliseconds(round.seconds.verify))", round.budget.reason,
    ]
    let heading = facts.map { DisplayText.glyphs($0).map(\.text).joined() }.joined(separator: ", ")
    // Wide enough that nothing folds: off a screen there is no width to fit.
    let rows = max(1, round.tree.count + 1)
    let drawing = TreeDrawing.fitting(round, rows: rows, width: .max, symbols: symbols)
    var frame = Frame(size: Size(rows: drawing.rows, columns: drawing.width + 4))
    let area = Rectangle(row: 0, column: 2, rows: drawing.rows, columns: drawing.width + 2)
    drawing.draw(in: area, isVerified: true, symbols: symbols, on: &frame)
    let lines = frame.lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    return ([heading] + lines).joined(separator: "\n") + "\n"
}
