// ScreenOptions.swift — what the user may wish of the screen. Set by flags and settings, read by ChatApp.

/// The set of colours that the screen is drawn with.
public enum ThemeChoice: String, Sendable, Equatable, CaseIterable {
    /// Dark or light, as the terminal's background is.
    case auto
    case dark, light
    case highContrast = "high-contrast"
    /// Attributes alone: bold, dim, underlined.
    case none
}

/// Whether colours are used at all.
public enum ColorChoice: String, Sendable, Equatable, CaseIterable {
    /// What the terminal can do and NO_COLOR and CLICOLOR_FORCE allow.
    case auto
    case always, never
}

/// The conversation that a chat begins with.
public enum ConversationChoice: Sendable, Equatable {
    case new
    /// The one that was changed last.
    case latest
    /// The stored one of this name, as `specchat sessions list` prints it.
    case stored(id: String)
}
