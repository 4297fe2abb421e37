// ComposerKeys.swift — the emacs keys of the composer and of every other line that is typed, and those of its search.

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
        case .alt("<"): moveToStart()
        case .alt(">"): moveToEnd()
        case .control("k"): cutToLineEnd()
        case .control("u"): cutToLineStart()
        case .control("w"), .altBackspace: cutWordBackward()
        case .alt("d"): cutWordForward()
        case .control("y"): yank()
        case .alt("y"): yankOlder()
        case .control("_"): takeBack()
        default: break
        }
    }
}

extension AppState {
    mutating func beginSearch() {
        guard !composer.history.entries.isEmpty else {
            hint = "nothing was written yet that could be searched"
            return
        }
        search = HistorySearch(draft: composer.text)
    }

    /// Keys while the history is searched; nil for those that end the search and then do what they always do.
    mutating func pressInSearch(_ key: Key) -> [Effect]? {
        guard var search else { return nil }
        let entries = composer.history.entries
        switch key {
        case .control("z"), .control("l"), .pageUp, .pageDown: return nil
        case .control("r"): search.older(in: entries)
        case .control("s"): search.newer(in: entries)
        case .backspace: search.erase(in: entries)
        case .character(let character): search.type(String(character), in: entries)
        case .escape, .control("g"), .control("c"):
            endSearch(with: search.draft)
            return []
        case .enter, .tab:
            // What was found is there to be read before Enter sends it.
            endSearch(with: nil)
            return []
        default:
            endSearch(with: nil)
            return nil
        }
        self.search = search
        composer.preview(search.found.map { entries[$0] } ?? search.draft)
        return []
    }

    private mutating func endSearch(with draft: String?) {
        let text = draft ?? composer.text
        search = nil
        composer.preview(text)
    }
}
