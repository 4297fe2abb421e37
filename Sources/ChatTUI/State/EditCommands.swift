// EditCommands.swift — the composer's text in the user's own editor: asking for it, and what came back.

/// What came of an edit.
enum EditOutcome: Sendable, Equatable {
    case edited(String)
    /// The text stays as it was; the sentence says why.
    case failed(String)
}

extension AppState {
    /// Ctrl-X waits for one more key; nil when this is not the beginning or the end of such a pair.
    mutating func pressInPair(_ key: Key) -> [Effect]? {
        if key == .control("x"), !isPairBegun {
            isPairBegun = true
            hint = "Ctrl-X: Ctrl-E opens the editor, Ctrl-U takes back"
            return []
        }
        guard isPairBegun else { return nil }
        isPairBegun = false
        switch key {
        case .control("e"): return [.edit(composer.text)]
        case .control("u"):
            composer.takeBack()
            return []
        default: return nil
        }
    }

    mutating func take(_ outcome: EditOutcome) {
        switch outcome {
        case .edited(let text):
            if text != composer.text { composer.replace(with: text) }
            hint = text.trimmed.isEmpty ? nil : "edited; Enter sends it"
        case .failed(let reason): hint = reason
        }
    }
}
