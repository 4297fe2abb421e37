import Foundation
import Testing

@testable import Engine

/// A chat with one of the golden models.
private struct Chat {
    let engine: ChatEngine

    init(_ name: String = "grouped", draft: String? = nil, context: Int = 400, threads: Int = 1) throws {
        var options = EngineOptions()
        options.contextLength = context
        options.threads = threads
        engine = ChatEngine(bundle: try Golden(name).bundle(draft: draft), options: options)
    }

    @discardableResult
    func attach(_ name: String = "grouped") async throws -> [GenerationEvent] {
        try await events(engine.attach(PixelImage.read(Golden(name).path("picture.png"))))
    }

    func ask(
        _ question: String, _ policy: SpeculationPolicy = .off, temperature: Float = 0, tokens: Int = 24
    ) async throws -> GenerationReport {
        var options = GenerationOptions()
        options.speculation.policy = policy
        options.sampler.temperature = temperature
        options.maximumTokens = tokens
        let all = try await events(engine.ask(question, options: options))
        guard case .finished(let report)? = all.last else {
            throw ChatError.badSetting("the stream ended without a report")
        }
        let streamed = all.map { event in if case .round(_, let text) = event { text } else { "" } }.joined()
        #expect(report.text.hasPrefix(streamed))
        return report
    }

    func setSystem(_ text: String?) async throws { _ = try await events(engine.setSystem(text)) }

    func clear() async throws { _ = try await events(engine.clear()) }

    private func events(_ stream: EventStream) async throws -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for try await event in stream { events.append(event) }
        return events
    }
}

@Suite struct `Chat engine` {
    @Test(arguments: ["grouped", "theta"], [0, 0.8] as [Float])
    func `two turns about a picture are the same with and without speculation`(
        draft: String, temperature: Float
    ) async throws {
        var reports: [[GenerationReport]] = []
        for policy in SpeculationPolicy.allCases {
            let chat = try Chat(draft: draft)
            try await chat.attach()
            let first = try await chat.ask("What is it?", policy, temperature: temperature)
            let second = try await chat.ask("And now?", policy, temperature: temperature)
            reports.append([first, second])
        }
        #expect(reports[0].map(\.tokens) == reports[1].map(\.tokens))
        #expect(reports[0].map(\.tokens) == reports[2].map(\.tokens))
        #expect(reports[0].map(\.text) == reports[2].map(\.text))
        #expect(reports[0][0].rounds == reports[0][0].tokens.count)
    }

    @Test func `speculation may be switched between the turns of a conversation`() async throws {
        var texts: [[Int32]] = []
        for policies in [[.off, .off, .off], [.off, .dynamic, .chain], [.dynamic, .off, .dynamic]]
            as [[SpeculationPolicy]]
        {
            let chat = try Chat(draft: "grouped")
            var tokens: [Int32] = []
            for (index, policy) in policies.enumerated() {
                tokens += try await chat.ask("Question \(index)", policy, temperature: 0.7, tokens: 12).tokens
            }
            texts.append(tokens)
        }
        #expect(texts[0] == texts[1] && texts[0] == texts[2])
    }

    /// A penalty below one rewards repetition, so that the answer never ends by itself.
    private static var endless: GenerationOptions {
        var options = GenerationOptions()
        options.maximumTokens = 15_000
        options.sampler.repetitionPenalty = 0.01
        return options
    }

    @Test func `a stream that is dropped stops the answer and keeps the conversation`() async throws {
        let chat = try Chat(context: 20_000)
        // Dropped at once, by this very thread: a reader that waits for an event may be kept waiting by other tests.
        _ = chat.engine.ask("Tell me all", options: Self.endless)
        let report = try await chat.ask("And then?", tokens: 3)
        #expect(report.tokens.count == 3)
        #expect(report.promptTokens < 15_000)
    }

