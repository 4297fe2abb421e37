// ModelOptions.swift — the options that say which files and how much of the machine. Shared by all that load a model.

import ArgumentParser
import Engine

struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A bundle's folder, or a GGUF language model; default: the demo model.", valueName: "path"))
    var model: String?

    @Option(help: ArgumentHelp("The GGUF vision file, in place of the bundle's.", valueName: "file"))
    var mmproj: String?

    @Option(
        help: ArgumentHelp("A draft of the bundle (small, medium), none, or a GGUF language model.", valueName: "draft")
    )
    var draft: String?

    @Option(help: ArgumentHelp("The GGUF projector with which a draft file sees the picture.", valueName: "file"))
    var draftProjector: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads for the arithmetic; default: one per physical core.", valueName: "n"))
    var threads: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tokens that a conversation can hold; default: what the model allows.", valueName: "n"))
    var context: Int?

    func validate() throws {
        guard threads.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--threads must be between 1 and 1024")
        }
        guard context.map({ $0 >= 1 }) ?? true else { throw ValidationError("--context must be 1 or more") }
    }

    /// The model that these options name, with a draft unless nothing is to be drafted.
    func open(speculation: SpeculationPolicy = .dynamic) throws -> OpenModel {
        try open(draft: speculation == .off ? "none" : draft)
    }

    /// The same with another draft, or with "none".
    func open(draft: String?) throws -> OpenModel {
        let projector = draft == self.draft ? draftProjector : nil
        let bundle = try ModelBundle.open(model: model, mmproj: mmproj, draft: draft, draftProjector: projector)
        var options = EngineOptions()
        options.threads = threads
        options.contextLength = context
        return OpenModel(bundle: bundle, options: options)
    }
}

/// A bundle and how an engine for it is to be made.
struct OpenModel: Sendable {
    let bundle: ModelBundle
    var options: EngineOptions

    func makeEngine() -> ChatEngine { ChatEngine(bundle: bundle, options: options) }
}
