// Keymap.swift — what each key does: anywhere, in the composer, in the tree panel, in a replay.

import Engine

extension AppState {
    mutating func press(_ key: Key) -> [Effect] {
        // Only a second Ctrl-C right after the first one quits.
        if key != .control("c") { interruptedAt = nil }
        let hadHint = hint
        hint = nil
        if let effects = pressInDemo(key) { return effects }
        if overlay != nil, let effects = pressInOverlay(key) { return effects }
        if search != nil, let effects = pressInSearch(key) { return effects }
        if replay == nil, let effects = pressInPair(key) { return effects }
        if let effects = pressAnywhere(key) { return effects }
        if replay != nil { return pressInReplay(key) }
        if focus == .tree, let effects = pressInTree(key) { return effects }
        if key == .escape, hadHint != nil, running == nil, session.editing == nil { return [] }
        return pressInComposer(key)
    }

    private mutating func pressAnywhere(_ key: Key) -> [Effect]? {
        switch key {
        case .control("c"): return interrupt()
        case .control("z"): return [.suspend]
        case .control("l"): return [.redraw]
        case .function(1): return showHelp(nil, keysFirst: true)
        case .function(3), .alt("x"): openPalette()
        case .function(5), .alt("m"): openMessages()
        case .function(2), .control("t"): return changeTreeSize(nil)
        case .function(4): toggleMarkdown()
        case .pageUp: scrollTranscript(pages: -1)
        case .pageDown: scrollTranscript(pages: 1)
        default: return nil
        }
        return []
    }

    // MARK: Stopping

    /// Ctrl-C: stops the answer, else clears the input, else quits at the second press within 1.5 seconds.
    mutating func interrupt() -> [Effect] {
        if replay != nil { return [.quit(.interrupted)] }
        if let effects = stop() { return effects }
        if !composer.isEmpty {
            composer.remember(composer.text)
            composer.replace(with: "")
            hint = "cleared; Up brings it back"
            return []
        }
        if let interruptedAt, now - interruptedAt <= 1.5 { return [.quit(.asked)] }
        interruptedAt = now
        hint = "Ctrl-C again quits"
        return []
    }

    /// Stops the answer that is being written, or takes back a question that waits; nil when there is neither.
    private mutating func stop() -> [Effect]? {
        if isAnswering {
            guard !isStopping else { return [] }
            isStopping = true
            if let index = turns.lastIndex(where: { $0.content == .answer(.streaming) }) {
                turns[index].content = .answer(.stopping)
            }
            return [.cancel]
        }
        guard waiting.contains(where: \.isAsk) else { return nil }
        withdrawQuestions("taken back; Enter sends it again")
        return []
    }

    // MARK: Composer

    private mutating func pressInComposer(_ key: Key) -> [Effect] {
        switch key {
        case .enter: return send()
        case .altEnter, .control("j"): composer.insert("\n")
        case .control("r"): beginSearch()
        case .control("g"): return [.edit(composer.text)]
        case .tab: return completeOrLeave()
        case .escape:
            if session.editing != nil { leaveEdit() } else { return stop() ?? [] }
        case .control("d"):
            if composer.isEmpty { return [.quit(.asked)] }
            composer.deleteForward()
        case .character("?") where composer.isEmpty: return showHelp(nil, keysFirst: true)
        case .character(let character): composer.insert(String(character))
        default: composer.edit(key)
        }
        return []
    }

    mutating func paste(_ text: String) -> [Effect] {
        hint = nil
        guard replay == nil else { return [] }
        if overlay != nil, let effects = pasteIntoOverlay(text) { return effects }
        focus = .composer
        search = nil
        return pasteText(text)
    }
}
