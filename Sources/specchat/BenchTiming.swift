// BenchTiming.swift — the benchmark's timed part: every way to decode answers every question, in turns.

import Engine

/// A variant at a temperature.
struct BenchWay: Hashable, Sendable {
    let variant: BenchVariant
    let temperature: Float
}

/// All ways hold every conversation side by side: each question is answered by all of them before the next is asked. A machine
/// whose speed changes within minutes so changes for all of them alike.
struct BenchTiming {
    let conversations: [BenchConversation]
    let ways: [BenchWay]
    /// One for each way, because each has a conversation under way. They map the same packed weights, unless those are not
    /// kept on disk. Plain decoding's has no draft, which would read the prompts too and count against it.
    private let engines: [ChatEngine]
    private let options: [GenerationOptions]

    /// Loads the model and its drafts for every way, and lets each answer once: pages and curves come to life before the clock
    /// starts.
    init(
        _ conversations: [BenchConversation], _ variants: [BenchVariant], temperatures: [Float], settings: Settings
    ) async throws {
        self.conversations = conversations
        ways = temperatures.flatMap { temperature in
            variants.map { BenchWay(variant: $0, temperature: temperature) }
        }
        options = ways.map(settings.generation.running)
        engines = try ways.map { try settings.openModel(draft: $0.variant.draft ?? "none").makeEngine() }
        for (engine, options) in zip(engines, options) {
            try await follow(engine.load())
            _ = try await conversations[0].opening.run(on: engine, options: options)
        }
    }

    /// The runs by temperature.
    func run(repeats: Int, progress: (String) -> Void) async throws -> [Float: BenchRuns] {
        var runs: [Float: BenchRuns] = [:]
        for repetition in 0..<repeats {
            for (index, conversation) in conversations.enumerated() {
                progress("repeat \(repetition + 1) of \(repeats), conversation \(index + 1) of \(conversations.count)")
                for (way, run) in zip(ways, try await hold(conversation, from: index + repetition)) {
                    runs[way.temperature, default: BenchRuns(conversations: conversations.count)]
                        .add(run, of: way.variant, conversation: index)
                }
            }
        }
        return runs
    }

    /// One conversation held by every way. The order turns with every question, so that no way always comes first.
    private func hold(_ conversation: BenchConversation, from first: Int) async throws -> [BenchRun] {
        var talks = zip(engines, options).map(BenchTalk.init)
        func order(_ turn: Int) -> [Int] { ways.indices.map { ($0 + first + turn) % ways.count } }
        for way in order(0) { try await talks[way].begin(conversation) }
        for (turn, question) in conversation.questions.enumerated() {
            for way in order(turn) { try await talks[way].ask(question) }
        }
        return talks.map(\.run)
    }
}

extension GenerationOptions {
    /// The same with the way's drafting and temperature.
    fileprivate func running(_ way: BenchWay) -> GenerationOptions {
        var options = self
        options.sampler.temperature = way.temperature
        options.speculation.policy = way.variant.speculation
        if way.variant.speculation == .off { options.speculation.nodes = nil }
        return options
    }
}
