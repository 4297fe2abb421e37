// DoctorCommand.swift — `specchat doctor`: what the terminal can do, and how that was found out.

import ArgumentParser
import ChatTUI
import Foundation

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Print what was found out about the terminal.",
        discussion: """
            The same as /doctor in the chat: the terminal's name, size and colours, which picture protocols it \
            understands and why that is believed, the clipboard, the theme and the settings file. No model is loaded.

            EXAMPLES:
              specchat doctor
              specchat doctor --image-protocol kitty
            """)

    @Option(help: "How pictures are drawn on the screen.")
    var imageProtocol: ImageProtocol?

    @Option(help: "The colours of the screen.")
    var theme: ThemeChoice?

    @Option(help: "Whether to use colours; auto heeds the terminal, NO_COLOR and CLICOLOR_FORCE.")
    var color: ColorChoice?

    func run() throws {
        let settings = try Settings.resolved(flags: [])
        let file = SettingsFile.path(environment: ProcessInfo.processInfo.environment)
        let app = DoctorApp(
            theme: theme ?? settings.theme, color: color ?? settings.color,
            imageProtocol: imageProtocol ?? settings.imageProtocol, settingsFile: file)
        for line in app.lines() { try TextOutput.standard.line(line) }
    }
}
