// RoundGraph.swift — a round for Graphviz: the tree for those who want to lay it out themselves.

import Engine

enum RoundGraph {
    /// The round as a directed graph, from left to right, siblings in the order of the panel.
    static func dot(_ numbered: NumberedRound) -> String {
        let round = numbered.round
        let lanes = RoundLanes(round)
        let verdicts = round.verdicts + [.bonus]
        var lines = [
            "digraph round_\(numbered.number) {",
            "  graph [rankdir=LR, ordering=out, nodesep=0.15, ranksep=0.4, labelloc=t, fontname=\"monospace\","
                + " label=\(quoted(RoundFacts.line(numbered)))];",
            "  node [shape=box, fontname=\"monospace\", fontsize=11, height=0.3, margin=\"0.08,0.04\"];",
            "  edge [arrowhead=none];",
        ]
        for index in lanes.order {
            let verdict = verdicts[index]
            let mark = Symbols.unicode.mark(verdict)
            var label = DisplayText.glyphs(TokenLabel.text(of: round.piece(of: index), in: .unicode))
                .map(\.text).joined()
            if round.tree.nodes.indices.contains(index) {
                label += Symbols.unicode.mark(round.tree.nodes[index].source)
            }
            if !mark.isEmpty { label = mark + " " + label }
            if (1..<round.tree.count).contains(index) {
                label += " " + Figures.probability(round.tree.nodes[index].probability)
            }
            lines.append("  n\(index) [label=\(quoted(label)), \(nodeStyle(verdict))];")
        }
        for index in lanes.order {
            guard let parent = lanes.parent(of: index) else { continue }
            lines.append("  n\(parent) -> n\(index) [\(edgeStyle(verdicts[index]))];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    /// Looks that differ without colours too.
    private static func nodeStyle(_ verdict: NodeVerdict) -> String {
        switch verdict {
        case .root: "group=path, style=filled, fillcolor=\"#333333\", fontcolor=\"white\""
        case .accepted: "group=path, penwidth=2, color=\"#0072b2\""
        case .bonus: "group=path, peripheries=2, color=\"#b8860b\""
        case .rejected: "style=dashed, color=\"#d55e00\""
        case .unreached, .drafted: "style=dotted, color=\"#777777\", fontcolor=\"#555555\""
        }
    }

    private static func edgeStyle(_ verdict: NodeVerdict) -> String {
        switch verdict {
        case .root, .bonus, .accepted: "penwidth=2, weight=10"
        case .rejected: "style=dashed"
        case .unreached, .drafted: "style=dotted"
        }
    }

    /// A string of the dot language. A backslash before anything would command the layout.
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}

/// What is said of a round beside its picture.
enum RoundFacts {
    /// "round 41: 8 drafted, 3 accepted, 4 tokens; draft 6.1 ms, verify 19.8 ms; best rate at 8 nodes"
    static func line(_ numbered: NumberedRound) -> String {
        "round \(numbered.number): \(counts(numbered.round)); \(times(numbered.round))"
    }

    static func counts(_ round: SpeculationRound) -> String {
        let tokens = Figures.count(round.tokens.count, "token")
        let found = round.tree.nodes.count { $0.source == .lookup || $0.source == .both }
        let lookups = found == 0 ? "" : " (\(found) looked up)"
        return "\(round.drafted) drafted\(lookups), \(round.accepted.count) accepted, \(tokens)"
    }

    static func times(_ round: SpeculationRound) -> String {
        let draft = Figures.milliseconds(round.seconds.draft)
        let verify = Figures.milliseconds(round.seconds.verify)
        let reason = DisplayText.glyphs(round.budget.reason).map(\.text).joined()
        return "draft \(draft), verify \(verify); \(reason)"
    }
}