    @Test func `an answer stops in the round in which it is cancelled, and stays in the text`() throws {
        let cancellation = Cancellation()
        var options = EngineOptions()
        options.contextLength = 20_000
        let models = try LoadedModels(
            bundle: Golden("grouped").bundle(), options: options, emit: { _ in }, cancellation: cancellation)
        let conversation = Conversation(models: models)
        var rounds = 0
        var reports: [GenerationReport] = []
        let emit: ChatEngine.Emit = { event in
            if case .round = event { rounds += 1 }
            if case .finished(let report) = event { reports.append(report) }
            if rounds == 2 { cancellation.cancel() }
        }
        try conversation.ask("Tell me all", options: Self.endless, emit: emit, cancellation: cancellation)
        #expect(rounds == 2 && reports.map(\.finish) == [.cancelled] && reports[0].tokens.count == 2)
        var limited = GenerationOptions()
        limited.maximumTokens = 1
        try conversation.ask("And then?", options: limited, emit: emit, cancellation: Cancellation())
        #expect(try #require(reports.last).promptTokens > reports[0].contextUsed + 1)
    }

    @Test func `a system prompt is that of the next conversation, or of an empty one`() async throws {
        let chat = try Chat()
        let without = try await chat.ask("Hi", tokens: 5).promptTokens
        try await chat.setSystem("Be brief.")
        _ = try await chat.ask("Hi", tokens: 5)
        try await chat.clear()
        let with = try await chat.ask("Hi", tokens: 5)
        #expect(with.promptTokens > without)
        try await chat.clear()
        try await chat.setSystem(nil)
        #expect(try await chat.ask("Hi", tokens: 5).promptTokens == without)
        try await chat.clear()
        try await chat.setSystem("Be brief.")
        let again = try await chat.ask("Hi", tokens: 5)
        #expect(again.promptTokens == with.promptTokens && again.tokens == with.tokens)
    }

    @Test func `a picture is announced with what the model makes of it`() async throws {
        let chat = try Chat()
        let readings = try await chat.attach().compactMap { event in
            if case .picture(let reading) = event { reading } else { nil }
        }
        let reading = try #require(readings.first)
        #expect(readings.count == 1 && reading.width == reading.height && reading.tokens > 0)
    }

    @Test func `a question that does not fit changes nothing`() async throws {
        let chat = try Chat(context: 80)
        let before = try await chat.ask("Hi", tokens: 5)
        let long = String(repeating: "word ", count: 200)
        await #expect(throws: ChatError.self) { try await chat.ask(long) }
        let after = try await chat.ask("Hi", tokens: 5)
        #expect(after.promptTokens > before.contextUsed && after.promptTokens < 80)
    }

    @Test func `a full context ends the answer and says so`() async throws {
        let chat = try Chat(context: 48)
        let report = try await chat.ask("Hi", .off, temperature: 2, tokens: 500)
        #expect(report.finish == .contextFull || report.finish == .stop)
        #expect(report.contextUsed <= 48)
    }

    @Test func `a draft of another vocabulary is left out with a reason`() async throws {
        let folder = Golden.folder.path
        let bundle = try ModelBundle.open(
            model: "\(folder)/grouped/language.gguf", mmproj: nil,
            draft: "\(folder)/llama-vocab/ggml-vocab-llama-spm.gguf", draftProjector: nil)
        let engine = ChatEngine(bundle: bundle, options: EngineOptions())
        var notices: [String] = []
        for try await event in engine.load() {
            if case .notice(let notice) = event { notices.append(notice.text) }
        }
        #expect(notices.count == 1 && notices[0].hasPrefix("Going on without the draft"))
    }

    @Test func `clearing begins the same conversation again`() async throws {
        let chat = try Chat(draft: "theta")
        let first = try await chat.ask("Hello", .dynamic, temperature: 1, tokens: 10)
        _ = try await chat.ask("More", .dynamic, temperature: 1, tokens: 10)
        for try await _ in chat.engine.clear() {}
        let again = try await chat.ask("Hello", .dynamic, temperature: 1, tokens: 10)
        #expect(again.tokens == first.tokens && again.promptTokens == first.promptTokens)
    }
}
