// Main.swift — the command line's door.

import ArgumentParser
import Engine
import Foundation

@main
struct Specchat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "specchat", abstract: "Chat about a picture in the terminal, speculatively and losslessly.")

    static func main() async {
        // First of all: this process may be the child that decodes one picture.
        if let status = DecodeWorker.serve(ifAskedBy: CommandLine.arguments) { Foundation.exit(status) }
        await main(nil)
    }
}
