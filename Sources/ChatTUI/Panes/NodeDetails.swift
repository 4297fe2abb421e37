// NodeDetails.swift — the node that is looked at, in words and bars: beside or in place of the tree.

import Engine

enum NodeDetails {
    /// Rows that show everything of a node, one above the other.
    static let rows = 14
    private static let labelColumns = 8
    private static let tokenColumns = 14

    static func draw(_ round: SpeculationRound, node: Int, in area: Rectangle, symbols: Symbols, on frame: inout Frame)
    {
        guard !area.isEmpty else { return }
        let facts = NodeFacts(round, node: node)
        let isSideBySide = area.rows < 10 && area.columns >= 70
        let left = isSideBySide ? max(36, area.columns * 5 / 12) : area.columns
        let lines = lines(facts, round, width: left, symbols: symbols)
        for (offset, line) in lines.prefix(area.rows).enumerated() {
            frame.draw(line, row: area.row + offset, column: area.column, limit: area.column + left)
        }
        var bars = area
        if isSideBySide {
            bars.column += left + 2
            bars.columns -= left + 2
        } else {
            bars.row += lines.count + 1
            bars.rows -= lines.count + 1
        }
        drawSuccessors(facts, in: bars, symbols: symbols, on: &frame)
    }

    // MARK: Words

    private static func lines(
        _ facts: NodeFacts, _ round: SpeculationRound, width: Int, symbols: Symbols
    ) -> [[Span]] {
        let mark = symbols.mark(facts.verdict)
        let token = TokenLabel.text(of: facts.piece, in: symbols)
        var lines: [[Span]] = [
            [
                Span(mark.isEmpty ? "" : mark + " ", facts.verdict.role), Span(clipped(token, 24, symbols), .strong),
                Span("  \(name(facts.verdict)), depth \(facts.depth)", .faint),
            ],
            [label("path"), Span(path(facts, round, width: width - labelColumns, symbols: symbols))],
            [label("token"), Span("\(facts.token)"), Span("  \(bytes(facts, width: width))", .faint)],
        ]
        if let draft = facts.draft {
            let place = " rank \(draft.rank) of \(draft.proposals) path \(probability(draft.score))"
            let source = facts.source == nil || facts.source == .model ? "" : "  " + (facts.source?.title ?? "")
            lines.append([label("draft"), Span(probability(draft.probability)), Span(place + source, .faint)])
        } else {
            lines.append([label("draft"), Span(facts.verdict == .root ? "given" : "did not propose it", .faint)])
        }
        if let target = facts.target {
            var line = [label("target"), Span(probability(target.probability)), Span(" rank \(target.rank)", .faint)]
            if let noise = target.noise { line.append(Span(" noise \(signed(noise))", .faint)) }
            lines.append(line)
        } else {
            lines.append([label("target"), Span(facts.verdict == .root ? "given" : "not recorded", .faint)])
        }
        return lines
    }

    private static func path(
        _ facts: NodeFacts, _ round: SpeculationRound, width: Int, symbols: Symbols
    ) -> String {
        var steps = facts.path.map { TokenLabel.text(of: round.piece(of: $0), in: symbols) }
        let separator = symbols.isUTF8 ? " › " : " > "
        // The end of the path is what is looked at; its beginning gives way, and says so.
        var text = steps.joined(separator: separator)
        while steps.count > 1, DisplayText.width(text) > width {
            steps.removeFirst()
            text = symbols.ellipsis + separator + steps.joined(separator: separator)
        }
        return clipped(text, max(1, width), symbols)
    }

    private static func clipped(_ text: String, _ width: Int, _ symbols: Symbols) -> String {
        DisplayText.clipped(text, to: width, mark: symbols.ellipsis).map(\.text).joined()
    }

    private static func name(_ verdict: NodeVerdict) -> String {
        switch verdict {
        case .root: "the text's end"
        case .accepted: "accepted"
        case .rejected: "rejected"
        case .unreached: "not reached"
        case .bonus: "the target's own"
        case .drafted: "drafted"
        }
    }

