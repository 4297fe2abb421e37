// LosslessRunner.swift — decodes the cases of a LosslessGrid and holds every answer against plain decoding's.

import Engine
import Foundation

struct LosslessResult: Sendable, Encodable {
    /// Conversations compared, and the answers and tokens in them.
    var cases = 0
    var answers = 0
    var tokens = 0
    var differing: [String] = []
    /// Cases by what they vary, such as "temperature 0.7".
    var coverage: [String: Int] = [:]
    /// Tokens of the largest tree that was drafted, without its root.
    var rounds = 0
    var accepted = 0

    var text: String {
        let axes = coverage.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }
            .map { "  \($0.key): \($0.value)" }
        let verdict = differing.isEmpty ? "None differs." : "\(differing.count) DIFFER:"
        return
            ([
                "\(cases) cases compared with plain decoding: \(answers) answers, \(tokens) tokens, \(rounds) rounds, "
                    + "\(accepted) accepted drafts. \(verdict)"
            ] + differing.map { "  " + $0 } + ["Cases by axis:"] + axes)
            .map { $0 + "\n" }.joined()
    }
}

/// Keeps one engine for each number of threads and each draft, and plain decoding's answers.
struct LosslessRunner {
    private struct Key: Hashable { let threads: Int; let draft: String? }
    private struct Place: Hashable { let prompt: Int; let temperature: Float }

    let settings: Settings
    let conversations: [BenchConversation]
    let maximumTokens: Int
    private var engines: [Key: ChatEngine] = [:]
    private var truths: [Place: [[Int32]]] = [:]

    init(settings: Settings, conversations: [BenchConversation], maximumTokens: Int) {
        self.settings = settings
        self.conversations = conversations
        self.maximumTokens = maximumTokens
    }

    mutating func run(_ cases: [LosslessCase], progress: (Int) -> Void) async throws -> LosslessResult {
        var result = LosslessResult()
        for (number, one) in cases.enumerated() {
            progress(number)
            let truth = try await truth(of: one)
            let speculation = speculation(one.variant.speculation, nodes: one.nodes)
            let run = try await decode(one, with: one.variant.draft, threads: one.threads, speculation)
            result.cases += 1
            result.answers += truth.count
            result.tokens += truth.reduce(0) { $0 + $1.count }
            result.rounds += run.rounds
            result.accepted += run.accepted
            for axis in one.axes { result.coverage[axis, default: 0] += 1 }
            if run.answers != truth { result.differing.append(one.description) }
        }
        return result
    }

    /// Plain decoding's answers, with one thread and no draft in sight.
    private mutating func truth(of one: LosslessCase) async throws -> [[Int32]] {
        let place = Place(prompt: one.prompt, temperature: one.temperature)
        if let truth = truths[place] { return truth }
        let truth = try await decode(one, with: nil, threads: 1, speculation(.off, nodes: nil)).answers
        truths[place] = truth
        return truth
    }

    private func speculation(_ policy: SpeculationPolicy, nodes: Int?) -> SpeculationOptions {
        var options = SpeculationOptions()
        options.policy = policy
        options.nodes = nodes
        return options
    }

    private mutating func decode(
        _ one: LosslessCase, with draft: String?, threads: Int, _ speculation: SpeculationOptions
    ) async throws -> BenchRun {
        var options = GenerationOptions()
        options.sampler.temperature = one.temperature
        options.sampler.seed = UInt64(one.prompt) &* 1_000_003 &+ 1
        options.speculation = speculation
        options.maximumTokens = maximumTokens
        return try await conversations[one.prompt].run(
            on: engine(Key(threads: threads, draft: draft)), options: options)
    }

    private mutating func engine(_ key: Key) throws -> ChatEngine {
        if let engine = engines[key] { return engine }
        var opened = try settings.openModel(draft: key.draft ?? "none")
        opened.options.threads = key.threads
        let engine = opened.makeEngine()
        engines[key] = engine
        return engine
    }
}

extension LosslessCase: CustomStringConvertible {
    private var size: String { nodes.map { "nodes \($0)" } ?? "nodes by cost" }

    var description: String {
        "prompt \(prompt), temperature \(temperature), \(variant.name), \(size), threads \(threads)"
    }

    /// What the case varies, by name.
    var axes: [String] { ["temperature \(temperature)", variant.name, size, "threads \(threads)"] }
}
