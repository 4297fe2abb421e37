// ThemeColors.swift — the colours of each theme, for terminals with 256, 16 and 8 of them. Read by Theme.

/// What a colour is for. Many roles share one, so that a screen has few.
struct ThemeColors: Sendable, Equatable {
    struct Color: Sendable, Equatable {
        let full: PaletteColor
        let sixteen: PaletteColor
        let eight: PaletteColor

        init(_ full: PaletteColor, _ sixteen: PaletteColor, _ eight: PaletteColor) {
            self.full = full
            self.sixteen = sixteen
            self.eight = eight
        }
    }

    /// What the target agreed with. Blue against orange, which nearly everyone can tell apart.
    let accepted: Color
    /// The target's own token, and what has the focus.
    let bonus: Color
    let rejected: Color
    /// The user's side: labels, keys, links.
    let user: Color
    /// The model's side: labels, notes, code.
    let model: Color
    let title: Color
    let faint: Color
    let border: Color

    static let dark = ThemeColors(
        accepted: Color(33, 12, 4), bonus: Color(220, 11, 3), rejected: Color(208, 9, 1), user: Color(74, 14, 6),
        model: Color(180, 3, 3), title: Color(110, 14, 6), faint: Color(246, 7, 7), border: Color(242, 8, 7))

    // Yellow and cyan are hard to read on white; purple and blue take their places.
    static let light = ThemeColors(
        accepted: Color(26, 4, 4), bonus: Color(90, 5, 5), rejected: Color(130, 1, 1), user: Color(24, 4, 4),
        model: Color(94, 5, 5), title: Color(24, 4, 4), faint: Color(242, 8, 0), border: Color(246, 8, 0))

    // At least seven to one against black.
    static let strongOnDark = ThemeColors(
        accepted: Color(117, 14, 6), bonus: Color(226, 11, 3), rejected: Color(215, 15, 7), user: Color(123, 14, 6),
        model: Color(229, 15, 7), title: Color(231, 15, 7), faint: Color(252, 15, 7), border: Color(252, 15, 7))

    // At least seven to one against white.
    static let strongOnLight = ThemeColors(
        accepted: Color(18, 4, 4), bonus: Color(53, 5, 5), rejected: Color(88, 1, 1), user: Color(17, 4, 4),
        model: Color(52, 0, 0), title: Color(16, 0, 0), faint: Color(237, 0, 0), border: Color(237, 0, 0))

    /// Absent where the terminal's own colour serves.
    subscript(role: Role) -> Color? {
        switch role {
        case .accepted, .good, .spark: accepted
        case .bonus, .bonusMark, .focusedTitle: bonus
        case .rejected, .failure: rejected
        case .you, .prompt, .key, .link, .address: user
        case .bot, .notice, .code: model
        case .title, .progress, .heading, .subheading: title
        case .faint, .unreached, .quote: faint
        case .border, .lane: border
        default: nil
        }
    }
}
