// TurnText.swift — the text of one turn as lines, kept up with while it grows. Read by TurnView.

/// The wrapped lines of a text. What has been read once is not read again when more text comes: blocks that are
/// finished keep their lines, and only what is still open is laid out anew.
struct TurnText: Sendable {
    /// What the lines depend on besides the text.
    struct Shape: Sendable, Equatable {
        var width: Int
        var symbols: Symbols
        /// Of plain text; Markdown has looks of its own.
        var role = Role.text
        var isMarkdown = false
    }

    let shape: Shape
    private var text = ""
    private var isComplete = false
    /// UTF-8 bytes that were read: white space at the start, and complete lines.
    private var taken = 0
    private var hasBegun = false
    private var parser = MarkdownParser()
    private var breaker: LineBreaker
    private var settled: [GlyphLine] = []
    /// Lines of what is still open.
    private var tail: [GlyphLine] = []

    init(_ shape: Shape) {
        self.shape = shape
        breaker = LineBreaker(width: shape.width)
    }

    /// Lines that someone else has laid out.
    init(_ shape: Shape, lines: [GlyphLine]) {
        self.init(shape)
        settled = lines
        isComplete = true
    }

    /// At least one, which is empty for an empty text.
    var count: Int { max(1, settled.count + tail.count) }

    subscript(line: Int) -> GlyphLine {
        if line < settled.count { return settled[line] }
        return line - settled.count < tail.count ? tail[line - settled.count] : []
    }

    /// Brings the lines up to `text`.
    ///
    /// - Parameter isComplete: whether nothing more will come; then every block is finished.
    mutating func update(_ text: String, isComplete: Bool) {
        // The same storage compares equal at once.
        guard isComplete != self.isComplete || text != self.text else { return }
        if self.isComplete || !text.utf8.starts(with: self.text.utf8) { self = TurnText(shape) }
        self.text = text
        self.isComplete = isComplete
        var bytes = Array(text.utf8.dropFirst(taken))[...]
        if !hasBegun {
            // Models put spaces and newlines before an answer.
            let rest = bytes.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
            hasBegun = !rest.isEmpty
            taken += bytes.count - rest.count
            bytes = rest
        }
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            take(bytes[..<end])
            taken += end + 1 - bytes.startIndex
            bytes = bytes[(end + 1)...]
        }
        finish(bytes)
    }

    private mutating func take(_ line: MarkdownLine.Bytes) {
        guard shape.isMarkdown else {
            breaker.add(MarkdownLine.string(line.last == UInt8(ascii: "\r") ? line.dropLast() : line), shape.role)
            breaker.endLine()
            settle(breaker.takeLines())
            return
        }
        parser.take(line)
        settleBlocks()
    }

    private mutating func settle(_ lines: [GlyphLine]) { settled += lines }

    private mutating func settleBlocks() {
        for block in parser.takeFinished() { settle(layout.lines(of: block)) }
    }

    private var layout: MarkdownLayout { MarkdownLayout(width: shape.width, symbols: shape.symbols) }

    /// Lays out what is not settled: the last line, which may still grow, and the block that it belongs to.
    private mutating func finish(_ line: MarkdownLine.Bytes) {
        tail = []
        if isComplete {
            if !line.isEmpty { take(line) }
            parser.end()
            settleBlocks()
        } else if shape.isMarkdown {
            var ahead = parser
            if !line.isEmpty { ahead.take(line, isComplete: false) }
            for block in ahead.takeFinished() { tail += layout.lines(of: block) }
            if let block = ahead.openBlock { tail += layout.unfinishedLines(of: block) }
        } else if !line.isEmpty {
            var ahead = breaker
            ahead.add(MarkdownLine.string(line), shape.role)
            tail = ahead.finished()
        }
    }
}
