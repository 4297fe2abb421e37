// MarkdownParser.swift — an answer into blocks, line by line as they come. Made into lines by MarkdownLayout.

/// Understands the Markdown that language models write: headings with `#`, paragraphs, nested lists, quotes, fenced
/// code, tables and rules. What it does not know (headings underlined with `===`, code by indentation, HTML, references)
/// stays as it was written: no character of the content is ever lost.
///
/// It takes complete lines and looks at each once, so the blocks do not depend on the pieces in which a text came.
struct MarkdownParser: Sendable, Equatable {
    private enum Open: Sendable, Equatable {
        case paragraph
        case code(MarkdownLine.Fence)
        case table([MarkdownTable.Alignment])
    }
    /// A level of a list: where its marker stood in the text and where its items' text stands on the screen.
    private struct Level: Sendable, Equatable {
        let source: Int
        let indent: Int
    }

    /// Blocks that later lines cannot change; the caller takes them away.
    private var finished: [MarkdownBlock] = []
    private var open: Open?
    /// Lines of the open block.
    private var lines: [String] = []
    /// Where the open block stands.
    private var place = MarkdownBlock(kind: .rule)
    private var levels: [Level] = []
    private var wasBlank = false
    private var hasBlocks = false

    /// Deeper lists are drawn at this depth.
    private static let deepestList = 10

    mutating func takeFinished() -> [MarkdownBlock] {
        defer { finished = [] }
        return finished
    }

    /// The block that later lines may still change.
    var openBlock: MarkdownBlock? {
        guard let kind = openKind else { return nil }
        var block = place
        block.kind = kind
        return block
    }

    private var openKind: MarkdownBlock.Kind? {
        switch open {
        case .paragraph: .paragraph(lines.joined(separator: "\n"))
        case .code(let fence): .code(language: fence.language, lines: lines)
        case .table(let alignments): .table(MarkdownTable(alignments: alignments, source: lines))
        case nil: nil
        }
    }

    /// Takes in a line without its newline.
    ///
    /// - Parameter isComplete: false for a look ahead at a line whose end is still to come.
    mutating func take(_ bytes: MarkdownLine.Bytes, isComplete: Bool = true) {
        let line = MarkdownLine(bytes)
        if case .code(let fence) = open, line.quoteDepth >= place.quoteDepth {
            return takeCode(MarkdownLine(bytes, quotes: place.quoteDepth), in: fence)
        }
        if place.quoteDepth != line.quoteDepth, !continuesLazily(line) {
            close()
            levels = []
        }
        if line.isBlank {
            close()
            wasBlank = true
        } else if line.isRule, isComplete {
            levels = []
            add(.rule, at: line)
        } else if case .table = open, line.hasBar {
            lines.append(MarkdownLine.string(line.text))
        } else {
            begin(line)
        }
    }

    /// The text has ended: closes what is open.
    mutating func end() { close() }

    // MARK: Blocks

    private mutating func begin(_ line: MarkdownLine) {
        if let item = line.item {
            beginItem(line, number: item.number, text: item.text)
        } else if let fence = MarkdownLine.fence(line.text) {
            leaveLists(to: line.indent)
            start(.code(fence), at: line)
        } else if let heading = MarkdownLine.heading(line.text) {
            leaveLists(to: line.indent)
            add(.heading(level: heading.level, heading.text), at: line)
        } else if case .paragraph = open {
            if !beginTable(line) { lines.append(text(of: line)) }
        } else {
            leaveLists(to: line.indent)
            start(.paragraph, at: line)
            lines.append(text(of: line))
        }
    }

    /// Inside a list its own indentation is no content; elsewhere it may be a poem's or a formula's.
    private func text(of line: MarkdownLine) -> String {
        place.item == nil ? line.indentedText : MarkdownLine.string(line.text)
    }

    /// The paragraph's last line becomes the heading of a table if this line is the rule below one.
    private mutating func beginTable(_ line: MarkdownLine) -> Bool {
        guard let alignments = line.alignments, let heading = lines.last, heading.contains("|"),
            MarkdownLine(Array(heading.utf8)[...]).cells.count == alignments.count
        else { return false }
        lines.removeLast()
        if !lines.isEmpty { close() }
        open = .table(alignments)
        lines = [heading.trimmed, MarkdownLine.string(line.text)]
        return true
    }

    private mutating func beginItem(_ line: MarkdownLine, number: String?, text: MarkdownLine.Bytes) {
        close()
        leaveLists(to: line.indent)
        let marker: MarkdownBlock.Marker = number.map { .number($0) } ?? .bullet(depth: levels.count)
        let parent = levels.last?.indent ?? 0
        let indent = levels.count < MarkdownParser.deepestList ? parent + marker.columns : parent
        levels.append(Level(source: line.indent, indent: indent))
        if let fence = MarkdownLine.fence(text) {
            start(.code(fence), at: line, marker: marker)
        } else if let heading = MarkdownLine.heading(text) {
            add(.heading(level: heading.level, heading.text), at: line, marker: marker)
        } else {
            start(.paragraph, at: line, marker: marker)
            lines.append(MarkdownLine.string(text))
        }
    }

    /// Leaves the lists that a line of this indentation does not belong to. Two columns are enough to belong: models
    /// indent by two even under numbers.
    private mutating func leaveLists(to indent: Int) {
        while let last = levels.last, indent < last.source + 2 { levels.removeLast() }
    }

    /// A line without marks goes on with a quoted paragraph.
    private func continuesLazily(_ line: MarkdownLine) -> Bool {
        guard open == .paragraph, line.quoteDepth < place.quoteDepth, !line.isBlank, !line.isRule else { return false }
        return line.item == nil && MarkdownLine.fence(line.text) == nil && MarkdownLine.heading(line.text) == nil
    }

    private mutating func takeCode(_ line: MarkdownLine, in fence: MarkdownLine.Fence) {
        if line.closes(fence) { return close() }
        guard place.item != nil else { return lines.append(MarkdownLine.string(line.quoted)) }
        // Without the indentation of the list that the code stands in.
        let outer = levels.last.map { $0.source + 2 } ?? 0
        let indent = String(repeating: " ", count: max(0, line.indent - outer))
        lines.append(indent + MarkdownLine.string(line.text))
    }

    // MARK: Opening and closing

    private mutating func start(_ block: Open, at line: MarkdownLine, marker: MarkdownBlock.Marker? = nil) {
        close()
        moveTo(line, marker: marker)
        open = block
    }

    private mutating func add(_ kind: MarkdownBlock.Kind, at line: MarkdownLine, marker: MarkdownBlock.Marker? = nil) {
        close()
        moveTo(line, marker: marker)
        finish(kind)
    }

    private mutating func moveTo(_ line: MarkdownLine, marker: MarkdownBlock.Marker?) {
        place.quoteDepth = line.quoteDepth
        place.item = levels.last.map { MarkdownBlock.Item(indent: $0.indent, marker: marker) }
        place.isSpaced = wasBlank && hasBlocks
        wasBlank = false
        hasBlocks = true
    }

    private mutating func close() {
        if let openKind { finish(openKind) }
        open = nil
        lines = []
    }

    private mutating func finish(_ kind: MarkdownBlock.Kind) {
        var block = place
        block.kind = kind
        finished.append(block)
        // What follows in the same item has no marker of its own.
        place.item?.marker = nil
        place.isSpaced = false
    }
}
