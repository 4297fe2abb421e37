// TerminalFacts.swift — all that is known about the terminal, and what is decided by it. Shown by DoctorReport.

/// How pictures reach the screen.
enum PictureStyle: Sendable, Equatable {
    case none
    /// ASCII signs by brightness, where there are no colours.
    case signs
    case halfBlocks
    case pixels(PixelWay, PixelLimits)
}

/// Pixels of a cell, and of the largest picture that the terminal takes.
struct PixelLimits: Sendable, Equatable {
    var cellWidth: Int
    var cellHeight: Int
    var maximumWidth: Int
    var maximumHeight: Int
}

struct TerminalFacts: Sendable, Equatable {
    /// Variables that say something about the terminal or about colours.
    static let variables = [
        "TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORTERM", "COLORFGBG", "TMUX", "STY", "ZELLIJ", "SSH_TTY",
        "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LC_ALL", "LC_CTYPE", "LANG", "WAYLAND_DISPLAY", "DISPLAY",
    ]

    var environment: [String: String] = [:]
    var probe = TerminalProbe()
    /// Whether there is a terminal to ask.
    var isTerminal = true
    /// What the terminal's description says.
    var colors = 0
    var palette = Palette.none
    var isUTF8 = true
    var size = Size(rows: 24, columns: 80)
    /// Of the whole text area, where the terminal says.
    var pixels: PixelSize?
    var wish = ImageProtocol.auto
    /// wl-copy, xclip or xsel, where one is installed and has a display.
    var clipboardProgram: String?
    var settingsFile: String?
    var hasSettingsFile = false

    struct PixelSize: Sendable, Equatable {
        var width: Int
        var height: Int
    }

    var name: String { environment["TERM"] ?? "" }
    /// The terminal's own name for itself, or that of its window.
    var program: String { probe.version ?? environment["TERM_PROGRAM"] ?? "" }

    /// tmux, screen and Zellij draw a screen of their own: what the window behind them can do is out of reach, and what
    /// is passed through to it lands in the wrong place.
    var multiplexer: String? {
        if environment["TMUX"] != nil || name.hasPrefix("tmux") { return "tmux" }
        if environment["ZELLIJ"] != nil { return "Zellij" }
        return environment["STY"] != nil || name.hasPrefix("screen") ? "screen" : nil
    }

    // MARK: Asking

    /// Terminals that print what they do not know of the sequences that hold strings: consoles, and models of old.
    private static let simple = ["linux", "vt", "cons", "ansi", "sun", "cygwin", "dumb", "wy", "hp", "bsdos", "minix"]

    init() {}

    init(environment: [String: String]) { take(environment) }

    /// Keeps the variables that count.
    mutating func take(_ environment: [String: String]) {
        self.environment = environment.filter { TerminalFacts.variables.contains($0.key) }
    }

    /// Finds out what there is to know before the screen comes up; returns what was typed meanwhile.
    mutating func ask(_ color: ColorChoice) -> String {
        colors = Terminal.colors
        palette = Palette(colors: colors, wish: color, environment: environment)
        isUTF8 = Terminal.isUTF8
        size = Terminal.windowSize
        pixels = Terminal.pixelSize
        // Terminals answer within a blink or, over a slow line, later: such answers arrive as reports.
        return isTerminal ? probe.read(Terminal.probe(query, milliseconds: 100)) : ""
    }

    var query: String {
        let isSimple = TerminalFacts.simple.contains { name.hasPrefix($0) } && !name.hasPrefix("vte")
        return TerminalProbe.query(asksInStrings: !isSimple, asksForPictures: multiplexer == nil)
    }

    // MARK: Decisions

    var background: Background {
        if let color = probe.backgroundColor {
            // Brightness as the eye weighs it.
            return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2] > 0.5 ? .light : .dark
        }
        // "15;0": foreground and background as entries of the palette.
        guard let last = environment["COLORFGBG"]?.split(separator: ";").last, let entry = Int(last) else {
            return .dark
        }
        return entry == 7 || (9...15).contains(entry) ? .light : .dark
    }

    /// The protocols that the terminal is known to understand, the best first.
    var ways: [PixelWay] { [PixelWay.kitty, .iterm2, .sixel].filter { evidence(of: $0) != nil } }

    /// Why the terminal is believed to understand a protocol; nil when it is not.
    func evidence(of way: PixelWay) -> String? {
        switch way {
        case .sixel: return probe.hasSixel ? "attribute 4 among its device attributes" : nil
        case .kitty:
            guard multiplexer == nil, probe.kittyAnswer == "OK" else { return nil }
            // These answer, but lack parts of it, and draw a protocol of their own faultlessly.
            return isNamed(["iTerm2", "Konsole", "WezTerm"]) ? nil : "answered OK to a query"
        case .iterm2:
            guard multiplexer == nil else { return nil }
            if let features = probe.itermFeatures, features.contains("F") { return "reports the feature F (files)" }
            return isNamed(["iTerm", "WezTerm", "mintty"]) ? "calls itself \(program)" : nil
        }
    }

    private func isNamed(_ names: [String]) -> Bool {
        names.contains { program.lowercased().hasPrefix($0.lowercased()) }
    }

    /// The best style that the user's wish, the terminal and its colours allow.
    var pictureStyle: PictureStyle {
        let cells: PictureStyle = palette == .full && isUTF8 ? .halfBlocks : .signs
        switch wish {
        case .none: return .none
        case .blocks: return cells
        case .ascii: return .signs
        case .sixel: return limits.map { .pixels(.sixel, $0) } ?? cells
        case .kitty: return limits.map { .pixels(.kitty, $0) } ?? cells
        case .iterm2: return limits.map { .pixels(.iterm2, $0) } ?? cells
        case .auto:
            guard let way = ways.first, let limits else { return cells }
            return .pixels(way, limits)
        }
    }

    /// Nil when the sizes that the terminal gave make no sense.
    private var limits: PixelLimits? {
        // The window's pixels include the terminal's own margin; integer division drops it.
        let width = probe.cellWidth ?? pixels.map { $0.width / max(1, size.columns) } ?? 10
        let height = probe.cellHeight ?? pixels.map { $0.height / max(1, size.rows) } ?? 20
        guard (2...200).contains(width), (2...200).contains(height) else { return nil }
        // xterm drops a picture beyond its limit without a trace; 1000 pixels is its default.
        return PixelLimits(
            cellWidth: width, cellHeight: height, maximumWidth: min(1000, probe.maximumWidth ?? 1000),
            maximumHeight: min(1000, probe.maximumHeight ?? 1000))
    }
}
