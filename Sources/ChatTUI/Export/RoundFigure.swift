// RoundFigure.swift — a round's tree measured out in pixels: what the still picture and the page are drawn from.

import Engine

/// Nodes as boxes in columns by depth and rows by lane, the accepted path straight on top.
///
/// The measures are those of a monospace font whose letters are 0.6 of its size wide (DejaVu, Liberation, Menlo and
/// their like); texts carry their length, so that another font is fitted in rather than running over.
struct RoundFigure: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        let index: Int
        let parent: Int?
        let verdict: NodeVerdict
        let label: String
        /// Columns of the label.
        let columns: Int
        /// ".81"; absent at the root and the bonus token.
        let probability: String?
        let x: Double
        let y: Double
        let width: Double
    }

    static let fontSize = 13.0
    static let advance = 7.8
    static let smallSize = 11.0
    static let smallAdvance = 6.6
    static let boxHeight = 26.0
    static let padding = 8.0
    private static let rowPitch = 38.0
    private static let columnGap = 40.0
    /// Columns of a token at most: a picture has room, but not without end.
    private static let longestToken = 24

    let nodes: [Node]
    let width: Double
    let height: Double

    init(_ round: SpeculationRound) {
        let lanes = RoundLanes(round)
        let verdicts = round.verdicts + [.bonus]
        let labels = verdicts.indices.map { index in
            let source = round.tree.nodes.indices.contains(index) ? round.tree.nodes[index].source : nil
            return DisplayText.clipped(
                TokenLabel.text(of: round.piece(of: index), in: .unicode), to: RoundFigure.longestToken)
                + DisplayText.glyphs(Symbols.unicode.mark(source))
        }
        let columns = labels.map { $0.reduce(0) { $0 + $1.width } }
        let probabilities = verdicts.indices.map { index in
            (1..<round.tree.count).contains(index)
                ? Figures.probability(round.tree.nodes[index].probability) : nil
        }
        let widths = verdicts.indices.map { index in
            RoundFigure.boxWidth(columns: columns[index], probability: probabilities[index], verdicts[index])
        }
        var lefts = [0.0]
        for depth in 0...(lanes.depths.max() ?? 0) {
            let widest = verdicts.indices.filter { lanes.depths[$0] == depth }.map { widths[$0] }.max() ?? 0
            lefts.append(lefts[depth] + widest + RoundFigure.columnGap)
        }
        nodes = lanes.order.map { index in
            Node(
                index: index, parent: lanes.parent(of: index), verdict: verdicts[index],
                label: labels[index].map(\.text).joined(), columns: columns[index],
                probability: probabilities[index], x: lefts[lanes.depths[index]],
                y: Double(lanes.rows[index]) * RoundFigure.rowPitch, width: widths[index])
        }
        width = (lefts.last ?? 0) - RoundFigure.columnGap
        height = Double(lanes.rowCount - 1) * RoundFigure.rowPitch + RoundFigure.boxHeight
    }

    /// Columns before the label: the mark and a blank.
    static func markColumns(_ verdict: NodeVerdict) -> Int { verdict == .root ? 0 : 2 }

    private static func boxWidth(columns: Int, probability: String?, _ verdict: NodeVerdict) -> Double {
        let label = Double(columns + markColumns(verdict)) * advance
        let small = probability.map { Double($0.count) * smallAdvance + padding } ?? 0
        return max(30, 2 * padding + label + small)
    }
}

/// Text for markup.
enum Markup {
    /// `text` as it may stand in an element or a quoted attribute. Signs that no XML may hold are spelt out.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in DisplayText.glyphs(text).map(\.text).joined().unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// A length with at most one decimal: "12", "7.8".
    static func length(_ value: Double) -> String {
        let text = Figures.fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
