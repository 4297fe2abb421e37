// DemoCommand.swift — `specchat demo`: a scripted conversation on the screen, for talks.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Play a scripted conversation, so that a talk needs no typing.",
        discussion: """
            Any key pauses (and other keys then look around in the tree), Space goes on, q ends. Without a script the one \
            that comes with the program is played. The engine works as in a chat: only the typing is a script's.

            A script is a text file. Each line is a word and what follows it; lines that begin with # are notes.
              picture FILE          add a picture, beside the script
              ask TEXT              type a question, or a command such as /stats, and send it
              typing N              characters a second
              pause SECONDS         wait
              wait                  wait until the answer is complete and has been shown
              tree off|mini|full    size of the draft tree
              pace SECONDS          how long every round stands, from the next answer on
              speculation POLICY    off, chain or dynamic, from the next answer on
              hold                  hold the engine after its round
              step N [SECONDS]      let N rounds through, one every so many seconds
              go                    let the engine go on
              keys K...             press keys of the tree panel: up down left right enter space escape m w r
              say TEXT              a line above the composer
              clear                 begin a new conversation
              again                 play from the first line again

            EXAMPLES:
              specchat demo
              specchat demo --pace 0.3
              specchat demo talk.txt --model llava-1.5-7b.gguf --mmproj mmproj.gguf
            """)

    @Argument(help: ArgumentHelp("The script.", valueName: "script"))
    var script: String?

    @OptionGroup(title: "Screen") var screen: ScreenFlags
    @OptionGroup(title: "Choosing tokens") var sampler: SamplerFlags
    @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
    @OptionGroup(title: "Model and machine") var model: ModelOptions

    func run() throws {
        let settings = try Settings.resolved(
            flags: screen.entries + sampler.entries + speculation.entries + model.entries)
        let opened = try settings.openModel()
        let script = try DemoScript.read(path: try script ?? Self.ownScript())
        let engine = opened.makeEngine()
        let source = ChatSource(
            load: { engine.load() }, attach: { engine.attach($0) }, ask: { engine.ask($0, options: $1) },
            clear: { engine.clear() }, restore: { engine.restore($0) },
            rewind: { engine.rewind(toTurn: $0, keepingPictures: true) }, stop: { engine.stop() },
            gate: EngineGate(engine))
        var configuration = ChatConfiguration(
            source: source, modelName: opened.bundle.name, draftName: opened.bundle.drafters,
            welcome: ["specchat demo: any key pauses, Space goes on, q ends."])
        settings.apply(to: &configuration)
        // What is played for an audience is nobody's conversation.
        configuration.savesConversations = false
        let status = DemoApp(configuration: configuration, script: script, pace: screen.pace).run()
        if status != 0 { throw ExitCode(status) }
    }

    /// The script that comes with the demo model.
    private static func ownScript() throws -> String {
        try ModelBundle.demoAssets().appending(path: "demo-script.txt").path
    }
}
