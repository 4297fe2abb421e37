// CopyCommands.swift — /copy and the list of messages: which text is meant. The clipboard itself is Clipboard's.

import Engine

extension AppState {
    mutating func copy(_ wish: CopyWish) -> [Effect] {
        switch wish {
        case .answer(let number):
            let answers = turns.filter(\.isAnswer)
            guard !answers.isEmpty else { return refuseCopy("there is no answer yet to copy") }
            guard number <= answers.count else {
                return refuseCopy("there \(answers.count == 1 ? "is 1 answer" : "are \(answers.count) answers") so far")
            }
            return copy(answers[answers.count - number])
        case .code:
            guard let code = turns.reversed().lazy.filter(\.isAnswer).compactMap({ CodeBlock.last(in: $0.text) }).first
            else { return refuseCopy("no answer holds a block of code") }
            return [.copy(code, what: "the code")]
        }
    }

    private mutating func refuseCopy(_ reason: String) -> [Effect] {
        hint = reason
        return []
    }

    private mutating func copy(_ turn: Turn) -> [Effect] {
        let text = turn.text.trimmed
        guard !text.isEmpty else { return refuseCopy("the answer has no text yet") }
        return [.copy(text, what: turn.isAnswer ? "the answer" : "the message")]
    }

    // MARK: The list of messages

    /// Questions and answers to choose from, the last one under the cursor.
    mutating func openMessages() {
        let messages = turns.filter { $0.isAnswer || $0.isQuestion }
        guard replay == nil, !messages.isEmpty else {
            hint = "there are no messages yet"
            return
        }
        let rows = messages.map { turn in
            let line = turn.text.split(whereSeparator: \.isNewline).first.map { String($0).trimmed } ?? ""
            return Overlay.Row(
                [Span(turn.isAnswer ? "bot  " : "you  ", turn.isAnswer ? .bot : .you), Span(String(line.prefix(200)))],
                choice: .show(turn: turn.id))
        }
        var overlay = Overlay(kind: .messages, title: "messages", rows: rows)
        overlay.keys = [KeyHint("y", "copy"), KeyHint("c", "its code")]
        overlay.moveCursor(by: rows.count)
        self.overlay = overlay
    }

    /// `y` and `c` in the list of messages; nil for other keys.
    mutating func pressInMessages(_ key: Key, _ overlay: Overlay) -> [Effect]? {
        guard case .show(let id)? = overlay.chosen?.choice, let turn = turns.first(where: { $0.id == id }) else {
            return nil
        }
        switch key {
        case .character("y"):
            self.overlay = nil
            return copy(turn)
        case .character("c"):
            guard let code = CodeBlock.last(in: turn.text) else {
                return refuseCopy("this message has no block of code")
            }
            self.overlay = nil
            return [.copy(code, what: "the code")]
        default: return nil
        }
    }

    /// Brings a message to the top of the transcript.
    mutating func show(turn id: Int) {
        guard let index = turns.firstIndex(where: { $0.id == id }) else { return }
        scroll = .held(turn: index, line: 0)
        // Near the end there may be nothing below to hold it against.
        scrollTranscript(pages: 0)
    }
}

extension Turn {
    var isAnswer: Bool { if case .answer = content { true } else { false } }
    var isQuestion: Bool { if case .question = content { true } else { false } }
}

enum CodeBlock {
    /// What stands between the last pair of fences, without them; an open fence at the end counts as closed.
    static func last(in text: String) -> String? {
        var last: String?
        var fence: Substring?
        var block: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let start = line.drop { $0 == " " }
            if let open = fence {
                let isEnd = start.hasPrefix(open) && start.drop { $0 == open.first }.allSatisfy(\.isWhitespace)
                if isEnd {
                    last = block.joined(separator: "\n")
                    fence = nil
                } else {
                    block.append(line)
                }
            } else if let sign = start.first, sign == "`" || sign == "~" {
                let marks = start.prefix { $0 == sign }
                guard marks.count >= 3 else { continue }
                fence = marks
                block = []
            }
        }
        return fence != nil && !block.isEmpty ? block.joined(separator: "\n") : last
    }
}
