// TreeDrawingTests.swift — the tree as lanes: accepted path on top and straight, folding counted, nothing lost.

import Engine
import Testing

@testable import ChatTUI

struct `Tree drawing` {
    private func lines(
        _ round: SpeculationRound, rows: Int, width: Int, verified: Bool = true, symbols: Symbols = .unicode
    ) -> [String] {
        let drawing = TreeDrawing.fitting(round, rows: rows, width: width, symbols: symbols)
        var frame = Frame(size: Size(rows: rows, columns: width))
        let area = Rectangle(row: 0, column: 0, rows: rows, columns: width)
        drawing.draw(in: area, isVerified: verified, symbols: symbols, on: &frame)
        return frame.lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    }

    @Test func `puts the accepted path straight on the top row`() {
        #expect(
            lines(Samples.sketch(), rows: 6, width: 78) == [
                "·ball ┬─ ✓ ·and .81 ┬─ ✓ ·a .55 ──┬─ ✓ ·blue .40 ─┬─ ★ ·mug",
                "      │             │             │               ╰─ ✗ ·cup .60",
                "      │             │             ╰─ ✗ ·green .22 ── · ·cup .50",
                "      │             ╰─ ✗ ·the .20",
                "      ╰─ ✗ . .11",
                "",
            ])
    }

    @Test func `shows a draft without verdicts, every node in the place it keeps`() {
        let drafted = lines(Samples.sketch(), rows: 6, width: 78, verified: false)
        #expect(drafted[0] == "·ball ┬─ ○ ·and .81 ┬─ ○ ·a .55 ──┬─ ○ ·blue .40 ─╮")
        #expect(drafted[4] == "      ╰─ ○ . .11")
        #expect(!drafted.joined().contains { "✓★✗".contains($0) })
    }

    @Test func `says all of it in ASCII`() {
        #expect(
            lines(Samples.sketch(), rows: 6, width: 78, symbols: .ascii) == [
                "_ball +- + _and .81 +- + _a .55 --+- + _blue .40 -+- * _mug",
                "      |             |             |               +- x _cup .60",
                "      |             |             +- x _green .22 -- . _cup .50",
                "      |             +- x _the .20",
                "      +- x . .11",
                "",
            ])
    }

    @Test func `folds what has no room and counts it`() {
        #expect(
            lines(Samples.sketch(), rows: 2, width: 78) == [
                "·ball +1 ── ✓ ·and .81 ┬─ ✓ ·a .55 +2 ── ✓ ·blue .40 +1 ── ★ ·mug",
                "                       ╰─ ✗ ·the .20",
            ])
    }

    @Test func `draws ever more densely before it folds a deep path`() {
        let words = [" The", " picture", " shows", " four", " objects", " in", " total", "."]
        let nodes = words.enumerated().map { Samples.NodeText(parent: $0, text: $1, probability: 0.9) }
        let deep = Samples.round(nodes, accepted: Array(1...8), bonus: " It")
        #expect(lines(deep, rows: 2, width: 118)[0].contains("✓ ·objects ── ✓ ·in"))
        #expect(
            lines(deep, rows: 2, width: 78)[0]
                == "·ball─ ✓·The─ ✓·pict…─ ✓·shows─ ✓·four─ ✓·obje…─ ✓·in─ ✓·total─ ✓.─ ★·It")
        #expect(lines(deep, rows: 2, width: 60)[0].hasSuffix("✓. ★"))
        #expect(lines(deep, rows: 2, width: 38)[0] == "·ba…─ ✓·The─ ✓·pi…─ ✓·sh…─ ✓·fo… +4 ★")
    }

    @Test func `folds what the target never reached before it draws more densely`() {
        let words = [" The", " picture", " shows", " four", " objects", " in", " total", "."]
        let nodes = words.enumerated().map { Samples.NodeText(parent: $0, text: $1, probability: 0.9) }
        #expect(
            lines(Samples.round(nodes, accepted: [1], bonus: " dog"), rows: 2, width: 60) == [
                "·ball ── ✓ ·The .90 ┬─ ★ ·dog",
                "                    ╰─ ✗ ·picture .90 ── · ·shows .90 +5",
            ])
    }

    @Test func `of plain decoding is the root and the target's token`() {
        #expect(lines(Samples.plain(index: 0), rows: 3, width: 40)[0] == "·cat ── ★ ·sat")
    }

    /// Every node is drawn or counted, and no cell is outside, for many random trees in many boxes.
    @Test(arguments: 0..<60)
    func `loses no node and fits its box`(seed: Int) {
        var state = UInt64(seed) &* 2_654_435_761 &+ 1
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var nodes: [Samples.NodeText] = []
        var level = [0]
        for _ in 0..<(1 + random(6)) {
            var next: [Int] = []
            for parent in level {
                for _ in 0..<random(4) {
                    let text = [" word", "日本", "\n", "incomprehensibly"][random(4)]
                    nodes.append((parent, text, Float(random(100)) / 100))
                    next.append(nodes.count)
                }
            }
            if next.isEmpty { break }
            level = Array(next.prefix(5))
        }
        var accepted: [Int] = []
        while let child = nodes.firstIndex(where: { $0.parent == accepted.last ?? 0 }), random(4) > 0 {
            accepted.append(child + 1)
        }
        let round = Samples.round(nodes, accepted: accepted, bonus: " end")
        for (rows, width) in [(1, 20), (3, 38), (6, 78), (12, 118), (40, 300)] {
            let drawing = TreeDrawing.fitting(round, rows: rows, width: width, symbols: .unicode)
            #expect(drawing.nodes.reduce(drawing.drawn) { $0 + $1.folded } == round.drafted)
            #expect(drawing.rows <= rows)
            #expect(drawing.width <= width || width < 38)
            let path = drawing.nodes.filter { $0.verdict == .accepted || $0.verdict == .bonus }
            #expect(path.allSatisfy { $0.row == 0 })
            #expect(Set(drawing.nodes.map { [$0.row, $0.depth] }).count == drawing.nodes.count)
        }
    }
}

