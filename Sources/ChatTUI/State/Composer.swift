// Composer.swift — the text that is being written: editing, word motion, kill and yank, history.

struct Composer: Sendable, Equatable {
    private(set) var characters: [Character] = []
    /// Characters before the cursor.
    private(set) var cursor = 0
    /// What was cut last, for Ctrl-Y.
    private var cut: [Character] = []
    private var past: [String] = []
    /// Index into `past` while older entries are looked at; absent while writing.
    private var recalled: Int?
    /// What was being written before the look into the past.
    private var draft = ""

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    mutating func insert(_ text: String) {
        recalled = nil
        // A combining mark joins the character before it, so the text is put together again.
        let before = String(characters[..<cursor]) + text
        let after = characters[cursor...]
        let joined = Array(before)
        characters = joined + after
        cursor = joined.count
    }

    mutating func replace(with text: String) {
        recalled = nil
        set(text)
    }

    private mutating func set(_ text: String) {
        characters = Array(text)
        cursor = characters.count
    }

    /// Takes the text out, and remembers it for Up.
    mutating func take() -> String {
        let taken = text
        remember(taken)
        replace(with: "")
        return taken
    }

    mutating func remember(_ text: String) {
        if !text.isEmpty, past.last != text { past.append(text) }
    }

    // MARK: Deleting

    mutating func deleteBackward() { delete(from: max(0, cursor - 1), to: cursor, keeping: false) }
    mutating func deleteForward() { delete(from: cursor, to: min(characters.count, cursor + 1), keeping: false) }
    mutating func cutToLineStart() { delete(from: lineStart, to: cursor, keeping: true) }
    mutating func cutWordBackward() { delete(from: wordStart, to: cursor, keeping: true) }
    mutating func cutWordForward() { delete(from: cursor, to: wordEnd, keeping: true) }

    /// To the end of the line; at the end, the newline itself.
    mutating func cutToLineEnd() {
        let end = lineEnd
        delete(from: cursor, to: end == cursor ? min(characters.count, end + 1) : end, keeping: true)
    }

    mutating func yank() { insert(String(cut)) }

    private mutating func delete(from start: Int, to end: Int, keeping: Bool) {
        guard start < end else { return }
        recalled = nil
        if keeping { cut = Array(characters[start..<end]) }
        characters.removeSubrange(start..<end)
        cursor = start
    }

    // MARK: Moving

    mutating func moveLeft() { cursor = max(0, cursor - 1) }
    mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
    mutating func moveToLineStart() { cursor = lineStart }
    mutating func moveToLineEnd() { cursor = lineEnd }
    mutating func moveWordLeft() { cursor = wordStart }
    mutating func moveWordRight() { cursor = wordEnd }

    /// One line up, or to the entry before when this is the first line.
    mutating func moveUp() {
        let start = lineStart
        guard start > 0 else { return recallOlder() }
        let column = cursor - start
        let previousStart = (characters[..<(start - 1)].lastIndex(of: "\n") ?? -1) + 1
        cursor = min(previousStart + column, start - 1)
    }

    mutating func moveDown() {
        let end = lineEnd
        guard end < characters.count else { return recallNewer() }
        let column = cursor - lineStart
        let nextEnd = characters[(end + 1)...].firstIndex(of: "\n") ?? characters.count
        cursor = min(end + 1 + column, nextEnd)
    }

    private mutating func recallOlder() {
        let older = (recalled ?? past.count) - 1
        guard older >= 0 else { return }
        if recalled == nil { draft = text }
        set(past[older])
        recalled = older
    }

    private mutating func recallNewer() {
        guard let recalled else { return }
        let newer = recalled + 1
        set(newer < past.count ? past[newer] : draft)
        self.recalled = newer < past.count ? newer : nil
    }

    private var lineStart: Int { (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1 }
    private var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    private func isWord(_ index: Int) -> Bool { characters[index].isLetter || characters[index].isNumber }

    private var wordStart: Int {
        var at = cursor
        while at > 0, !isWord(at - 1) { at -= 1 }
        while at > 0, isWord(at - 1) { at -= 1 }
        return at
    }

    private var wordEnd: Int {
        var at = cursor
        while at < characters.count, !isWord(at) { at += 1 }
        while at < characters.count, isWord(at) { at += 1 }
        return at
    }
}
