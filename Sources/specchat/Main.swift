// Main.swift — the command line's door.

import ArgumentParser

@main
struct Specchat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "specchat", abstract: "Chat about a picture in the terminal, speculatively and losslessly.")
}
