// RoundExportTests.swift — rounds as pictures, pages and graphs: well formed, complete, and harmless whatever tokens say.

import Engine
import Foundation
import Testing

@testable import ChatTUI

#if canImport(FoundationXML)
    import FoundationXML
#endif

struct `An export` {
    private static let hostile = [
        "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "]]>", "&amp;&#0;", "\\\"];}\n",
        "\u{1B}[2J\u{9B}31m\u{07}", "\u{202E}abc\u{0}", "\u{FFFE}\u{FFFF}", "<!--", "日本語 🙂 e\u{301}", "\\N\\G",
    ]

    private static func hostileRound() -> SpeculationRound {
        Samples.round(
            root: hostile[0], hostile.enumerated().map { (0, $1, Float(90 - $0) / 100) }, accepted: [2],
            bonus: hostile[1], reason: hostile[0])
    }

    private func numbered(_ rounds: [SpeculationRound]) -> [NumberedRound] {
        rounds.enumerated().map {
            NumberedRound(number: $0 + 1, round: $1, question: $0 == 0 ? Self.hostile.joined(separator: " ") : nil)
        }
    }

    private func parses(_ xml: String) -> Bool { XMLParser(data: Data(xml.utf8)).parse() }

    private func count(_ part: String, in text: String) -> Int { text.components(separatedBy: part).count - 1 }

    @Test func `as SVG parses as XML and holds every node, by look as well as by colour`() {
        let svg = RoundExport.render(numbered([Samples.sketch()]), as: .svg, title: "t")
        #expect(parses(svg))
        for token in ["·ball", "·and", "·a<", "·blue", "·green", "·mug"] { #expect(svg.contains(token), "\(token)") }
        #expect(count("<g class=\"rejected\">", in: svg) == 4 + 1, "four nodes and the legend")
        #expect(count("<g class=\"accepted\">", in: svg) == 3 + 1)
        #expect(count("<path class=\"edge", in: svg) == 9)
        #expect(svg.contains("stroke-dasharray"))
    }

    @Test func `as SVG keeps every text inside its box and every box inside the picture`() {
        let figure = RoundFigure(Self.hostileRound())
        for node in figure.nodes {
            let label = Double(node.columns + RoundFigure.markColumns(node.verdict)) * RoundFigure.advance
            let small = node.probability.map { Double($0.count) * RoundFigure.smallAdvance } ?? 0
            #expect(label + small + 2 * RoundFigure.padding <= node.width)
            #expect(node.x + node.width <= figure.width && node.y + RoundFigure.boxHeight <= figure.height)
        }
        let places = Set(figure.nodes.map { [$0.x, $0.y] })
        #expect(places.count == figure.nodes.count)
        #expect(figure.nodes.filter { [.accepted, .bonus, .root].contains($0.verdict) }.allSatisfy { $0.y == 0 })
    }

    @Test func `holds no markup, control or command of a hostile token`() {
        let rounds = numbered([Self.hostileRound()])
        #expect(parses(RoundExport.render(rounds, as: .svg, title: Self.hostile[0])))
        for format in RoundFormat.allCases where format != .json {
            let text = RoundExport.render(rounds, as: format, title: Self.hostile[0])
            #expect(
                text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }, "\(format)")
        }
        let html = RoundExport.render(rounds, as: .html, title: Self.hostile[0])
        #expect(count("<script", in: html) == 2 && count("</script", in: html) == 2)
        #expect(!html.contains("<img") && !html.contains("<!--"))
    }

    @Test func `as a page loads nothing from elsewhere and has the rounds inside`() throws {
        let html = RoundExport.render(
            [Samples.plain(index: 0), Samples.sketch(index: 1)].map { NumberedRound(number: 1, round: $0) }, as: .html,
            title: "t")
        for reference in ["src=", "href=", "url(", "@import", "fetch(", "XMLHttp", "import(", "http:", "https:"] {
            #expect(!html.contains(reference), "\(reference)")
        }
        #expect(html.contains("default-src 'none'"))
        let start = try #require(html.range(of: "id=\"rounds\">"))
        let end = try #require(html.range(of: "</script>", range: start.upperBound..<html.endIndex))
        let json = Data(html[start.upperBound..<end.lowerBound].utf8)
        let pages = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
        #expect(pages.map { $0["text"] as? String } == [" sat", " and a blue mug"])
        #expect(pages.map { ($0["nodes"] as? [Any])?.count } == [2, 10])
    }

    @Test func `as a graph is balanced and quotes what Graphviz would obey`() {
        let dot = RoundExport.render(numbered([Self.hostileRound()]), as: .dot, title: "t")
        #expect(dot.hasPrefix("digraph round_1 {\n") && dot.hasSuffix("}\n"))
        for line in dot.split(separator: "\n") where line.contains("label=\"") {
            // Quotes that are not escaped come in pairs, and no backslash is left to command anything.
            let quotes = line.replacing("\\\\", with: "").replacing("\\\"", with: "")
            #expect(quotes.filter { $0 == "\"" }.count % 2 == 0 && !quotes.contains("\\"), "\(line)")
        }
        #expect(count(" -> ", in: dot) == Self.hostile.count + 1)
        #expect(count("[label=", in: dot) == Self.hostile.count + 2)
    }

    @Test func `as JSON is the round again`() throws {
        let json = RoundExport.render(numbered([Samples.inspected()]), as: .json, title: "t")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        #expect(try decoder.decode(SpeculationRound.self, from: Data(json.utf8)) == Samples.inspected())
    }

    @Test func `is the same, down to the byte, for the same round`() {
        let dot = RoundExport.render(
            [NumberedRound(number: 3, round: Samples.inspected())], as: .dot, title: "t")
        #expect(
            dot == """
                digraph round_3 {
                  graph [rankdir=LR, ordering=out, nodesep=0.15, ranksep=0.4, labelloc=t, fontname="monospace", \
                label="round 3: 2 drafted, 1 accepted, 2 tokens; draft 6.1 ms, verify 19.8 ms; best rate at 8 nodes"];
                  node [shape=box, fontname="monospace", fontsize=11, height=0.3, margin="0.08,0.04"];
                  edge [arrowhead=none];
                  n0 [label="·ball", group=path, style=filled, fillcolor="#333333", fontcolor="white"];
                  n1 [label="✓ ·a .80", group=path, penwidth=2, color="#0072b2"];
                  n3 [label="★ ·cat", group=path, peripheries=2, color="#b8860b"];
                  n2 [label="✗ ·dog .40", style=dashed, color="#d55e00"];
                  n0 -> n1 [penwidth=2, weight=10];
                  n1 -> n3 [penwidth=2, weight=10];
                  n1 -> n2 [style=dashed];
                }

                """)
    }
}
