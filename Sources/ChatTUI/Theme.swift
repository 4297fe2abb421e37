// Theme.swift — roles into attributes and colours. Colour never says anything that sign or attribute does not.

struct Attributes: OptionSet, Sendable, Hashable {
    let rawValue: Int
    static let bold = Attributes(rawValue: 1)
    static let dim = Attributes(rawValue: 2)
    static let underline = Attributes(rawValue: 4)
    static let reverse = Attributes(rawValue: 8)
    static let italic = Attributes(rawValue: 16)
}

struct Appearance: Sendable, Equatable {
    var attributes: Attributes = []
    /// Palette index; absent is the terminal's own colour.
    var foreground: PaletteColor?
    var background: PaletteColor?
}

/// How many colours may be used.
enum Palette: Sendable, Equatable {
    /// NO_COLOR is set, or the terminal has none.
    case none
    case eight
    case full

    init(colors: Int, environment: [String: String]) {
        if let forbidden = environment["NO_COLOR"], !forbidden.isEmpty {
            self = .none
        } else {
            self = colors >= 256 ? .full : colors >= 8 ? .eight : .none
        }
    }
}

struct Theme: Sendable, Equatable {
    let palette: Palette

    func appearance(of cell: Cell) -> Appearance {
        if cell.role == .photo, palette == .full {
            return Appearance(foreground: cell.foreground, background: cell.background)
        }
        var appearance = Theme.plain(cell.role)
        switch palette {
        case .none: break
        case .eight: appearance.foreground = Theme.color(cell.role)?.eight
        case .full:
            appearance.foreground = Theme.color(cell.role)?.full
            // These have a quiet colour of their own here; dimmed as well they would vanish on a light background.
            if [.border, .lane, .faint].contains(cell.role) { appearance.attributes.remove(.dim) }
        }
        return appearance
    }

    private static func plain(_ role: Role) -> Appearance {
        switch role {
        case .strong, .you, .bot, .accepted, .bonusMark, .focusedTitle, .prompt, .failure, .key:
            Appearance(attributes: .bold)
        case .bonus: Appearance(attributes: [.bold, .underline])
        case .cursor: Appearance(attributes: [.bold, .reverse])
        case .run: Appearance(attributes: .underline)
        case .shownRun: Appearance(attributes: .reverse)
        case .faint, .unreached, .drafted, .border, .lane: Appearance(attributes: .dim)
        case .text, .title, .notice, .rejected, .good, .spark, .progress, .photo, .filler: Appearance()
        }
    }

    private static func color(_ role: Role) -> (full: PaletteColor, eight: PaletteColor)? {
        switch role {
        case .accepted: (33, 4)
        case .bonus, .bonusMark: (220, 3)
        case .rejected: (208, 1)
        case .unreached: (244, 7)
        case .you: (74, 6)
        case .bot: (180, 3)
        case .border, .lane: (242, 7)
        case .title: (110, 6)
        case .focusedTitle: (220, 3)
        case .prompt: (74, 6)
        case .key: (110, 6)
        case .notice: (180, 3)
        case .failure: (208, 1)
        case .good, .spark: (33, 4)
        case .progress: (110, 6)
        case .faint: (246, 7)
        case .text, .strong, .drafted, .photo, .filler, .cursor, .run, .shownRun: nil
        }
    }
}
