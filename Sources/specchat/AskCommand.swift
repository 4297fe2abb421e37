// AskCommand.swift — `specchat ask`: one question, one answer, on the standard output as it comes.

import ArgumentParser
import Engine

struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Answer one question about a picture and end.",
        discussion: """
            Only the answer goes to the standard output, as it comes; everything else goes to the standard error output.

            EXAMPLES:
              specchat ask "What is left of the dog?" --image scene.png
              specchat ask "Describe the picture." --image scene.png --stats
              specchat ask - --image scene.png --json < question.txt
              specchat ask "How many cats are there?" --image scene.png --speculation off
              specchat ask "What is this?" --image photo.jpg --model llava-1.5-7b.gguf --mmproj mmproj.gguf
            """)

    @Argument(help: "The question; - reads it from the standard input.")
    var question: String

    @Option(help: ArgumentHelp("The picture: JPEG, PNG, WebP, GIF, BMP or TIFF.", valueName: "path"))
    var image: String?

    @Flag(help: "Print one JSON object in place of the text.")
    var json = false

    @Flag(help: "Say on the standard error output how long it took and what speculation gained.")
    var stats = false

    @Option(
        help: ArgumentHelp("Write the rounds of the answer to this file, for `specchat replay`.", valueName: "file"))
    var trace: String?

    @OptionGroup(title: "Choosing tokens") var sampler: SamplerFlags
    @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
    @OptionGroup(title: "Model and machine") var model: ModelOptions

    func run() async throws {
        let question = try TextInput.text(of: question)
        guard question.contains(where: { !$0.isWhitespace }) else {
            throw CommandFailure(
                .usage, "the question is empty. Give it as the argument, or pipe it into `specchat ask -`.")
        }
        let settings = try Settings.resolved(flags: sampler.entries + speculation.entries + model.entries)
        let report = try await untilStopped { try await answer(question, settings) }
        if json { try TextOutput.standard.line(JSONText.line(AnswerJSON(report: report))) }
        if report.finish == .contextFull {
            TextOutput.complain("the context of \(report.contextLimit) tokens is full, so the answer ends early.")
        }
        if stats { try? TextOutput.errors.write(AnswerStatistics(report).text) }
    }

    private func answer(_ question: String, _ settings: Settings) async throws -> GenerationReport {
        let picture = try image.map { path throws(ImageError) in try PixelImage.read(path) }
        let opened = try settings.openModelForAnswers().keepingPictures(settings.pictureCacheOptions)
        // Before any decoding, so that nobody waits for an answer whose trace cannot be written; and after the other
        // files, so that a wrong name among them does not empty an earlier trace.
        let writer = try trace.map { path throws(TraceError) in try TraceWriter(path: path) }
        try writer?.write(header(question, opened, settings))

        let engine = opened.makeEngine()
        if let picture { try await follow(engine.attach(picture)) }
        var options = settings.generation
        options.inspectsNodes = trace != nil

        var lineIsOpen = false
        // The line is ended whatever happens: what comes next, a message or a prompt, begins on a line of its own.
        defer { if lineIsOpen { try? TextOutput.standard.write("\n") } }
        let report = try await follow(engine.ask(question, options: options)) { round, text in
            try writer?.write(round)
            guard !json, !text.isEmpty else { return }
            lineIsOpen = true
            do {
                try TextOutput.standard.write(harmless(text))
            } catch {
                lineIsOpen = false
                throw error
            }
        }
        guard let report else { throw CommandFailure(.failure, "the engine ended without an answer.") }
        if !json && !lineIsOpen { try TextOutput.standard.write("\n") }
        return report
    }

    private func header(_ question: String, _ opened: OpenModel, _ settings: Settings) -> TraceHeader {
        TraceHeader(
            model: opened.bundle.name, draft: opened.bundle.defaultDraft, question: question, image: image,
            speculation: settings.generation.speculation.policy, sampler: settings.generation.sampler)
    }
}
