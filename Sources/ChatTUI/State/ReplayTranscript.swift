// ReplayTranscript.swift — what the rounds of a trace said, as transcript and as plain text. Kept by ReplayMemo.

public import Engine

/// The answers of a trace as far as they have been shown, round after round.
struct ReplayTranscript: Sendable {
    private var turns: [Turn] = []
    private var texts = RoundTexts()

    init() {}

    /// Adds what a round said: to a new answer where it is numbered 0, below its question if that is known.
    ///
    /// - Parameter number: its place in the trace, from 1.
    mutating func add(_ round: SpeculationRound, number: Int, question: String?) {
        if round.index == 0 || turns.isEmpty {
            if !turns.isEmpty { turns[turns.count - 1].text += texts.end() }
            texts = RoundTexts()
            if let question { turns.append(Turn(id: turns.count, content: .question(.sent), text: question)) }
            turns.append(Turn(id: turns.count, content: .answer(.complete), text: ""))
        }
        turns[turns.count - 1].add(texts.add(round), ofRound: number)
    }

    /// The turns so far.
    ///
    /// - Parameter isComplete: whether the trace ends here; else the last answer goes on.
    func turns(isComplete: Bool) -> [Turn] {
        guard !turns.isEmpty else { return [] }
        var turns = turns
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
