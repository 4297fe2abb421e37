// Composer.swift — the text that is being written: changing it, taking back, cutting and putting back.

/// A text and a cursor in it, by whole characters: a letter and its accents, or a family of emoji, are one.
struct Composer: Sendable, Equatable {
    private(set) var characters: [Character] = []
    /// Characters before the cursor.
    private(set) var cursor = 0
    /// What a long paste was, for the one character that stands for it.
    private(set) var folds = PasteFolds()
    var history = ComposerHistory()
    private var killRing = KillRing()
    private var undo = UndoStack()
    private var lastChange = Change.none

    /// What the last key did, as far as the next one joins it.
    private enum Change: Sendable, Equatable {
        case none
        /// This many characters in a row, taken back together.
        case typed(Int)
        case cut
        /// What was put back stands from here to the cursor.
        case putBack(from: Int)
    }

    /// The true text, folds opened.
    var text: String { folds.isEmpty ? String(characters) : folds.open(characters) }
    var isEmpty: Bool { characters.isEmpty }

    // MARK: Writing

    /// Puts the text at the cursor, as one change.
    mutating func insert(_ text: String) {
        let isTyped = text.utf8.count <= 8 && text != "\n"
        if isTyped, case .typed(let count) = lastChange, count < 20, text != " " {
            lastChange = .typed(count + 1)
        } else {
            keepForUndo()
            lastChange = isTyped ? .typed(1) : .none
        }
        history.leave()
        put(folds.close(text))
    }

    private mutating func put(_ text: String) {
        // A combining mark joins the character before it, so that one is put together again.
        let start = max(0, cursor - 1)
        let joined = Array(String(characters[start..<cursor]) + text)
        characters.replaceSubrange(start..<cursor, with: joined)
        cursor = start + joined.count
    }

    /// Puts another text in the place of all of it.
    mutating func replace(with text: String) {
        if !isEmpty { keepForUndo() }
        history.leave()
        lastChange = .none
        set(text)
    }

    private mutating func set(_ text: String) {
        folds = PasteFolds()
        characters = Array(folds.close(text))
        cursor = characters.count
    }

    /// Takes the text out, and remembers it for Up.
    mutating func take() -> String {
        let taken = text
        remember(taken)
        replace(with: "")
        undo = UndoStack()
        return taken
    }

    mutating func remember(_ text: String) { history.add(text) }

    // MARK: Deleting

    mutating func deleteBackward() { delete(from: max(0, cursor - 1), to: cursor) }
    mutating func deleteForward() { delete(from: cursor, to: min(characters.count, cursor + 1)) }
    mutating func cutToLineStart() { cut(from: lineStart, to: cursor) }
    mutating func cutWordBackward() { cut(from: wordStart, to: cursor) }
    mutating func cutWordForward() { cut(from: cursor, to: wordEnd) }

    /// To the end of the line; at the end, the newline itself.
    mutating func cutToLineEnd() {
        let end = lineEnd
        cut(from: cursor, to: end == cursor ? min(characters.count, end + 1) : end)
    }

    private mutating func delete(from start: Int, to end: Int) {
        guard start < end else { return }
        keepForUndo()
        history.leave()
        lastChange = .none
        characters.removeSubrange(start..<end)
        cursor = start
    }

    /// Cuts in a row become one piece, in the order of the text.
    private mutating func cut(from start: Int, to end: Int) {
        guard start < end else { return }
        let piece = Array(characters[start..<end])
        killRing.add(piece, joining: lastChange == .cut, before: end == cursor)
        delete(from: start, to: end)
        lastChange = .cut
    }

    // MARK: Putting back

    mutating func yank() {
        guard let piece = killRing.newest else { return }
        keepForUndo()
        history.leave()
        let start = cursor
        put(String(piece))
        lastChange = .putBack(from: start)
    }

    /// Right after a yank: the piece that was cut before that one takes its place.
    mutating func yankOlder() {
        guard case .putBack(let start) = lastChange, start <= cursor, let piece = killRing.older() else { return }
        characters.removeSubrange(start..<cursor)
        cursor = start
        put(String(piece))
        lastChange = .putBack(from: start)
    }

    mutating func takeBack() {
        guard let before = undo.last() else { return }
        (characters, cursor, folds) = (before.characters, before.cursor, before.folds)
        history.leave()
        lastChange = .none
    }

    private mutating func keepForUndo() {
        undo.keep(UndoStack.Moment(characters: characters, cursor: cursor, folds: folds))
    }

    // MARK: Moving

    /// Every motion ends what was being typed, cut or put back as one.
    mutating func move(to place: Int) {
        cursor = min(max(0, place), characters.count)
        lastChange = .none
    }

    /// One line up, or to the entry before when this is the first line.
    mutating func moveUp() {
        let start = lineStart
        guard start > 0 else { return recall { $0.older(than: $1) } }
        move(to: min(self.lineStart(at: start - 1) + cursor - start, start - 1))
    }

    mutating func moveDown() {
        let end = lineEnd
        guard end < characters.count else { return recall { history, _ in history.newer() } }
        let nextEnd = characters[(end + 1)...].firstIndex(of: "\n") ?? characters.count
        move(to: min(end + 1 + cursor - lineStart, nextEnd))
    }

    private mutating func recall(_ body: (inout ComposerHistory, String) -> String?) {
        guard let text = body(&history, text) else { return }
        lastChange = .none
        set(text)
    }

    /// Shows an entry of the past without leaving the search for it.
    mutating func preview(_ text: String) { set(text) }
}
