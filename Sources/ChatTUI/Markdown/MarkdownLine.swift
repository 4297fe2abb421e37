// MarkdownLine.swift — one line of an answer: its quotes, its indentation, and what its first signs make of it.

/// A complete line, seen by itself. What it means among its neighbours is MarkdownParser's to say.
struct MarkdownLine {
    typealias Bytes = ArraySlice<UInt8>

    struct Fence: Sendable, Equatable {
        let sign: UInt8
        let count: Int
        let language: String
    }

    /// More quotes than that are drawn as so many.
    static let deepestQuote = 8

    let quoteDepth: Int
    /// What follows the quotes, with its indentation.
    let quoted: Bytes
    /// Columns of white space after the quotes.
    let indent: Int
    /// What follows quotes and indentation.
    let text: Bytes

    /// - Parameter quotes: signs beyond that number are text, as in quoted code.
    init(_ line: Bytes, quotes: Int = .max) {
        var rest = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        var found = 0
        while found < quotes {
            let (columns, text) = MarkdownLine.indentation(of: rest)
            guard columns < 4, text.first == UInt8(ascii: ">") else { break }
            found += 1
            rest = text.dropFirst()
            if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        }
        quoteDepth = min(MarkdownLine.deepestQuote, found)
        quoted = rest
        (indent, text) = MarkdownLine.indentation(of: rest)
    }

    /// Columns of the white space at the beginning, and what follows it.
    static func indentation(of bytes: Bytes) -> (columns: Int, rest: Bytes) {
        var columns = 0
        var at = bytes.startIndex
        while at < bytes.endIndex {
            if bytes[at] == UInt8(ascii: " ") {
                columns += 1
            } else if bytes[at] == UInt8(ascii: "\t") {
                columns += 4 - columns % 4
            } else {
                break
            }
            at += 1
        }
        return (columns, bytes[at...])
    }

    var isBlank: Bool { text.isEmpty }

    /// The text with its indentation, for what has no meaning of its own.
    var indentedText: String { String(repeating: " ", count: indent) + MarkdownLine.string(text) }

    static func string(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Three or more of `-`, `*` or `_`, and nothing but spaces besides.
    var isRule: Bool {
        guard let sign = text.first, [UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "_")].contains(sign) else {
            return false
        }
        var count = 0
        for byte in text {
            if byte == sign {
                count += 1
            } else if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") {
                return false
            }
        }
        return count >= 3
    }

    static func heading(_ text: Bytes) -> (level: Int, text: String)? {
        let level = text.prefix { $0 == UInt8(ascii: "#") }.count
        guard (1...6).contains(level) else { return nil }
        let rest = text.dropFirst(level)
        guard rest.first.map({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) ?? true else { return nil }
        // Number signs at the end close the heading when a space stands before them.
        var body = trimmed(rest)
        let unclosed = body.dropLast(body.reversed().prefix { $0 == UInt8(ascii: "#") }.count)
        if unclosed.last == UInt8(ascii: " ") || unclosed.isEmpty { body = trimmed(unclosed) }
        return (level, string(body))
    }

    static func fence(_ text: Bytes) -> Fence? {
        guard let sign = text.first, sign == UInt8(ascii: "`") || sign == UInt8(ascii: "~") else { return nil }
        let count = text.prefix { $0 == sign }.count
        let rest = trimmed(text.dropFirst(count))
        guard count >= 3, sign == UInt8(ascii: "~") || !rest.contains(sign) else { return nil }
        return Fence(sign: sign, count: count, language: string(rest))
    }

    /// Whether the line ends the code that `fence` began.
    func closes(_ fence: Fence) -> Bool {
        let count = text.prefix { $0 == fence.sign }.count
        return count >= fence.count && MarkdownLine.trimmed(text.dropFirst(count)).isEmpty
    }

    /// A list marker and what follows it.
    var item: (number: String?, text: Bytes)? {
        guard let first = text.first else { return nil }
        if [UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+")].contains(first) {
            return afterMarker(text.dropFirst()).map { (nil, $0) }
        }
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...9).contains(digits.count), let sign = text.dropFirst(digits.count).first,
            sign == UInt8(ascii: ".") || sign == UInt8(ascii: ")")
        else { return nil }
        let marker = text.prefix(digits.count + 1)
        return afterMarker(text.dropFirst(marker.count)).map { (MarkdownLine.string(marker), $0) }
    }

    private func afterMarker(_ rest: Bytes) -> Bytes? {
        guard let first = rest.first else { return rest }
        return first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") ? MarkdownLine.indentation(of: rest).rest : nil
    }

    // MARK: Tables

    var hasBar: Bool { text.contains(UInt8(ascii: "|")) }

    /// The cells between the bars; a bar after a backslash is text.
    var cells: [String] {
        var row = MarkdownLine.trimmed(text)
        if row.first == UInt8(ascii: "|") { row = row.dropFirst() }
        var cells: [String] = []
        var cell: [UInt8] = []
        var isEscaped = false
        var isClosed = false
        for byte in row {
            isClosed = byte == UInt8(ascii: "|") && !isEscaped
            if isClosed {
                cells.append(MarkdownLine.string(MarkdownLine.trimmed(cell[...])))
                cell = []
            } else {
                if byte == UInt8(ascii: "|") { cell.removeLast() }
                cell.append(byte)
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        if !isClosed { cells.append(MarkdownLine.string(MarkdownLine.trimmed(cell[...]))) }
        return cells
    }

    /// The alignments of a line like `|---|:-:|--:|`; nil for any other.
    var alignments: [MarkdownTable.Alignment]? {
        let signs: Set<UInt8> = [
            UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "|"), UInt8(ascii: " "), UInt8(ascii: "\t"),
        ]
        guard hasBar, text.contains(UInt8(ascii: "-")), text.allSatisfy(signs.contains) else { return nil }
        var alignments: [MarkdownTable.Alignment] = []
        for cell in cells {
            let dashes = cell.drop { $0 == ":" }.reversed().drop { $0 == ":" }
            guard !dashes.isEmpty, dashes.allSatisfy({ $0 == "-" }) else { return nil }
            let isRight = cell.hasSuffix(":")
            alignments.append(cell.hasPrefix(":") && isRight ? .center : isRight ? .right : .left)
        }
        return alignments
    }

    static func trimmed(_ bytes: Bytes) -> Bytes {
        var part = bytes
        while let first = part.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            part = part.dropFirst()
        }
        while let last = part.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { part = part.dropLast() }
        return part
    }
}
