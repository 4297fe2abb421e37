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
        var talk = BenchTalk(engine: engine, options: options)
        try await talk.begin(self)
        for question in questions { try await talk.ask(question) }
        return talk.run
    }
}

/// A conversation under way: a question at a time, so that other ways to decode can take turns with it.
struct BenchTalk {
    let engine: ChatEngine
    let options: GenerationOptions
    private(set) var run = BenchRun()
    private let clock = ContinuousClock()

    init(engine: ChatEngine, options: GenerationOptions) { (self.engine, self.options) = (engine, options) }

    /// Forgets what was said before, and attaches the picture.
    mutating func begin(_ conversation: BenchConversation) async throws {
        try await follow(engine.clear(), notices: false)
        let start = clock.now
        if let picture = conversation.picture { try await follow(engine.attach(picture), notices: false) }
        run.endToEnd += seconds(clock.now - start)
    }

    mutating func ask(_ question: String) async throws {
        var (draft, verify, choose) = (0.0, 0.0, 0.0)
        let start = clock.now
        let report = try await follow(engine.ask(question, options: options), notices: false) { round, _ in
            draft += round.seconds.draft
            verify += round.seconds.verify
            choose += round.seconds.choose
        }
        run.endToEnd += seconds(clock.now - start)
        guard let report else { throw CommandFailure(.failure, "the engine ended without an answer.") }
        run.add(report)
        run.draft += draft
        run.verify += verify
        run.choose += choose
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