struct `Round verdicts` {
    @Test func `tell rejected from never reached`() {
        #expect(
            Samples.sketch().verdicts == [
                .root, .accepted, .rejected, .accepted, .rejected, .accepted, .rejected, .rejected, .unreached,
            ])
    }
}

struct `The text form of a trace` {
    @Test func `is one block of lines for each round`() {
        #expect(
            replayText([Samples.plain(index: 0), Samples.sketch(index: 1)]) == """
                round 1, 0 drafted, 0 accepted, +1 token, draft 6.1 ms, verify 19.8 ms, plain: a tree would not pay
                  ·cat ── ★ ·sat

                round 2, 8 drafted, 3 accepted, +4 tokens, draft 6.1 ms, verify 19.8 ms, best rate at 8 nodes
                  ·ball ┬─ ✓ ·and .81 ┬─ ✓ ·a .55 ──┬─ ✓ ·blue .40 ─┬─ ★ ·mug
                        │             │             │               ╰─ ✗ ·cup .60
                        │             │             ╰─ ✗ ·green .22 ── · ·cup .50
                        │             ╰─ ✗ ·the .20
                        ╰─ ✗ . .11

                """)
    }

    @Test func `holds no escape code, whatever the tokens and the reason say`() {
        let hostile = Samples.round(
            root: "\u{1B}[2J", [(0, "\u{1B}]0;x\u{07}", 0.5), (0, "\u{9B}31m", 0.4)], accepted: [1], bonus: "\u{1B}c",
            reason: "\u{1B}[1mbold")
        let scalars = replayText([hostile]).unicodeScalars
        #expect(scalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    @Test func `survives a trace whose pieces are missing`() {
        let whole = Samples.sketch()
        let cut = SpeculationRound(
            index: 0, position: 0, tree: whole.tree, accepted: whole.accepted, bonus: 1, pieces: [], draftPasses: 0,
            budget: whole.budget, seconds: whole.seconds)
        #expect(replayText([cut]).contains("‹?›"))
    }
}
