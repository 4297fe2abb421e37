// OneAnswer.swift — carries one question to its answer: reads the pictures, loads the model, prints as the rounds come.

import Engine

struct OneAnswer: Sendable {
    enum Format: Sendable {
        case text, json, events
    }

    let question: String
    /// Paths, in the order in which the pictures stand before the question.
    let images: [String]
    let settings: Settings
    let format: Format
    /// Where the answer goes; absent: the standard output.
    let file: AtomicFile?
    /// Where the rounds go.
    let trace: String?

    func run() async throws -> GenerationReport {
        let pictures = try images.map { path throws(ImageError) in try PixelImage.read(path) }
        let opened = try settings.openModelForAnswers().keeping(settings)
        // Before any decoding, so that nobody waits for an answer whose trace cannot be written; and after the other
        // files, so that a wrong name among them does not empty an earlier trace.
        let writer = try trace.map { path throws(TraceError) in try TraceWriter(path: path) }
        try writer?.write(header(opened))

        let engine = opened.makeEngine()
        let progress = ProgressLine()
        defer { progress.clear() }
        for picture in pictures { try await follow(engine.attach(picture), progress: progress) }
        var options = settings.generation
        options.inspectsNodes = trace != nil

        let paper = AnswerPaper(format: format, isKept: file != nil)
        // The line is ended whatever happens: what comes next, a message or a prompt, begins on a line of its own.
        defer { paper.endLine() }
        let report = try await follow(engine.ask(question, options: options), progress: progress) { round, text in
            progress.clear()
            try writer?.write(round)
            try paper.write(round, text: text)
        }
        guard let report else { throw CommandFailure(.failure, "the engine ended without an answer.") }
        progress.clear()
        try paper.write(report)
        try file?.write(paper.kept)
        return report
    }

    private func header(_ opened: OpenModel) -> TraceHeader {
        TraceHeader(
            model: opened.bundle.name, draft: opened.bundle.drafters, question: question,
            image: images.isEmpty ? nil : images.joined(separator: ", "),
            speculation: settings.generation.speculation.policy, sampler: settings.generation.sampler)
    }
}

/// What the answer is written on: the standard output as it comes, or memory until it is whole.
private final class AnswerPaper {
    private let format: OneAnswer.Format
    private let isKept: Bool
    private(set) var kept = ""
    private var lineIsOpen = false

    init(format: OneAnswer.Format, isKept: Bool) {
        self.format = format
        self.isKept = isKept
    }

    func write(_ round: SpeculationRound, text: String) throws {
        switch format {
        case .json: break
        case .events: for event in AnswerEvent.events(of: round, text: text) { try put(JSONText.line(event) + "\n") }
        case .text where text.isEmpty: break
        case .text:
            lineIsOpen = true
            do {
                try put(harmless(text))
            } catch {
                lineIsOpen = false
                throw error
            }
        }
    }

    /// The end of the answer.
    func write(_ report: GenerationReport) throws {
        switch format {
        case .text:
            lineIsOpen = false
            try put("\n")
        case .json: try put(JSONText.line(AnswerJSON(report: report)) + "\n")
        case .events: try put(JSONText.line(AnswerEvent.done(report)) + "\n")
        }
    }

    func endLine() {
        if lineIsOpen { try? put("\n") }
        lineIsOpen = false
    }

    private func put(_ text: String) throws {
        if isKept { kept += text } else { try TextOutput.standard.write(text) }
    }
}
