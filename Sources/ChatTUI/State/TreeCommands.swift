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

    mutating func pauseDecoding() -> [Effect] { notAvailable("/pause") }

    mutating func stepRounds(_ rounds: Int) -> [Effect] { notAvailable("/step") }

    mutating func replayAnswer() -> [Effect] { notAvailable("/replay") }
}
