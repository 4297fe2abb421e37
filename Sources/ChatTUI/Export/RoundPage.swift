// RoundPage.swift — rounds as one page that plays them: for slides and for whoever has no terminal at hand.

import Engine
import Foundation

/// A page without any address in it: style, script and rounds are all inside, and its policy forbids it to load anything.
///
/// Texts of models reach the page as JSON strings, in which no `<` stands, and are put on it as text, never as markup.
enum RoundPage {
    static func html(_ rounds: [NumberedRound], title: String) -> String {
        let title = Markup.escaped(title)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>
            \(RoundPageParts.style)
            </style>
            </head>
            <body>
            \(RoundPageParts.body(title: title))
            <script type="application/json" id="rounds">\(json(rounds))</script>
            <script>
            \(RoundPageParts.script)
            </script>
            </body>
            </html>

            """
    }

    // MARK: The rounds

    private struct Box: Encodable {
        let index: Int
        let parent: Int?
        let verdict: String
        let mark: String
        let label: String
        let probability: String?
        /// Pixels: left, top, width, and the length of the label.
        let x: Double
        let y: Double
        let width: Double
        let length: Double
    }

    private struct Page: Encodable {
        let number: Int
        let question: String?
        /// True at the first round of an answer.
        let begins: Bool
        let counts: String
        let drafted: String
        let times: String
        let text: String
        let width: Double
        let height: Double
        let nodes: [Box]
    }

    private static func json(_ rounds: [NumberedRound]) -> String {
        var texts = RoundTexts()
        let pages = rounds.map { numbered in
            if numbered.round.index == 0 { texts = RoundTexts() }
            return page(numbered, text: texts.add(numbered.round))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(pages) else { return "[]" }
        // A script element ends at the first "</script", wherever it stands.
        return String(decoding: data, as: UTF8.self).replacing("<", with: "\\u003c").replacing(">", with: "\\u003e")
            .replacing("&", with: "\\u0026")
    }

    private static func page(_ numbered: NumberedRound, text: String) -> Page {
        let round = numbered.round
        let figure = RoundFigure(round)
        let boxes = figure.nodes.map { node in
            Box(
                index: node.index, parent: node.parent, verdict: RoundPicture.name(node.verdict),
                mark: Symbols.unicode.mark(node.verdict), label: node.label, probability: node.probability,
                x: tenths(node.x), y: tenths(node.y), width: tenths(node.width),
                length: tenths(Double(node.columns) * RoundFigure.advance))
        }
        return Page(
            number: numbered.number, question: numbered.question.map(PlainText.safe), begins: round.index == 0,
            counts: RoundFacts.counts(round), drafted: Figures.count(round.drafted, "node") + " drafted",
            times: RoundFacts.times(round), text: PlainText.safe(text), width: tenths(figure.width),
            height: tenths(figure.height), nodes: boxes)
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
