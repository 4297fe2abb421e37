// DoctorReport.swift — what was found out about the terminal and what was made of it, as text. Pure.

/// The findings, for `/doctor` and `specchat doctor`.
struct DoctorReport: Sendable, Equatable {
    struct Finding: Sendable, Equatable {
        let name: String
        let text: String
    }
    let findings: [Finding]

    /// - Parameters:
    ///   - settingsFile: where it is, and whether there is one; absent where there is no place for it.
    init(
        _ terminal: TerminalFacts, theme: ThemeChoice, color: ColorChoice,
        settingsFile: (path: String, exists: Bool)?
    ) {
        findings =
            [
                Finding(name: "terminal", text: DoctorReport.name(terminal)),
                Finding(name: "size", text: DoctorReport.size(terminal)),
                Finding(name: "characters", text: DoctorReport.characters(terminal)),
                Finding(name: "colours", text: DoctorReport.colors(terminal, color)),
                Finding(name: "background", text: DoctorReport.background(terminal)),
                Finding(name: "theme", text: DoctorReport.theme(terminal, theme)),
                Finding(name: "pictures", text: DoctorReport.pictures(terminal)),
            ]
            + PixelWay.allCases.map { way in
                Finding(name: "  \(way.rawValue)", text: DoctorReport.way(way, terminal))
            } + [
                Finding(name: "  blocks", text: DoctorReport.blocks(terminal)),
                Finding(name: "clipboard", text: DoctorReport.clipboard(terminal)),
                Finding(
                    name: "settings",
                    text: settingsFile.map { "\($0.path)\($0.exists ? "" : " (not there, so all is as by default)")" }
                        ?? "no place for a file: neither XDG_CONFIG_HOME nor HOME is set"),
            ]
    }

    /// The findings line by line.
    var lines: [String] { findings.map { $0.name.padded(to: DoctorReport.nameColumns) + $0.text } }

    static let nameColumns = 13

    // MARK: Findings

    private static func name(_ terminal: TerminalFacts) -> String {
        guard terminal.isTerminal else { return "none: standard input and output are not both a terminal" }
        var parts = ["TERM is \(terminal.name.isEmpty ? "not set" : terminal.name)"]
        if let version = terminal.probe.version { parts.append("calls itself \(version)") }
        if let program = terminal.environment["TERM_PROGRAM"] {
            let version = terminal.environment["TERM_PROGRAM_VERSION"].map { " \($0)" } ?? ""
            parts.append("TERM_PROGRAM is \(program)\(version)")
        }
        if let multiplexer = terminal.multiplexer { parts.append("inside \(multiplexer)") }
        if terminal.environment["SSH_TTY"] != nil { parts.append("over ssh") }
        parts.append(terminal.probe.isAnswered ? "answers questions" : "did not answer within 0.1 s")
        return parts.joined(separator: ", ")
    }

    private static func size(_ terminal: TerminalFacts) -> String {
        guard terminal.size.columns > 0 else { return "not known" }
        var parts = ["\(terminal.size.columns)x\(terminal.size.rows) cells"]
        if let pixels = terminal.pixels { parts.append("\(pixels.width)x\(pixels.height) pixels") }
        if let width = terminal.probe.cellWidth, let height = terminal.probe.cellHeight {
            parts.append("a cell is \(width)x\(height) pixels, as the terminal says")
        } else if let pixels = terminal.pixels {
            let width = pixels.width / max(1, terminal.size.columns)
            let height = pixels.height / max(1, terminal.size.rows)
            parts.append("a cell is \(width)x\(height) pixels, from the window's size")
        } else {
            parts.append("a cell is taken for 10x20 pixels: the terminal does not say")
        }
        return parts.joined(separator: ", ")
    }

    private static func characters(_ terminal: TerminalFacts) -> String {
        let deciding = ["LC_ALL", "LC_CTYPE", "LANG"].first { terminal.environment[$0]?.isEmpty == false }
        let reason = deciding.map { "\($0)=\(terminal.environment[$0] ?? "")" } ?? "no LC_ALL, LC_CTYPE or LANG is set"
        return terminal.isUTF8 ? "UTF-8 (\(reason))" : "ASCII only: the locale is not UTF-8 (\(reason))"
    }

