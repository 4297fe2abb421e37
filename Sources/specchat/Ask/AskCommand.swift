// AskCommand.swift — `specchat ask`: one question, one answer, on the standard output as it comes; or a file of questions.

import ArgumentParser
import Engine

struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Answer one question about pictures and end, or a whole file of questions.",
        discussion: """
            Only the answer goes to the standard output, as it comes; everything else goes to the standard error output. \
            `specchat -p QUESTION` is short for `specchat ask -p QUESTION`.

            A file that the standard input is redirected from is appended to the question. Anything else there, such as \
            a pipe, is read only with --stdin: who writes to it may never end. A file that someone has begun to read, as \
            in a shell's `while read` loop, is left alone as well.

            EXAMPLES:
              specchat ask "What is left of the dog?" --image scene.png
              specchat ask "What has changed?" --image before.png --image after.png --stats
              specchat -p "Does the picture fit this text?" --image scene.png < notes.txt > out.txt
              git log -1 | specchat -p "Summarise this." --stdin
              specchat ask "Describe the picture." --image scene.png --jsonl | jq 'select(.event == "text")'
              specchat ask --batch questions.jsonl --out answers.jsonl

            EVENTS OF --jsonl, one object a line:
              draft   round, nodes [{token, text, bytes, control, parent, depth, probability, score}], budget, passes, \
            milliseconds
              verify  round, nodes (how many), milliseconds
              accept  round, path (indices of nodes), tokens, bonus {token, text, bytes, control}, milliseconds
              text    round, text (what the round added: whole characters)
              done    the fields of --json, and finish: stop, limit, context-full
            Node 0 is the token before the round; bytes are hexadecimal. Without done the answer was cut off.

            A FILE OF QUESTIONS has an object on each line: question, and if wanted id, image or images, temperature, \
            top_k, top_p, min_p, repetition_penalty, seed, max_tokens. Pictures are meant from the folder of that file. \
            Each answer is a line of --out, in the same order: index, id, fingerprint, and the fields of --json with \
            finish, or error. The same command again goes on after the last whole line.
            """)

    @Argument(help: "The question; - reads it from the standard input.")
    var question: String?

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The question, when it is not an argument.", valueName: "question"))
    var prompt: String?

    @Option(
        help: ArgumentHelp(
            "A picture: JPEG, PNG, WebP, GIF, BMP or TIFF. Several stand before the question in their order.",
            valueName: "path"), completion: .pictures)
    var image: [String] = []

    @Flag(
        name: .customLong("stdin"), inversion: .prefixedNo,
        help: "Append the standard input to the question; by default only a file that it is redirected from.")
    var readsInput: Bool?

    @Flag(help: "Print one JSON object in place of the text.")
    var json = false

    @Flag(help: "Print what happens as it happens, a JSON object a line.")
    var jsonl = false

    @Option(
        help: ArgumentHelp(
            "Put the answer into this file, whole or not at all, instead of printing it.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Replace the file of --output, or begin that of --out anew.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "Answer every line of this file of JSON objects; - is the standard input.", valueName: "file"),
        completion: .file())
    var batch: String?

    @Option(
        help: ArgumentHelp("Where the answers of --batch go; default: the standard output.", valueName: "file"),
        completion: .file())
    var out: String?

    @Flag(help: "Say on the standard error output how long it took and what speculation gained.")
    var stats = false

    @Option(
        help: ArgumentHelp("Write the rounds of the answer to this file, for `specchat replay`.", valueName: "file"),
        completion: .file())
    var trace: String?

    @OptionGroup(title: "Choosing tokens") var sampler: SamplerFlags
    @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
    @OptionGroup(title: "Model and machine") var model: ModelOptions

    private static let unreadWarning =
        "the standard input holds text that was not read. Add --stdin to append it to the question, or --no-stdin."

    func validate() throws {
        let sources = [question, prompt, batch].compactMap(\.self)
        guard sources.count <= 1 else {
            throw ValidationError("give one question: as the argument, --prompt or --batch")
        }
        guard sources.count == 1 else {
            throw ValidationError("there is no question. Give it as the argument, or pipe it into `specchat ask -`")
        }
        guard !json || !jsonl else { throw ValidationError("give one of --json and --jsonl") }
        guard out == nil || batch != nil else {
            throw ValidationError("--out goes with --batch; --output FILE is for one answer")
        }
        guard !force || output != nil || out != nil else {
            throw ValidationError("--force goes with --output or --out")
        }
        guard (question ?? prompt) != "-" || readsInput != false else {
            throw ValidationError("the question - is the standard input, which --no-stdin leaves unread")
        }
        if batch != nil { try expectNothingButQuestions() }
    }

    /// What belongs to one answer has no meaning for a file of questions.
    private func expectNothingButQuestions() throws {
        let others = [
            ("--image", !image.isEmpty), ("--stdin", readsInput != nil), ("--json", json), ("--jsonl", jsonl),
            ("--output", output != nil), ("--stats", stats), ("--trace", trace != nil),
        ]
        guard let other = others.first(where: \.1) else { return }
        let hint = other.0 == "--output" ? "; --out says where the answers go" : ""
        throw ValidationError("\(other.0) is for one question and does not go with --batch\(hint)")
    }

    func run() async throws {
        let settings = try Settings.resolved(flags: sampler.entries + speculation.entries + model.entries)
        if let batch {
            let run = try BatchRun(questions: batch, answers: out, beginsAnew: force, settings: settings)
            return try await untilStopped { try await run.run() }
        }
        let input = QuestionInput(words: question ?? prompt ?? "", readsInput: readsInput)
        let format: OneAnswer.Format = json ? .json : jsonl ? .events : .text
        let answer = OneAnswer(
            question: try input.text(), images: image, settings: settings, format: format,
            file: try output.map { path throws(CommandFailure) in try AtomicFile(path: path, replacing: force) },
            trace: trace)
        let warnsEarly = input.leavesTextUnread
        if warnsEarly { TextOutput.complain(Self.unreadWarning) }
        let report = try await untilStopped { try await answer.run() }
        // Whoever writes into the pipe may have begun later than we did.
        if !warnsEarly, input.leavesTextUnread { TextOutput.complain(Self.unreadWarning) }
        if report.finish == .contextFull {
            TextOutput.complain("the context of \(report.contextLimit) tokens is full, so the answer ends early.")
        }
        if stats { try? TextOutput.errors.write(AnswerStatistics(report).text) }
    }
}
