// BenchRunner.swift — holds a conversation with an engine and notes what each part took. Used by bench and its grid.

import Engine

/// One conversation as it is timed: pictures are decoded beforehand, the clock runs from their arrival.
struct BenchConversation: Sendable {
    let picture: PixelImage?
    let questions: [String]

    init(_ prompt: BenchPrompt, in prompts: BenchPrompts) throws {
        picture = try prompts.picture(of: prompt)
        questions = prompt.questions
    }

    private init(picture: PixelImage?, questions: [String]) { (self.picture, self.questions) = (picture, questions) }

    /// The conversation up to its first answer: enough to bring a model's pages and curves to life.
    var opening: BenchConversation { BenchConversation(picture: picture, questions: Array(questions.prefix(1))) }

    /// Begins anew, holds the whole conversation, and says what it took.
    func run(on engine: ChatEngine, options: GenerationOptions) async throws -> BenchRun {
        try await follow(engine.clear(), notices: false)
        var run = BenchRun()
        let clock = ContinuousClock()
        let start = clock.now
        if let picture { try await follow(engine.attach(picture), notices: false) }
        for question in questions {
            let report = try await follow(engine.ask(question, options: options), notices: false) { round, _ in
                run.draft += round.seconds.draft
                run.verify += round.seconds.verify
                run.choose += round.seconds.choose
            }
            guard let report else { throw CommandFailure(.failure, "the engine ended without an answer.") }
            run.add(report)
        }
        run.endToEnd = seconds(clock.now - start)
        return run
    }
}

extension BenchRun {
    mutating func add(_ report: GenerationReport) {
        answers.append(report.tokens)
        turns.append((report.rounds, report.seconds.decode))
        rounds += report.rounds
        drafted += report.drafted
        accepted += report.accepted
        vision += report.seconds.vision
        prefill += report.seconds.prefill
        decode += report.seconds.decode
        (threads, backend) = (report.threads, report.backend)
    }
}

private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}