    private static func label(_ text: String) -> Span {
        Span(text + String(repeating: " ", count: labelColumns - text.count), .title)
    }

    /// In four columns: ".178", "1.00".
    private static func probability(_ value: Float) -> String {
        let text = Figures.fixed(Double(value), 3)
        return text.hasPrefix("0") ? String(text.dropFirst()) : String(text.dropLast())
    }

    private static func signed(_ value: Float) -> String {
        (value < 0 ? "" : "+") + Figures.fixed(Double(value), 2)
    }

    /// The token's bytes, as many as fit; the rest is counted.
    private static func bytes(_ facts: NodeFacts, width: Int) -> String {
        let bytes = facts.piece.bytes
        guard !bytes.isEmpty else { return "no bytes" }
        let room = (width - labelColumns - String(facts.token).count - 2 - "bytes ".count - " +99".count) / 3
        let shown = bytes.prefix(bytes.count <= room + 1 ? bytes.count : max(1, room))
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        let rest = bytes.count - shown.count
        return "bytes " + shown.joined(separator: " ") + (rest > 0 ? " +\(rest)" : "")
    }

    // MARK: Bars

    /// One row for each token that could follow: draft's bar, then target's.
    private static func drawSuccessors(
        _ facts: NodeFacts, in area: Rectangle, symbols: Symbols, on frame: inout Frame
    ) {
        guard area.rows >= 2, area.columns >= tokenColumns + 16 else { return }
        guard !facts.successors.isEmpty else {
            let text = facts.verdict == .bonus ? "the next round begins here" : "nothing was proposed after this token"
            frame.draw(text, row: area.row, column: area.column, limit: area.endColumn, role: .faint)
            return
        }
        let bar = (area.columns - tokenColumns - 2) / 2 - 6
        let second = area.column + tokenColumns + bar + 7
        frame.draw("then", row: area.row, column: area.column, role: .title)
        frame.draw("draft", row: area.row, column: area.column + tokenColumns, limit: area.endColumn, role: .title)
        frame.draw("target", row: area.row, column: second, limit: area.endColumn, role: .title)
        let room = area.rows - 1
        let fits = facts.successors.count <= room ? room : room - 1
        for (offset, successor) in facts.successors.prefix(fits).enumerated() {
            let row = area.row + 1 + offset
            let mark = successor.verdict.map { symbols.mark($0) + " " } ?? "  "
            let token = clipped(TokenLabel.text(of: successor.piece, in: symbols), tokenColumns - 3, symbols)
            let role = successor.verdict?.role ?? .text
            frame.draw([Span(mark, role), Span(token, role)], row: row, column: area.column)
            draw(
                successor.draft, columns: bar, row: row, column: area.column + tokenColumns, symbols: symbols,
                on: &frame)
            draw(successor.target, columns: bar, row: row, column: second, symbols: symbols, on: &frame)
        }
        let left = facts.successors.count - fits
        if left > 0 {
            frame.draw("+\(left) more", row: area.row + 1 + fits, column: area.column, role: .faint)
        }
    }

    private static func draw(
        _ value: Float?, columns: Int, row: Int, column: Int, symbols: Symbols, on frame: inout Frame
    ) {
        guard let value else {
            frame.draw("-", row: row, column: column, role: .faint)
            return
        }
        let end = frame.draw(symbols.bar(value, columns: columns), row: row, column: column, role: .spark)
        frame.draw(" " + Figures.probability(value), row: row, column: end)
    }
}

extension Symbols {
    /// A bar whose length says a probability, as fine as the signs allow; a bar of nothing is empty.
    func bar(_ value: Float, columns: Int) -> String {
        let share = min(1, max(0, value.isFinite ? value : 0))
        guard isUTF8 else { return String(repeating: "#", count: Int((share * Float(columns)).rounded())) }
        let eighths = Int((share * Float(columns * 8)).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    }
}
