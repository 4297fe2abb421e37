// ComposerKeys.swift — the emacs keys of the composer and of every other line that is typed.

extension Composer {
    /// Moves or changes the text as the key says; keys that mean nothing here change nothing.
    mutating func edit(_ key: Key) {
        switch key {
        case .backspace: deleteBackward()
        case .delete: deleteForward()
        case .left, .control("b"): moveLeft()
        case .right, .control("f"): moveRight()
        case .home, .control("a"): moveToLineStart()
        case .end, .control("e"): moveToLineEnd()
        case .up, .control("p"): moveUp()
        case .down, .control("n"): moveDown()
        case .wordLeft, .alt("b"): moveWordLeft()
        case .wordRight, .alt("f"): moveWordRight()
        case .control("k"): cutToLineEnd()
        case .control("u"): cutToLineStart()
        case .control("w"), .altBackspace: cutWordBackward()
        case .alt("d"): cutWordForward()
        case .control("y"): yank()
        default: break
        }
    }
}
