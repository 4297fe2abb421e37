// DoctorApp.swift — the doctor's report on standard output: no screen, no model.

import Foundation

public struct DoctorApp {
    private let theme: ThemeChoice
    private let color: ColorChoice
    private let imageProtocol: ImageProtocol
    private let settingsFile: String?
    private let environment: [String: String]

    /// - Parameter settingsFile: where the settings file is, or would be.
    public init(
        theme: ThemeChoice, color: ColorChoice, imageProtocol: ImageProtocol, settingsFile: String?,
        environment: [String: String]? = nil
    ) {
        self.theme = theme
        self.color = color
        self.imageProtocol = imageProtocol
        self.settingsFile = settingsFile
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Asks the terminal, if there is one, and returns the lines of the report. Holds no escape codes.
    public func lines() -> [String] {
        Terminal.useLocale()
        var facts = TerminalFacts(environment: environment)
        facts.isTerminal = Terminal.obstacle(terminalName: facts.name) != .notATerminal
        facts.wish = imageProtocol
        _ = facts.ask(color)
        facts.noteFiles(environment: environment, settingsFile: settingsFile)
        let file = facts.settingsFile.map { (path: $0, exists: facts.hasSettingsFile) }
        return DoctorReport(facts, theme: theme, color: color, settingsFile: file).lines.map(PlainText.safe)
    }
}

extension TerminalFacts {
    /// Looks for the clipboard program and the settings file.
    mutating func noteFiles(environment: [String: String], settingsFile: String?) {
        clipboardProgram = Clipboard.program(environment: environment)?.first
        self.settingsFile = settingsFile
        hasSettingsFile = settingsFile.map(FileManager.default.fileExists) ?? false
    }
}
