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
enum Palette: String, Sendable, Equatable {
    /// The user wants none, or the terminal has none.
    case none
    case eight, sixteen
    case full = "256"

    /// - Parameter colors: what the terminal's description says.
    init(colors: Int, wish: ColorChoice, environment: [String: String]) {
        switch wish {
        case .never: self = .none
        case .always: self = Palette(colors: colors)
        case .auto: self = Palette.isForbidden(environment) ? .none : Palette(colors: colors)
        }
    }

    private init(colors: Int) {
        switch colors {
        // Terminals of true colours take a number for red, green and blue; only the first eight are a palette.
        case 257...: self = .eight
        case 256: self = .full
        case 16...: self = .sixteen
        case 8...: self = .eight
        default: self = .none
        }
    }

    /// NO_COLOR of any content forbids; CLICOLOR_FORCE overrules CLICOLOR=0.
    private static func isForbidden(_ environment: [String: String]) -> Bool {
        if let forbidden = environment["NO_COLOR"], !forbidden.isEmpty { return true }
        if let force = environment["CLICOLOR_FORCE"], !force.isEmpty, force != "0" { return false }
        return environment["CLICOLOR"] == "0"
    }
}

/// What the terminal draws on.
enum Background: String, Sendable, Equatable { case dark, light }

struct Theme: Sendable, Equatable {
    let palette: Palette
    private let colors: ThemeColors
    private let isHighContrast: Bool

    /// - Parameter background: decides between dark and light where the choice leaves it open.
    init(_ choice: ThemeChoice, palette: Palette, background: Background) {
        self.palette = choice == .none ? .none : palette
        isHighContrast = choice == .highContrast
        switch choice {
        case .auto, .none: colors = background == .dark ? .dark : .light
        case .dark: colors = .dark
        case .light: colors = .light
        case .highContrast: colors = background == .dark ? .strongOnDark : .strongOnLight
        }
    }

    func appearance(of cell: Cell) -> Appearance {
        // A picture keeps its own colours, whatever the theme.
        if cell.role == .photo, palette == .full {
            return Appearance(foreground: cell.foreground, background: cell.background)
        }
        var appearance = Appearance(attributes: Theme.attributes(cell.role))
        if isHighContrast { appearance.attributes.remove(.dim) }
        let color = colors[cell.role]
        switch palette {
        case .none: break
        case .eight: appearance.foreground = color?.eight
        case .sixteen: appearance.foreground = color?.sixteen
        case .full:
            appearance.foreground = color?.full
            // These have a quiet colour of their own here; dimmed as well they would vanish on a light background.
            if [.border, .lane, .faint, .unreached].contains(cell.role) { appearance.attributes.remove(.dim) }
        }
        return appearance
    }

    private static func attributes(_ role: Role) -> Attributes {
        switch role {
        case .heading, .bonus: [.bold, .underline]
        case .strongEmphasis: [.bold, .italic]
        case .emphasis: .italic
        case .link, .run: .underline
        case .cursor: [.bold, .reverse]
        case .shownRun: .reverse
        case .subheading, .strong, .you, .bot, .accepted, .bonusMark, .focusedTitle, .prompt, .failure, .key: .bold
        case .faint, .unreached, .drafted, .border, .lane: .dim
        default: []
        }
    }
}