    private static func colors(_ terminal: TerminalFacts, _ wish: ColorChoice) -> String {
        let found = "the description of the terminal has \(terminal.colors)"
        let variables = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].compactMap { name in
            terminal.environment[name].map { "\(name)=\($0)" }
        }
        let reasons = ([found, "color is \(wish.rawValue)"] + variables).joined(separator: ", ")
        switch terminal.palette {
        case .none: return "none (\(reasons))"
        case .eight: return "8 (\(reasons))"
        case .sixteen: return "16 (\(reasons))"
        case .full: return "256 (\(reasons))"
        }
    }

    private static func background(_ terminal: TerminalFacts) -> String {
        let background = terminal.background.rawValue
        if let color = terminal.probe.backgroundColor {
            let percent = color.map { "\(Int(($0 * 100).rounded()))" }.joined(separator: ", ")
            return "\(background) (the terminal says red, green, blue are \(percent) %)"
        }
        if let variable = terminal.environment["COLORFGBG"] { return "\(background) (COLORFGBG=\(variable))" }
        return "taken for \(background): neither the terminal nor COLORFGBG says"
    }

    private static func theme(_ terminal: TerminalFacts, _ theme: ThemeChoice) -> String {
        theme == .auto ? "auto, which is \(terminal.background.rawValue) here" : theme.rawValue
    }

    // MARK: Pictures

    private static func pictures(_ terminal: TerminalFacts) -> String {
        let reason = terminal.wish == .auto ? "chosen" : "wished by --image-protocol or a setting"
        switch terminal.pictureStyle {
        case .none: return "not drawn (\(reason))"
        case .signs: return "ASCII signs (\(reason))"
        case .halfBlocks: return "half blocks (\(reason))"
        case .pixels(let way, let limits):
            return "\(way.rawValue), up to \(limits.maximumWidth)x\(limits.maximumHeight) pixels (\(reason))"
        }
    }

    private static func way(_ way: PixelWay, _ terminal: TerminalFacts) -> String {
        if let evidence = terminal.evidence(of: way) { return "yes: \(evidence)" }
        guard terminal.probe.isAnswered else { return "no: the terminal did not answer" }
        if way != .sixel, let multiplexer = terminal.multiplexer { return "no: \(multiplexer) is in between" }
        switch way {
        case .sixel: return "no: attribute 4 is not among its device attributes"
        case .kitty:
            guard let answer = terminal.probe.kittyAnswer else { return "no: no answer to a query" }
            return answer == "OK"
                ? "not used: \(terminal.program) draws another protocol better" : "no: it answered \(answer)"
        case .iterm2: return "no: neither a known terminal nor the feature F"
        }
    }

    private static func blocks(_ terminal: TerminalFacts) -> String {
        if !terminal.isUTF8 { return "no: they need UTF-8" }
        return terminal.palette == .full ? "yes: UTF-8 and 256 colours" : "no: they need 256 colours"
    }

    private static func clipboard(_ terminal: TerminalFacts) -> String {
        let program = terminal.clipboardProgram.map { "\($0), and " } ?? ""
        return program + "OSC 52, of which no terminal says whether it takes it"
    }
}

extension AppState {
    /// `/doctor`
    mutating func showDoctor() -> [Effect] {
        let report = DoctorReport(terminal, theme: look.theme, color: look.color, settingsFile: settingsFile)
        let rows = report.findings.map { finding in
            Overlay.Row(
                [Span(finding.name.padded(to: DoctorReport.nameColumns), .title), Span(finding.text)],
                indent: DoctorReport.nameColumns)
        }
        overlay = Overlay(kind: .doctor, title: "doctor", rows: rows)
        return []
    }

    private var settingsFile: (path: String, exists: Bool)? {
        terminal.settingsFile.map { ($0, terminal.hasSettingsFile) }
    }
}
