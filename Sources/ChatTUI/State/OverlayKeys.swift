// OverlayKeys.swift — what the keys do while something lies over the panes. Called by Keymap before anything else.

import Engine

extension AppState {
    /// Keys of the open overlay; nil for those that mean the same everywhere.
    mutating func pressInOverlay(_ key: Key) -> [Effect]? {
        guard var overlay else { return nil }
        switch key {
        case .control("z"), .control("l"): return nil
        case .escape, .control("c"), .control("g"), .function(1):
            self.overlay = nil
            return []
        case .enter: return chooseRow(of: overlay)
        default: break
        }
        if overlay.kind == .sessions, let effects = pressInSessions(key) { return effects }
        if let effects = pressSpecially(key, in: overlay) { return effects }
        if move(&overlay, by: key) {
            self.overlay = overlay
            return []
        }
        if overlay.filter == nil {
            // Letters are free here, so those that close readers elsewhere close this one.
            if [.character("q"), .character("?")].contains(key) { self.overlay = nil }
            return []
        }
        return type(key, into: overlay)
    }

    /// Keys that one kind of overlay has for itself; nil where it has none.
    private mutating func pressSpecially(_ key: Key, in overlay: Overlay) -> [Effect]? {
        switch overlay.kind {
        case .completion where key == .tab:
            self.overlay?.moveCursor(by: 1)
            return []
        case .completion where key == .backTab:
            self.overlay?.moveCursor(by: -1)
            return []
        case .messages: return pressInMessages(key, overlay)
        default: return nil
        }
    }

    /// Closes the overlay and does what its row stands for.
    private mutating func chooseRow(of overlay: Overlay) -> [Effect] {
        guard overlay.isList else {
            self.overlay = nil
            return []
        }
        // A list that is narrowed to nothing stays, so that the filter can be mended.
        guard let choice = overlay.chosen?.choice else { return [] }
        self.overlay = nil
        switch choice {
        case .run(let command): return carryOut(command)
        case .write(let text):
            focus = .composer
            composer.replace(with: text)
            return []
        case .show(let turn):
            show(turn: turn)
            return []
        }
    }

    private mutating func type(_ key: Key, into overlay: Overlay) -> [Effect] {
        var overlay = overlay
        let hasChanged = overlay.editFilter { line in
            if case .character(let character) = key { line.insert(String(character)) } else { line.edit(key) }
        }
        self.overlay = overlay
        return hasChanged ? filterChanged(overlay) : []
    }

    /// A paste goes into the filter, on one line; nil where there is none.
    mutating func pasteIntoOverlay(_ text: String) -> [Effect]? {
        guard var overlay, overlay.filter != nil else {
            self.overlay = nil
            return nil
        }
        let line = text.prefix(1000).map { $0.isNewline ? " " : $0 }
        let hasChanged = overlay.editFilter { $0.insert(String(line)) }
        self.overlay = overlay
        return hasChanged ? filterChanged(overlay) : []
    }

    /// Asks for the rows of an overlay that others narrow.
    private mutating func filterChanged(_ overlay: Overlay) -> [Effect] {
        overlay.kind == .sessions ? [.session(.list(search: overlay.filter?.text ?? ""))] : []
    }

    /// Returns whether the key moves the cursor or scrolls the text.
    private func move(_ overlay: inout Overlay, by key: Key) -> Bool {
        let page = max(1, OverlayPane.visibleRows(of: overlay, size: size) - 1)
        let offset: Int
        switch key {
        case .up, .control("p"): offset = -1
        case .down, .control("n"): offset = 1
        case .pageUp, .alt("v"): offset = -page
        case .pageDown, .control("v"): offset = page
        case .home: offset = -Int(Int32.max)
        case .end: offset = Int(Int32.max)
        case .character("k") where overlay.filter == nil: offset = -1
        case .character("j") where overlay.filter == nil: offset = 1
        case .character(" ") where overlay.filter == nil: offset = page
        case .character("b") where overlay.filter == nil: offset = -page
        case .character("g") where overlay.filter == nil: offset = -Int(Int32.max)
        case .character("G") where overlay.filter == nil: offset = Int(Int32.max)
        default: return false
        }
        if overlay.isList {
            overlay.moveCursor(by: offset)
        } else {
            overlay.scroll(
                by: offset, lines: OverlayPane.lineCount(of: overlay, size: size),
                rows: OverlayPane.visibleRows(of: overlay, size: size))
        }
        return true
    }
}
