// ComposerMotion.swift — where words and lines begin and end in the composer's text.

extension Composer {
    mutating func moveLeft() { move(to: cursor - 1) }
    mutating func moveRight() { move(to: cursor + 1) }
    mutating func moveToLineStart() { move(to: lineStart) }
    mutating func moveToLineEnd() { move(to: lineEnd) }
    mutating func moveWordLeft() { move(to: wordStart) }
    mutating func moveWordRight() { move(to: wordEnd) }
    mutating func moveToStart() { move(to: 0) }
    mutating func moveToEnd() { move(to: characters.count) }

    var lineStart: Int { lineStart(at: cursor) }
    var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    func lineStart(at place: Int) -> Int { (characters[..<place].lastIndex(of: "\n") ?? -1) + 1 }

    private func isWord(_ index: Int) -> Bool {
        characters[index].isLetter || characters[index].isNumber || folds.holds(characters[index])
    }

    var wordStart: Int {
        var at = cursor
        while at > 0, !isWord(at - 1) { at -= 1 }
        while at > 0, isWord(at - 1) { at -= 1 }
        return at
    }

    var wordEnd: Int {
        var at = cursor
        while at < characters.count, !isWord(at) { at += 1 }
        while at < characters.count, isWord(at) { at += 1 }
        return at
    }
}
