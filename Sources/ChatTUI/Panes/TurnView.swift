// TurnView.swift — one turn as the lines of the transcript: its label, its text, and what became of it.

import Synchronization

/// All lines of a turn, made one by one as they come into sight.
struct TurnView {
    static let labelColumns = 5

    private let text: TurnText
    private let look: Look
    /// A blank line before the turn.
    private let gap: Int
    private let width: Int

    private struct Look {
        var label: String
        var labelRole: Role
        var role = Role.text
        /// Follows the text.
        var ending: Span?
        var isWritten = true
    }

    init(_ turn: Turn, isFirst: Bool, width: Int, state: AppState) {
        let symbols = state.symbols
        self.width = width
        look = TurnView.look(of: turn, symbols: symbols)
        switch turn.content {
        case .divider:
            gap = 1
            text = TurnView.divider(turn.text, width: width, symbols: symbols)
            return
        case .question: gap = isFirst ? 0 : 1
        default: gap = 0
        }
        var shape = TurnText.Shape(width: max(1, width - TurnView.labelColumns - 1), symbols: symbols, role: look.role)
        if let marks = turn.marks {
            text = TurnText(shape, lines: MirrorText.lines(turn, marks: marks, width: shape.width))
            return
        }
        if case .answer = turn.content { shape.isMarkdown = state.showsMarkdown }
        text = state.transcriptMemo.text(of: turn, shape: shape, isComplete: look.isWritten)
    }

    var count: Int { gap + text.count + (endingHasOwnLine ? 1 : 0) }

    subscript(line: Int) -> GlyphLine {
        let index = line - gap
        guard index >= 0 else { return [] }
        if look.label.isEmpty { return text[index] }
        let body = index < text.count ? text[index] : []
        let label = DisplayText.clipped(index == 0 ? look.label : "", to: TurnView.labelColumns)
        let margin = Array(repeating: Glyph.space, count: TurnView.labelColumns - label.count)
        let hasEnding = index == (endingHasOwnLine ? text.count : text.count - 1)
        return [GlyphRun(glyphs: label + margin, role: look.labelRole)] + body + (hasEnding ? endingRuns : [])
    }

    // MARK: Looks

    private static func look(of turn: Turn, symbols: Symbols) -> Look {
        switch turn.content {
        case .question(.queued):
            Look(label: " you", labelRole: .you, ending: Span("(waiting)", .faint))
        case .question(.sent): Look(label: " you", labelRole: .you)
        case .answer(let ending):
            Look(
                label: " bot", labelRole: .bot, ending: mark(ending, symbols: symbols),
                isWritten: ending != .streaming && ending != .stopping)
        case .picture: Look(label: "  \(symbols.picture)", labelRole: .you, role: .faint)
        case .notice: Look(label: "  \(symbols.dot)", labelRole: .notice, role: .notice)
        case .failure: Look(label: "  !", labelRole: .failure, role: .failure)
        case .divider: Look(label: "", labelRole: .faint)
        }
    }

    private static func mark(_ ending: Turn.Ending, symbols: Symbols) -> Span? {
        switch ending {
        case .streaming: Span(symbols.caret, .bot)
        case .stopping: Span("(stopping)", .faint)
        case .complete: nil
        case .stopped: Span("(stopped)", .faint)
        case .limit: Span("(cut at the token limit)", .faint)
        case .contextFull: Span("(cut: the context is full)", .faint)
        case .broken: Span("(broken off)", .faint)
        }
    }

    /// The caret stands right at the text; words keep a space.
    private var endingRuns: GlyphLine {
        guard let ending = look.ending else { return [] }
        let glyphs = DisplayText.glyphs(ending.text)
        let isWord = glyphs.count > 1 && !text[text.count - 1].isEmpty && !endingHasOwnLine
        return [GlyphRun(glyphs: (isWord ? [.space] : []) + glyphs, role: ending.role)]
    }

    private var endingHasOwnLine: Bool {
        guard let ending = look.ending else { return false }
        let columns = DisplayText.width(ending.text)
        let last = text[text.count - 1].columns
        return last + columns + (columns > 1 && last > 0 ? 1 : 0) > max(1, width - TurnView.labelColumns - 1)
    }

    private static func divider(_ label: String, width: Int, symbols: Symbols) -> TurnText {
        let label = " \(label) "
        let bar = symbols.border([.left, .right])
        let side = max(0, (width - 2 - DisplayText.width(label)) / 2)
        let line = String(repeating: bar, count: side) + label + String(repeating: bar, count: side)
        var text = TurnText(TurnText.Shape(width: max(1, width - 1), symbols: symbols, role: .faint))
        text.update(line, isComplete: true)
        return text
    }
}

/// The lines of the turns that were looked at last, so that a frame lays out only what is new.
///
/// It never changes what is drawn: a state with it and one without show the same.
final class TranscriptMemo: Sendable, Equatable {
    private struct Content {
        var texts: [Int: TurnText] = [:]
        var uses: [Int: Int] = [:]
        var clock = 0
    }
    private let content = Mutex(Content())

    /// More turns than a screen has rows, and few enough to take little memory.
    private static let capacity = 128

    func text(of turn: Turn, shape: TurnText.Shape, isComplete: Bool) -> TurnText {
        content.withLock { content in
            if content.texts[turn.id]?.shape != shape { content.texts[turn.id] = TurnText(shape) }
            content.texts[turn.id]?.update(turn.text, isComplete: isComplete)
            content.clock += 1
            content.uses[turn.id] = content.clock
            let text = content.texts[turn.id]
            if content.texts.count > TranscriptMemo.capacity { TranscriptMemo.forget(in: &content) }
            return text ?? TurnText(shape)
        }
    }

    /// Drops the half that was not looked at for longest.
    private static func forget(in content: inout Content) {
        for (id, _) in content.uses.sorted(by: { $0.value < $1.value }).prefix(capacity / 2) {
            content.texts[id] = nil
            content.uses[id] = nil
        }
    }

    static func == (a: TranscriptMemo, b: TranscriptMemo) -> Bool { true }
}
