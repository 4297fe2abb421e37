// RoundPicture.swift — a round as a still picture (SVG) for slides and papers; readable in black and white.

import Engine

enum RoundPicture {
    private static let margin = 20.0
    private static let header = 52.0
    private static let footer = 44.0
    private static let fonts = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"

    static func svg(_ numbered: NumberedRound) -> String {
        let figure = RoundFigure(numbered.round)
        let legendWidth = legend.reduce(0) { $0 + entryWidth($1.text) }
        let heading = "Round \(numbered.number): \(RoundFacts.counts(numbered.round))"
        let times = RoundFacts.times(numbered.round)
        let texts = max(
            legendWidth, Double(heading.count) * 9, Double(DisplayText.width(times)) * RoundFigure.smallAdvance)
        let width = max(figure.width, texts) + 2 * margin
        let height = header + figure.height + footer
        let size = "width=\"\(length(width))\" height=\"\(length(height))\""
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) viewBox=\"0 0 \(length(width)) \(length(height))\""
                + " font-family=\"\(fonts)\" role=\"img\">",
            "<title>\(Markup.escaped(heading))</title>", style,
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
            "<text class=\"heading\" x=\"\(length(margin))\" y=\"24\">\(Markup.escaped(heading))</text>",
            "<text class=\"small\" x=\"\(length(margin))\" y=\"41\">\(Markup.escaped(times))</text>",
            "<g transform=\"translate(\(length(margin)) \(length(header)))\">",
        ]
        lines += edges(figure) + figure.nodes.flatMap(node) + ["</g>"]
        lines += drawLegend(y: height - 16)
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private static let style = """
        <style>
        .heading { font-size: 15px; font-weight: bold; fill: #111; }
        .label { font-size: \(length(RoundFigure.fontSize))px; fill: #111; }
        .small { font-size: \(length(RoundFigure.smallSize))px; fill: #444; }
        .box { fill: #fff; stroke-width: 1.2; }
        .edge { fill: none; stroke: #555; stroke-width: 1.2; }
        .root .box { fill: #333; stroke: #333; } .root .label { fill: #fff; }
        .accepted .box { stroke: #0072b2; stroke-width: 2.6; fill: #eaf4fb; } .accepted .label { font-weight: bold; }
        .bonus .box { stroke: #946c00; fill: #fff8e0; } .bonus .label { font-weight: bold; }
        .rejected .box { stroke: #b84a00; stroke-dasharray: 6 3; }
        .unreached .box { stroke: #888; stroke-dasharray: 1.5 3; } .unreached .label { fill: #555; }
        .edge.accepted, .edge.bonus { stroke: #222; stroke-width: 2.6; }
        .edge.rejected { stroke-dasharray: 6 3; } .edge.unreached { stroke-dasharray: 1.5 3; }
        </style>
        """

    // MARK: The tree

    private static func edges(_ figure: RoundFigure) -> [String] {
        let boxes = Dictionary(uniqueKeysWithValues: figure.nodes.map { ($0.index, $0) })
        // From the bottom up: where edges share their beginning, the accepted path's lies on top.
        return figure.nodes.reversed().compactMap { node in
            guard let parent = node.parent.flatMap({ boxes[$0] }) else { return nil }
            let middle = RoundFigure.boxHeight / 2
            let (x1, y1) = (parent.x + parent.width, parent.y + middle)
            let (x2, y2) = (node.x, node.y + middle)
            // Every edge of a column turns at the same place, however wide its parent is.
            let turn = x2 - 20
            let path =
                y1 == y2
                ? "M\(length(x1)) \(length(y1))H\(length(x2))"
                : "M\(length(x1)) \(length(y1))H\(length(turn - 8))Q\(length(turn)) \(length(y1))"
                    + " \(length(turn)) \(length(y1 + 8))V\(length(y2 - 8))Q\(length(turn)) \(length(y2))"
                    + " \(length(turn + 8)) \(length(y2))H\(length(x2))"
            return "<path class=\"edge \(name(node.verdict))\" d=\"\(path)\"/>"
        }
    }

    private static func node(_ node: RoundFigure.Node) -> [String] {
        var lines = ["<g class=\"\(name(node.verdict))\">"]
        lines.append(box(x: node.x, y: node.y, width: node.width))
        if node.verdict == .bonus {
            lines.append(box(x: node.x + 3, y: node.y + 3, width: node.width - 6, height: RoundFigure.boxHeight - 6))
        }
        let baseline = node.y + 17.5
        var x = node.x + RoundFigure.padding
        let mark = Symbols.unicode.mark(node.verdict)
        if !mark.isEmpty {
            lines.append("<text class=\"label\" x=\"\(length(x))\" y=\"\(length(baseline))\">\(mark)</text>")
            x += Double(RoundFigure.markColumns(node.verdict)) * RoundFigure.advance
        }
        let span = Double(node.columns) * RoundFigure.advance
        lines.append(
            "<text class=\"label\" x=\"\(length(x))\" y=\"\(length(baseline))\" textLength=\"\(length(span))\""
                + " lengthAdjust=\"spacingAndGlyphs\">\(Markup.escaped(node.label))</text>")
        if let probability = node.probability {
            let right = length(node.x + node.width - RoundFigure.padding)
            lines.append(
                "<text class=\"small\" x=\"\(right)\" y=\"\(length(baseline))\" text-anchor=\"end\">\(probability)</text>"
            )
        }
        return lines + ["</g>"]
    }

    private static func box(
        x: Double, y: Double, width: Double, height: Double = RoundFigure.boxHeight
    ) -> String {
        "<rect class=\"box\" x=\"\(length(x))\" y=\"\(length(y))\" width=\"\(length(width))\""
            + " height=\"\(length(height))\" rx=\"4\"/>"
    }

    static func name(_ verdict: NodeVerdict) -> String {
        switch verdict {
        case .root: "root"
        case .accepted: "accepted"
        case .rejected: "rejected"
        case .unreached: "unreached"
        case .bonus: "bonus"
        case .drafted: "drafted"
        }
    }

    // MARK: Legend

    private static let legend: [(verdict: NodeVerdict, text: String)] = [
        (.accepted, "accepted"), (.bonus, "target's own"), (.rejected, "rejected"), (.unreached, "not reached"),
    ]

    private static func entryWidth(_ text: String) -> Double { 40 + Double(text.count) * RoundFigure.smallAdvance + 18 }

    private static func drawLegend(y: Double) -> [String] {
        var x = margin
        return legend.flatMap { verdict, text in
            defer { x += entryWidth(text) }
            var lines = ["<g class=\"\(name(verdict))\">", box(x: x, y: y - 13, width: 32, height: 18)]
            if verdict == .bonus { lines.append(box(x: x + 3, y: y - 10, width: 26, height: 12)) }
            let mark = Symbols.unicode.mark(verdict)
            lines.append(
                "<text class=\"small\" x=\"\(length(x + 16))\" y=\"\(length(y))\" text-anchor=\"middle\">\(mark)</text>"
            )
            lines.append("</g>")
            lines.append(
                "<text class=\"small\" x=\"\(length(x + 40))\" y=\"\(length(y))\">\(Markup.escaped(text))</text>")
            return lines
        }
    }

    private static func length(_ value: Double) -> String { Markup.length(value) }
}
