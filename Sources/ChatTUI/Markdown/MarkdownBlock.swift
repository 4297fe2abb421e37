// MarkdownBlock.swift — what MarkdownParser makes of an answer, for MarkdownLayout to draw.

/// A block of an answer: the text as it came, still with its inline marks, and where it stands.
struct MarkdownBlock: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// Lines stay the lines that they were: those who write answers break lines where they mean it.
        case paragraph(String)
        case heading(level: Int, String)
        /// Lines as they are; nothing in them is a mark.
        case code(language: String, lines: [String])
        case table(MarkdownTable)
        case rule
    }
    /// The list item that the block belongs to.
    struct Item: Sendable, Equatable {
        /// Columns that the item's text is set in.
        var indent: Int
        /// On the item's first block only: a bullet, or the number as it was written.
        var marker: Marker?
    }
    enum Marker: Sendable, Equatable {
        /// 0 for an outermost list.
        case bullet(depth: Int)
        case number(String)

        var columns: Int {
            switch self {
            case .bullet: 2
            case .number(let text): text.utf8.count + 1
            }
        }
    }

    var kind: Kind
    /// How many quotes the block is in, at most `MarkdownLine.deepestQuote`.
    var quoteDepth = 0
    var item: Item?
    /// A blank line stood before the block.
    var isSpaced = false
}

struct MarkdownTable: Sendable, Equatable {
    enum Alignment: Sendable, Equatable { case left, center, right }

    let alignments: [Alignment]
    /// The lines as they were written: the heading, the rule below it, the rows.
    let source: [String]

    /// The cells, the heading's first. A row may be shorter or longer than the heading.
    var rows: [[String]] {
        source.enumerated().filter { $0.offset != 1 }.map { MarkdownLine(Array($0.element.utf8)[...]).cells }
    }
}
