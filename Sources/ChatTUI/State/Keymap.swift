// Keymap.swift — what each key does: anywhere, in the composer, in the tree panel, in a replay.

import Engine

extension AppState {
    mutating func press(_ key: Key) -> [Effect] {
        let hadHint = hint
        hint = nil
        if overlay != nil, let effects = pressInOverlay(key) { return effects }
        if let effects = pressAnywhere(key) { return effects }
        if replay != nil { return pressInReplay(key) }
        if focus == .tree, let effects = pressInTree(key) { return effects }
        if key == .escape, hadHint != nil, running == nil { return [] }
        return pressInComposer(key)
    }

    private mutating func pressAnywhere(_ key: Key) -> [Effect]? {
        switch key {
        case .control("c"): return interrupt()
        case .control("z"): return [.suspend]
        case .control("l"): return [.redraw]
        case .function(1): return showHelp(nil, keysFirst: true)
        case .function(3), .alt("x"): openPalette()
        case .function(2), .control("t"): cycleTree()
        case .pageUp: scrollTranscript(pages: -1)
        case .pageDown: scrollTranscript(pages: 1)
        default: return nil
        }
        return []
    }

    private mutating func cycleTree() {
        tree.size = tree.size.next
        if tree.size == .off { focus = .composer }
        hint = "tree: \(tree.size.rawValue)"
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
        case .tab: return completeOrLeave()
        case .escape: return stop() ?? []
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
        if composer.isEmpty, let paths = PathText.wholePicturePaths(text) {
            return [.lookForPictures(paths: paths, original: text)]
        }
        composer.insert(text)
        return []
    }

    // MARK: Tree panel

    /// Keys of the focused panel; nil for those that it leaves to the composer.
    private mutating func pressInTree(_ key: Key) -> [Effect]? {
        switch key {
        case .tab, .backTab, .escape:
            focus = .composer
            if key == .escape { tree.resume(at: now) }
        case .character("t"):
            cycleTree()
        case .character(" "):
            if tree.isFollowing { tree.pause() } else { tree.resume(at: now) }
        case .character("f"), .character("G"): tree.resume(at: now)
        case .character("?"): overlay = HelpText.overlay(for: self)
        default:
            if let offset = roundOffset(of: key) {
                tree.step(offset, at: now)
            } else if case .character = key {
                return []
            } else {
                return nil
            }
        }
        return []
    }

    /// How far the stepping keys go.
    private func roundOffset(of key: Key) -> Int? {
        switch key {
        case .right, .character("n"): 1
        case .left, .character("p"): -1
        case .character("]"): 10
        case .character("["): -10
        case .character("g"), .home: -TreeState.capacity
        default: nil
        }
    }

    // MARK: Replay

    private mutating func pressInReplay(_ key: Key) -> [Effect] {
        guard var replay else { return [] }
        defer { self.replay = replay }
        if case .character(let digit) = key, digit.isASCII, digit.isNumber, replay.typedNumber.count < 6 {
            replay.typedNumber.append(digit)
            hint = "round \(replay.typedNumber): Enter goes there"
            return []
        }
        let typed = Int(replay.typedNumber)
        replay.typedNumber = ""
        switch key {
        case .character("q"), .control("d"), .escape: return [.quit(.asked)]
        case .character("?"): overlay = HelpText.overlay(for: self)
        case .character("t"): cycleTree()
        case .character(" "):
            replay.isPlaying.toggle()
            // Playing on from the end begins again.
            if replay.isPlaying, tree.number == tree.total { tree.step(-tree.total, at: now) }
        case .character("+"), .character("="): replay.speed = min(64, replay.speed * 2)
        case .character("-"): replay.speed = max(0.125, replay.speed / 2)
        case .character("r"):
            tree.step(-tree.total, at: now)
            replay.isPlaying = true
        case .character("G"), .enter, .end:
            tree.step((typed ?? tree.total) - tree.number, at: now)
            replay.isPlaying = false
        default:
            guard let offset = roundOffset(of: key) else { return [] }
            tree.step(offset, at: now)
            replay.isPlaying = false
        }
        return []
    }

    /// Goes to the next round of a playing trace when the present one has had its time.
    mutating func advanceReplay() {
        guard var replay, replay.isPlaying, now - tree.shownSince >= replay.duration else { return }
        if tree.number < tree.total {
            tree.step(1, at: now)
        } else {
            replay.isPlaying = false
            self.replay = replay
        }
    }
}
