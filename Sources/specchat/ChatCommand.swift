// ChatCommand.swift — `specchat chat`, the default: a conversation on the screen.

import ArgumentParser
import ChatTUI
import ConversationStore
import Engine
import Foundation

struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chat about a picture (the default).",
        discussion: """
            On a terminal this is a full screen; /help lists its commands and F1 its keys. Elsewhere questions are read \
            line by line and answers are plain text.

            EXAMPLES:
              specchat --image scene.png
              specchat --image scene.png --draft medium --temperature 0.7
              specchat --model llava-1.5-7b.gguf --mmproj mmproj.gguf --draft vicuna-68m.gguf
            """)

    @Option(
        help: ArgumentHelp("A picture to begin with: JPEG, PNG, WebP, GIF, BMP or TIFF.", valueName: "path"),
        completion: .pictures)
    var image: [String] = []

    @Option(
        help: ArgumentHelp("Write the rounds of all answers to this file, for `specchat replay`.", valueName: "file"),
        completion: .file())
    var trace: String?

    @OptionGroup(title: "Screen") var screen: ScreenFlags
    @OptionGroup(title: "Conversation") var conversation: ConversationFlags
    @OptionGroup(title: "Choosing tokens") var sampler: SamplerFlags
    @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
    @OptionGroup(title: "Model and machine") var model: ModelOptions

    /// All that the flags set.
    var entries: [SettingEntry] {
        screen.entries + conversation.entries + sampler.entries + speculation.entries + model.entries
    }

    func run() throws {
        let settings = try Settings.resolved(flags: entries)
        // With --speculation off the draft is loaded all the same: /spec may ask for it later.
        let opened = try settings.openModel().keeping(settings)
        let engine = opened.makeEngine()
        let trace = try self.trace.map { path throws(TraceError) in try ChatTrace(path: path, bundle: opened.bundle) }
        var source = ChatSource(
            load: { engine.load() },
            attach: { picture in
                trace?.attach(picture)
                return engine.attach(picture)
            },
            ask: { question, options in
                let events = engine.ask(question, options: options)
                return trace?.record(events, question: question, options: options) ?? events
            },
            clear: { engine.clear() }, restore: { engine.restore($0) },
            rewind: { engine.rewind(toTurn: $0, keepingPictures: true) }, stop: { engine.stop() },
            gate: EngineGate(engine))
        source.setSystem = { engine.setSystem($0) }
        var configuration = ChatConfiguration(
            source: source, modelName: opened.bundle.name, draftName: opened.bundle.drafters,
            welcome: Self.welcome(opened.bundle), images: image)
        settings.apply(to: &configuration)
        configuration.seesPictures = opened.bundle.vision != nil
        configuration.conversation = conversation.choice
        configuration.sessions = sessions(of: opened.bundle)
        let status = ChatApp(configuration: configuration).run()
        if status != 0 { throw ExitCode(status) }
    }

    private func sessions(of bundle: ModelBundle) -> SessionSource {
        let flags = sampler.entries + speculation.entries
        return SessionSource(
            identity: { () throws(StoreError) in try ModelIdentity(bundle) },
            options: { stored in
                // Flags win over what a conversation was held with, and that over everything else.
                var settings = Settings()
                settings.generation = stored
                try? settings.take(flags)
                return settings.generation
            },
            writeFile: { path, text, isForced in try AtomicFile(path: path, replacing: isForced).write(text) })
    }

    /// What the empty screen says: what this is, what the model can do, how to begin.
    private static func welcome(_ bundle: ModelBundle) -> [String] {
        let sees = bundle.vision != nil
        var lines = ["\(bundle.name): ask \(sees ? "about a picture" : "it anything"). Nothing leaves this machine."]
        if let notice = bundle.notice { lines.append(notice) }
        if sees {
            lines.append("/image PATH shows it a picture, /help lists the commands, F1 the keys.")
        } else {
            lines.append("It reads text alone: pictures need its vision file, named with --mmproj FILE.")
            lines.append("/help lists the commands, F1 the keys.")
        }
        return lines.map(harmless)
    }
}

extension Settings {
    /// Tells the chat what was set.
    func apply(to configuration: inout ChatConfiguration) {
        configuration.options = generation
        configuration.options.inspectsNodes = true
        configuration.imageProtocol = imageProtocol
        configuration.theme = theme
        configuration.settingsFile = SettingsFile.path(environment: ProcessInfo.processInfo.environment)
        configuration.color = color
        configuration.treeSize = tree
        configuration.rendersMarkdown = markdown
        configuration.options.pace = pace
        configuration.editor = editor
        configuration.savesConversations = save
        configuration.keepsImages = keepImages
        configuration.pictureCacheBytes = pictureCache
    }
}
