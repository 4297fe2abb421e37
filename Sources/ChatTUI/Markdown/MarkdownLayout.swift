// MarkdownLayout.swift — blocks into the lines that the transcript shows, at one width.

struct MarkdownLayout: Sendable, Equatable {
    let width: Int
    let symbols: Symbols

    /// The lines of a block that no later text can change.
    func lines(of block: MarkdownBlock) -> [GlyphLine] {
        let (first, next) = prefixes(of: block)
        let room = max(1, width - first.columns)
        switch block.kind {
        case .paragraph(let text):
            return spaced(block, wrapped(MarkdownInline.pieces(text), base: block.role, first: first, next: next))
        case .heading(let level, let text):
            let role: Role = level == 1 ? .heading : .subheading
            return spaced(block, wrapped(MarkdownInline.pieces(text), base: role, first: first, next: next))
        case .code(let language, let lines):
            let end = [
                GlyphLine(text: symbols.border([.up, .right]) + symbols.border([.left, .right]), role: .border)
            ]
            return spaced(block, prefixed(code(language, lines, room: room) + end, first, next))
        case .table(let table):
            if let drawn = TableLayout(table, width: room, symbols: symbols).lines {
                return spaced(block, prefixed(drawn, first, next))
            }
            return spaced(block, plain(table.source.joined(separator: "\n"), first: first, next: next))
        case .rule:
            let rule = String(repeating: symbols.border([.left, .right]), count: room)
            return spaced(block, prefixed([GlyphLine(text: rule, role: .faint)], first, next))
        }
    }

    /// The lines of a block that is still being written: in its place, but with its marks as they stand, because half
    /// of them are still to come. Code is code from the beginning.
    func unfinishedLines(of block: MarkdownBlock) -> [GlyphLine] {
        let (first, next) = prefixes(of: block)
        switch block.kind {
        case .paragraph(let text): return spaced(block, plain(text, first: first, next: next))
        case .table(let table):
            return spaced(block, plain(table.source.joined(separator: "\n"), first: first, next: next))
        case .code(let language, let lines):
            return spaced(block, prefixed(code(language, lines, room: max(1, width - first.columns)), first, next))
        case .heading, .rule: return lines(of: block)
        }
    }

    // MARK: Where a block stands

    /// What the block's first line and the others begin with: the bars of its quotes, the marker of its list item.
    private func prefixes(of block: MarkdownBlock) -> (first: GlyphLine, next: GlyphLine) {
        // However deep it stands, half of the width is left for the text.
        let depth = min(block.quoteDepth, width / 4)
        let bars = GlyphLine(text: String(repeating: symbols.quoteBar + " ", count: depth), role: .border)
        guard let item = block.item else { return (bars, bars) }
        let indent = min(item.indent, max(0, width / 2 - bars.columns))
        let next = bars + GlyphLine(text: String(repeating: " ", count: indent))
        guard let marker = item.marker, indent >= marker.columns else { return (next, next) }
        let before = GlyphLine(text: String(repeating: " ", count: indent - marker.columns))
        return (bars + before + GlyphLine(text: text(of: marker) + " ", role: .key), next)
    }

    private func text(of marker: MarkdownBlock.Marker) -> String {
        switch marker {
        case .bullet(let depth): symbols.bullets[depth % symbols.bullets.count]
        case .number(let text): text
        }
    }

    private func spaced(_ block: MarkdownBlock, _ lines: [GlyphLine]) -> [GlyphLine] {
        block.isSpaced ? [[]] + lines : lines
    }

    private func prefixed(_ lines: [GlyphLine], _ first: GlyphLine, _ next: GlyphLine) -> [GlyphLine] {
        lines.enumerated().map { ($0.offset == 0 ? first : next) + $0.element }
    }

    // MARK: Text

    private func wrapped(
        _ pieces: [MarkdownInline.Piece], base: Role, first: GlyphLine, next: GlyphLine
    ) -> [GlyphLine] {
        var breaker = LineBreaker(width: width, first: first, next: next)
        for piece in pieces { breaker.add(piece.text, piece.style.role(over: base)) }
        return breaker.finished()
    }

    private func plain(_ text: String, first: GlyphLine, next: GlyphLine) -> [GlyphLine] {
        var breaker = LineBreaker(width: width, first: first, next: next)
        breaker.add(text, .text)
        return breaker.finished()
    }

    /// Code keeps its lines: one that is too long is cut with a mark, never wrapped.
    private func code(_ language: String, _ lines: [String], room: Int) -> [GlyphLine] {
        let corner = symbols.border([.down, .right]) + symbols.border([.left, .right])
        let title = language.isEmpty ? corner : corner + " " + language
        let bar = symbols.border([.up, .down]) + " "
        let mark = symbols.ellipsis
        return [GlyphRun(glyphs: DisplayText.clipped(title, to: room, mark: mark), role: .border)].asLine
            + lines.map { line in
                let glyphs = DisplayText.clipped(line.withSpacesForTabs, to: max(1, room - 2), mark: mark)
                return GlyphLine(text: bar, role: .border) + [GlyphRun(glyphs: glyphs, role: .code)]
            }
    }
}

extension MarkdownBlock {
    fileprivate var role: Role { quoteDepth > 0 ? .quote : .text }
}

extension [GlyphRun] {
    fileprivate var asLine: [GlyphLine] { [self] }
}

extension MarkdownInline.Style {
    /// The look of a piece within text of the role `base`.
    func role(over base: Role) -> Role {
        if contains(.code) { return .code }
        if contains(.address) { return .address }
        if contains(.link) { return .link }
        if base == .heading || base == .subheading { return base }
        if contains([.strong, .emphasis]) { return .strongEmphasis }
        if contains(.strong) { return .strong }
        return contains(.emphasis) ? .emphasis : base
    }
}

extension String {
    /// Tabs go to the next multiple of four columns.
    var withSpacesForTabs: String {
        guard utf8.contains(UInt8(ascii: "\t")) else { return self }
        var text = ""
        for (index, part) in split(separator: "\t", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { text += String(repeating: " ", count: 4 - DisplayText.width(text) % 4) }
            text += part
        }
        return text
    }
}
