// TreeCommands.swift — the commands about drafting and its panel. Called by CommandDispatch.

import Engine

extension AppState {
    mutating func changeSpeculation(_ policy: SpeculationPolicy?) -> [Effect] {
        guard let policy else {
            hint = "speculation: \(options.speculation.policy.rawValue)"
            return []
        }
        options.speculation.policy = policy
        hint = "speculation: \(policy.rawValue), from the next answer on"
        return []
    }

    mutating func changeTreeSize(_ size: TreeSize?) -> [Effect] {
        tree.size = size ?? tree.size.next
        if tree.size == .off { focus = .composer }
        hint = "tree: \(tree.size.rawValue)"
        return []
    }

    /// Holds the engine after its round, or lets it go on.
    mutating func pauseDecoding() -> [Effect] {
        let effects = toggleHold()
        hint = tree.isEngineHeld ? "paused: /step makes a round, /pause goes on" : "the engine goes on"
        return effects
    }

    /// Steps through the rounds; beyond the newest, the engine makes as many more and waits again.
    mutating func stepRounds(_ rounds: Int) -> [Effect] {
        guard rounds > 0 else {
            goTo(rounds)
            return []
        }
        let hold = isAnswering && !tree.isEngineHeld ? toggleHold() : []
        return hold + goOn(rounds)
    }

    /// Shows the last answer's rounds again from its first.
    mutating func replayAnswer() -> [Effect] {
        guard tree.round != nil else {
            hint = "there is no round to show again yet"
            return []
        }
        if tree.size == .off { tree.size = .full }
        tree.replayAnswer(at: now)
        return []
    }
}
