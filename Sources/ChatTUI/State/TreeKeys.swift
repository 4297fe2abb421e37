// TreeKeys.swift — what the keys of the tree panel do: holding the engine, stepping through rounds, looking at nodes.

import Engine

extension AppState {
    /// Keys of the focused panel in a chat; nil for those that it leaves to the composer.
    mutating func pressInTree(_ key: Key) -> [Effect]? {
        if let effects = answerTreePrompt(key) { return effects }
        switch key {
        case .tab, .backTab: focus = .composer
        case .escape:
            if leaveNode() { return [] }
            focus = .composer
            return followLive()
        case .character(" "): return tree.playback == nil ? toggleHold() : togglePlayback()
        case .character("f"), .character("G"), .end: return followLive()
        case .character("r"): tree.replayAnswer(at: now)
        default:
            if let effects = pressOnRounds(key) { return effects }
            if case .character = key { return [] }
            return nil
        }
        return []
    }

    /// Keys while a trace is shown: the panel has the whole keyboard.
    mutating func pressInReplay(_ key: Key) -> [Effect] {
        if let effects = answerTreePrompt(key) { return effects }
        if case .character(let digit) = key, digit.isASCII, digit.isNumber, (replay?.typedNumber.count ?? 6) < 6 {
            replay?.typedNumber.append(digit)
            hint = "round \(replay?.typedNumber ?? ""): Enter goes there"
            return []
        }
        let typed = replay.flatMap { Int($0.typedNumber) }
        replay?.typedNumber = ""
        switch key {
        case .escape where leaveNode(): break
        case .character("q"), .control("d"), .escape: return [.quit(.asked)]
        case .character(" "): return togglePlayback()
        case .character("r"):
            tree.step(-tree.total, at: now)
            replay?.isPlaying = true
        case .enter where typed != nil:
            goTo((typed ?? 1) - tree.number)
        case .character("G"), .character("f"), .end: goTo((typed ?? tree.total) - tree.number)
        default: return pressOnRounds(key) ?? []
        }
        return []
    }

    /// Keys that mean the same in a chat and in a replay; nil for all others.
    private mutating func pressOnRounds(_ key: Key) -> [Effect]? {
        if moveCursor(key) { return [] }
        switch key {
        case .right, .character("n"): return goOn(1)
        case .character("]"): return goOn(10)
        case .left, .character("p"): goTo(-1)
        case .character("["): goTo(-10)
        case .character("g"), .home: goTo(-TreeState.capacity - tree.total)
        case .enter: toggleDetails()
        case .character("+"), .character("="): changeSpeed(by: 2)
        case .character("-"): changeSpeed(by: 0.5)
        case .character("t"): return changeTreeSize(nil)
        case .character("w"):
            tree.marksWhitespace.toggle()
            hint = tree.marksWhitespace ? "spaces in tokens are marked" : "spaces in tokens are not marked"
        case .character("m"):
            tree.isMirrored.toggle()
            hint = tree.isMirrored ? "the text marks which tokens came together" : "the text is unmarked"
            return readRuns()
        case .character("/"): ask(.find(""))
        case .character("e"): ask(.export)
        case .character("?"): overlay = HelpText.overlay(for: self)
        default: return nil
        }
        return []
    }

    // MARK: Rounds

    mutating func goTo(_ offset: Int) {
        tree.step(offset, at: now)
        stopPlaying()
    }

    private mutating func stopPlaying() {
        replay?.isPlaying = false
        tree.playback?.player.isPlaying = false
    }

    /// Steps forward; beyond the newest round, a held engine makes as many more.
    mutating func goOn(_ count: Int) -> [Effect] {
        let wanted = tree.isEngineHeld && replay == nil ? max(0, count - tree.behind) : 0
        goTo(count)
        guard wanted > 0 else { return [] }
        guard isAnswering else {
            hint = "nothing to step: the engine has no answer to write"
            return []
        }
        // What it makes is what the reader wants to see.
        tree.resume(at: now)
        return [.advanceEngine(rounds: wanted)]
    }

    /// Holds the engine at the border of its round, or lets it go on.
    mutating func toggleHold() -> [Effect] {
        if tree.isEngineHeld { return followLive() }
        tree.pause()
        tree.isEngineHeld = true
        return [.holdEngine]
    }

    /// Back to what happens now.
    mutating func followLive() -> [Effect] {
        tree.resume(at: now)
        guard tree.isEngineHeld else { return [] }
        tree.isEngineHeld = false
        return [.releaseEngine]
    }

    private mutating func togglePlayback() -> [Effect] {
        if var player = tree.playback?.player {
            player.isPlaying.toggle()
            if player.isPlaying, tree.number == tree.playback?.last { tree.replayAnswer(at: now) }
            tree.playback?.player = player
        } else if var replay {
            replay.isPlaying.toggle()
            self.replay = replay
            // Playing on from the end begins again.
            if replay.isPlaying, tree.number == tree.total { tree.step(-tree.total, at: now) }
        }
        return []
    }

    private mutating func changeSpeed(by factor: Double) {
        let speed = min(64, max(0.125, (replay ?? tree.playback?.player)?.speed ?? tree.pace) * factor)
        let kept = max(0.125, speed)
        if replay != nil { replay?.speed = kept } else { tree.pace = kept }
        tree.playback?.player.speed = kept
        hint = "speed \(Figures.fixed(kept, kept < 1 ? 3 : 0))\(symbols.times)"
    }

    /// Goes to the next round of a playing trace or answer when the present one has had its time.
    mutating func advanceReplay() {
        tree.advancePlayback(at: now)
        guard var replay, replay.isPlaying, now - tree.shownSince >= replay.duration else { return }
        if tree.number < tree.total {
            tree.step(1, at: now)
        } else {
            replay.isPlaying = false
            self.replay = replay
        }
    }
}
