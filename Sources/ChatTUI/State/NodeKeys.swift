// NodeKeys.swift — moving between the nodes of a tree, looking for a token, and asking for an export.

import Engine

extension AppState {
    // MARK: Looking at a node

    /// Moves the cursor of the nodes; false when the key has another meaning now.
    mutating func moveCursor(_ key: Key) -> Bool {
        guard let round = tree.round else { return false }
        guard let cursor = tree.cursor else {
            // Up and down have no other meaning; left and right step through rounds until there is a cursor.
            guard key == .up || key == .down else { return false }
            guard hasRoomForNodes else { return true }
            tree.cursor = round.turningPoint
            stopForReading()
            return true
        }
        let lanes = RoundLanes(round)
        let next: Int?
        switch key {
        case .up: next = lanes.neighbour(of: cursor, below: false)
        case .down: next = lanes.neighbour(of: cursor, below: true)
        case .left: next = lanes.parent(of: cursor)
        case .right: next = lanes.firstChild(of: cursor)
        default: return false
        }
        if let next { tree.cursor = next }
        return true
    }

    mutating func toggleDetails() {
        guard let round = tree.round, hasRoomForNodes else { return }
        if tree.cursor == nil { tree.cursor = round.turningPoint }
        tree.showsDetails.toggle()
        stopForReading()
    }

    /// Nodes cannot be told apart in a tree of one line; says so.
    private var hasRoomForNodes: Bool {
        mutating get {
            guard Layout.fits(size), layout.isTreeMini else { return true }
            hint = tree.size == .mini ? "nodes need the full tree: t" : "nodes need a window of 20 rows"
            return false
        }
    }

    /// A node can only be read in a round that stays.
    private mutating func stopForReading() {
        tree.pause()
        replay?.isPlaying = false
        tree.playback?.player.isPlaying = false
    }

    /// Closes the details, or else takes the cursor away; false when there was neither.
    mutating func leaveNode() -> Bool {
        if tree.showsDetails {
            tree.showsDetails = false
            return true
        }
        guard tree.cursor != nil else { return false }
        tree.cursor = nil
        return true
    }

    // MARK: Questions of the panel

    mutating func ask(_ prompt: TreePrompt) {
        guard tree.round != nil else { return }
        tree.prompt = prompt
        showPrompt()
    }

    private mutating func showPrompt() {
        switch tree.prompt {
        case .find(let text)?:
            hint = text.isEmpty && !tree.sought.isEmpty ? "find (Enter: \(tree.sought)): " : "find: \(text)"
        case .export?: hint = "export this round as: t text  j JSON  d dot  s SVG  h HTML  (Esc: not)"
        case nil: break
        }
    }

    /// Keys while the panel asks for something; nil when it does not.
    mutating func answerTreePrompt(_ key: Key) -> [Effect]? {
        switch tree.prompt {
        case .find(let text)?: return type(key, after: text)
        case .export?:
            tree.prompt = nil
            guard case .character(let letter) = key, let format = RoundFormat(key: letter), let round = tree.round
            else { return [] }
            return [.exportRound(round, number: tree.number, format: format)]
        case nil: return nil
        }
    }

    private mutating func type(_ key: Key, after text: String) -> [Effect] {
        switch key {
        case .enter:
            tree.prompt = nil
            find(text.isEmpty ? tree.sought : text)
            return []
        case .character(let character): tree.prompt = .find(text + String(character))
        case .backspace: tree.prompt = .find(String(text.dropLast()))
        case .control("u"): tree.prompt = .find("")
        default:
            tree.prompt = nil
            return []
        }
        showPrompt()
        return []
    }

    /// Goes to the next node whose token holds `text`: in this round after the cursor, then in the rounds that follow,
    /// and round again from the first. Capital and small letters are the same.
    mutating func find(_ text: String) {
        guard !text.isEmpty, let shown = tree.shown else { return }
        tree.sought = text
        let wanted = text.lowercased()
        for offset in 0...tree.rounds.count {
            let index = (shown + offset) % tree.rounds.count
            let round = tree.rounds[index]
            let order = RoundLanes(round).order
            let start = offset == 0 ? (tree.cursor.flatMap(order.firstIndex).map { $0 + 1 } ?? 0) : 0
            let found = order.dropFirst(start).first { node in
                String(decoding: round.piece(of: node).bytes, as: UTF8.self).lowercased().contains(wanted)
            }
            guard let found else { continue }
            if index != shown { tree.step(index - shown, at: now) }
            tree.cursor = found
            stopForReading()
            hint = "found in round \(tree.number); / Enter looks for the next"
            return
        }
        hint = "no token of \(Figures.count(tree.rounds.count, "round")) holds \(text)"
    }
}
