// ScoreCommand.swift — `specchat score`: what the target thinks of a given answer, for comparing implementations.

import ArgumentParser
import Engine

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Give the log-probability of each token of an answer.",
        discussion: """
            Logarithms are natural. --prompt goes through the model's chat template; --raw-prompt is taken as it is after \
            the beginning token, with <image> where the picture's rows go.

            EXAMPLES:
              specchat score --image scene.png --prompt "What is this?" --text "A red square." --json
              specchat score --image scene.png --raw-prompt "USER: <image>\\nWhat is this? ASSISTANT:" --text "A dog."
            """)

    @Option(help: ArgumentHelp("The picture.", valueName: "path"), completion: .pictures)
    var image: String?

    @Option(
        help: ArgumentHelp(
            "The question, put into the chat template; - reads it from standard input.", valueName: "question"))
    var prompt: String?

    @Option(help: ArgumentHelp("The whole prompt after the beginning token.", valueName: "text"))
    var rawPrompt: String?

    @Option(help: ArgumentHelp("The answer to be scored.", valueName: "answer"))
    var text: String

    @Flag(help: "Print one JSON object: tokens, logprobs, best.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Write what the target gives to every token of the vocabulary, before the softmax: float32 little endian, "
                + "a row for each token of the answer.", valueName: "file"), completion: .file())
    var logits: String?

    @Flag(help: "Replace the file of --logits.")
    var force = false

    @OptionGroup(title: "Model and machine") var model: ModelOptions

    func validate() throws {
        guard (prompt == nil) != (rawPrompt == nil) else {
            throw ValidationError("give one of --prompt QUESTION and --raw-prompt TEXT")
        }
        if let rawPrompt, image != nil, !rawPrompt.contains("<image>") {
            throw ValidationError("--raw-prompt needs <image> where the rows of --image go")
        }
    }

    func run() async throws {
        let prompt: ScorePrompt =
            if let rawPrompt { .raw(rawPrompt) } else { .question(try TextInput.text(of: self.prompt ?? "")) }
        let picture = try image.map { path throws(ImageError) in try PixelImage.read(path) }
        // A draft has no say in a score.
        let engine = try Settings.resolved(flags: model.entries).openModel(draft: "none").makeEngine()
        _ = try await follow(engine.load(), progress: ProgressLine())
        let file = try logits.map { path throws(CommandFailure) in try AtomicFile(path: path, replacing: force) }
        let scores = try await engine.score(prompt, image: picture, answer: text, keepingLogits: file != nil)
        try file?.write(scores.flatMap { Self.littleEndian($0.logits ?? []) })
        if json {
            try TextOutput.standard.line(JSONText.line(ScoresJSON(scores: scores)))
        } else {
            for score in scores {
                let best = score.best.map { "\($0.token) \(decimal($0.logProbability, 4))" }.joined(separator: "  ")
                try TextOutput.standard.line("\(score.token)\t\(decimal(score.logProbability, 6))\t\(best)")
            }
            let total = scores.reduce(0) { $0 + $1.logProbability }
            try TextOutput.standard.line("total\t\(decimal(total, 6))")
        }
    }
}

extension ScoreCommand {
    fileprivate static func littleEndian(_ numbers: [Float]) -> [UInt8] {
        numbers.map(\.bitPattern.littleEndian).withUnsafeBytes(Array.init)
    }
}

/// Scores as `--json` names them.
struct ScoresJSON: Encodable {
    let scores: [TokenScore]

    enum CodingKeys: String, CodingKey { case tokens, logprobs, best }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scores.map(\.token), forKey: .tokens)
        try container.encode(scores.map(\.logProbability), forKey: .logprobs)
        var positions = container.nestedUnkeyedContainer(forKey: .best)
        for score in scores {
            var candidates = positions.nestedUnkeyedContainer()
            for candidate in score.best {
                var pair = candidates.nestedUnkeyedContainer()
                try pair.encode(candidate.token)
                try pair.encode(candidate.logProbability)
            }
        }
    }
}
