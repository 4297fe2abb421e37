// ScreenLook.swift — the colours that the user wishes and the ground that they stand on. Read by ScreenLoop.

struct ScreenLook: Sendable, Equatable {
    var theme = ThemeChoice.auto
    var color = ColorChoice.auto
    /// What the terminal draws on, as far as it says.
    var background = Background.dark
}

extension AppState {
    /// Takes over what the terminal says, and what follows from it.
    mutating func adopt(_ facts: TerminalFacts) {
        terminal = facts
        pictureStyle = facts.pictureStyle
        look.background = facts.background
    }

    /// `/theme NAME`; without a name, the themes and the one in use.
    mutating func changeTheme(_ name: String?) -> [Effect] {
        let names = ThemeChoice.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name else {
            hint = "theme: \(look.theme.rawValue), of \(names)"
            return []
        }
        guard let choice = ThemeChoice(rawValue: name.lowercased()) else {
            hint = "/theme takes one of: \(names)"
            return []
        }
        look.theme = choice
        hint = "theme: \(choice.rawValue)"
        return []
    }
}
