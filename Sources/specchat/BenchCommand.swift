// BenchCommand.swift — `specchat bench`: plain decoding against every policy and draft, on this machine, with its proof.

import ArgumentParser
import Engine
import Foundation

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speculation against plain decoding, and check that the answers are equal.",
        discussion: """
            Every conversation is decoded without speculation and with every policy and draft, in turns, several times. \
            Times are medians over the repeats, summed over the conversations; a speedup is plain decoding's time over \
            the other's. Ends with status 1 when an answer differs. Each way loads the model for itself; packed weights \
            are shared where they are kept on disk. Of a large model measure one --draft and one --speculation at a time.

            EXAMPLES:
              specchat bench
              specchat bench --quick --draft small
              specchat bench --temperature 0.7 --rounds 5 --json
              specchat bench --temperatures 0 1 --draft small
              specchat bench --lossless --cases 500
              specchat bench --by-turn --draft small+lookup
              specchat bench --costs --contexts 0 640
            """)

    @Option(parsing: .unconditional, help: ArgumentHelp("Repeats of every conversation.", valueName: "n"))
    var rounds = 3

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Conversations, a fixed sample of the prompts; default: 40, or all with --lossless.", valueName: "n"))
    var conversations: Int?

    @Option(
        help: ArgumentHelp("The conversations: a JSON file; default: the model's own.", valueName: "file"),
        completion: .file())
    var prompts: String?

    @Flag(help: "Eight conversations, one repeat.")
    var quick = false

    @Flag(help: "Add what every turn of the conversations brought: tokens per round and per second.")
    var byTurn = false

    @Flag(help: "Time nothing; compare a grid of settings with plain decoding.")
    var lossless = false

    @Flag(
        help: "Time passes of each model by rows and by length of the text, and say which trees they make worth while.")
    var costs = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Lengths of the text for --costs; default: 0 640 2048.", valueName: "n"))
    var contexts: [Int] = []

    @Flag(
        help: "With --costs: time what each line of the standard input asks for, a JSON object; answer with another.")
    var requests = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Cases of the grid for --lossless; 0 for all of them.", valueName: "n"))
    var cases = 2400

    @Option(help: "Time only this policy, chain or dynamic, beside plain decoding; default: both.")
    var speculation: SpeculationPolicy?

    @Option(parsing: .unconditional, help: ArgumentHelp("Give every draft tree this many nodes.", valueName: "n"))
    var nodes: Int?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Measure at each of these temperatures in turns, and say what each leaves of the first one's speedups.",
            valueName: "t"))
    var temperatures: [Float] = []

    @Flag(help: "Print a JSON object in place of each table.")
    var json = false

    @OptionGroup(title: "Choosing tokens") var sampler: SamplerFlags
    @OptionGroup(title: "Model and machine") var model: ModelOptions

    func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds must be 1 or more") }
        guard conversations.map({ $0 >= 1 }) ?? true else { throw ValidationError("--conversations must be 1 or more") }
        guard cases >= 0 else { throw ValidationError("--cases must be 0 (all) or more") }
        guard contexts.allSatisfy({ (0...1_000_000).contains($0) }) else {
            throw ValidationError("--contexts must be from 0 to 1000000")
        }
        guard costs || contexts.isEmpty else { throw ValidationError("--contexts goes with --costs") }
        guard costs || !requests else { throw ValidationError("--requests goes with --costs") }
        guard !requests || contexts.isEmpty else {
            throw ValidationError("with --requests each request says its own contexts: leave --contexts out")
        }
        guard !byTurn || !(costs || lossless || json) else {
            throw ValidationError("--by-turn adds to the table, which --costs, --lossless and --json do not print")
        }
        guard speculation != .off else {
            throw ValidationError("--speculation off is what the others are held against: choose chain or dynamic")
        }
        guard speculation == nil || !(costs || lossless) else {
            throw ValidationError("--speculation chooses what is timed; --costs and --lossless take every policy")
        }
        guard temperatures.isEmpty || sampler.temperature == nil else {
            throw ValidationError("--temperature and --temperatures say the same: choose one")
        }
        guard temperatures.isEmpty || !(costs || lossless) else {
            throw ValidationError("--temperatures chooses what is timed; --costs and --lossless choose for themselves")
        }
        for (index, temperature) in temperatures.enumerated() {
            guard !temperatures[..<index].contains(temperature) else {
                throw ValidationError("--temperatures names \(temperature) twice")
            }
            try SettingEntry.check(SettingEntry.flag(.temperature, .number(Double(temperature))))
        }
        guard !(costs && lossless) else {
            throw ValidationError("--costs and --lossless are two benchmarks: choose one")
        }
        try SettingEntry.check(SettingEntry.flag(.nodes, nodes.map { .integer($0) }))
    }

    func run() async throws {
        let settings = try benchSettings()
        let opened = try settings.openModel()
        guard !costs else { return try await measureCosts(opened) }
        let prompts = try BenchPrompts.read(
            path: self.prompts ?? Self.promptsPath(opened.bundle))
        // Without a choice all drafts are measured; with one, only that.
        let drafts =
            if let draft = settings.draft {
                draft == "none" ? [] : [draft]
            } else {
                [ModelBundle.lookup] + opened.bundle.drafts.flatMap { [$0.name, "\($0.name)+\(ModelBundle.lookup)"] }
            }
        let isEqual = try await untilStopped {
            lossless
                ? try await compare(prompts, drafts: drafts, settings)
                : try await measure(opened, prompts, drafts: drafts, settings)
        }
        if !isEqual { throw ExitCode(ProgramStatus.failure.rawValue) }
    }

    /// Settings say which model and how much of the machine, as everywhere. How tokens are chosen and drafted is what is
    /// measured here, so only flags may say that: a figure must not depend on a line in someone's file that is not
    /// printed with it.
    private func benchSettings() throws(SettingsError) -> Settings {
        var settings = try Settings.resolved(
            flags: sampler.entries + SettingEntry.flag(.nodes, nodes.map { .integer($0) }) + model.entries)
        let aside = SettingKey.all.filter { key in
            guard ["sampling", "speculation"].contains(key.table) else { return false }
            return ![.builtIn, .commandLine].contains(settings.place(of: key))
        }
        if !aside.isEmpty {
            let list = aside.map { "\($0.name) (\(settings.place(of: $0)))" }.joined(separator: ", ")
            TextOutput.complain("bench measures with its own settings and leaves these aside: \(list). Flags count.")
        }
        settings.forget(aside)
        return settings
    }

    /// The prompts that a bundle brings along.
    private static func promptsPath(_ bundle: ModelBundle) -> String {
        bundle.target.deletingLastPathComponent().appending(path: BenchPrompts.fileName).path
    }

    // MARK: Costs

    private func measureCosts(_ opened: OpenModel) async throws {
        var request = CostRequest()
        if !contexts.isEmpty { request.contexts = contexts }
        request.repeats = rounds
        let engine = opened.makeEngine()
        guard !requests else { return try await untilStopped { try await CostRequests(engine: engine).answer() } }
        let report = try await untilStopped { [request] in
            try await follow(engine.load())
            return try await engine.measureCosts(request) { step in
                if TextOutput.errors.isTerminal { try? TextOutput.errors.line(step) }
            }
        }
        try json
            ? TextOutput.standard.line(JSONText.line(report))
            : TextOutput.standard.write(CostTable(model: opened.bundle.name, report: report).text)
    }

    // MARK: Timing

    private func measure(
        _ opened: OpenModel, _ prompts: BenchPrompts, drafts: [String], _ settings: Settings
    ) async throws -> Bool {
        let chosen = prompts.sample(conversations ?? (quick ? 8 : 40))
        let talks = try chosen.prompts.map { try BenchConversation($0, in: chosen) }
        let variants = BenchVariant.all(drafts: drafts, policies: speculation.map { [$0] } ?? [.chain, .dynamic])
        let temperatures = temperatures.isEmpty ? [settings.generation.sampler.temperature] : temperatures
        let timing = try await BenchTiming(talks, variants, temperatures: temperatures, settings: settings)
        let runs = try await timing.run(repeats: quick ? 1 : rounds, progress: report)
        let results = temperatures.compactMap { temperature in
            runs[temperature].map {
                BenchResult(
                    model: opened.bundle.name, temperature: temperature, variants: variants, runs: $0, byTurn: byTurn)
            }
        }
        try json
            ? results.forEach { try TextOutput.standard.line(JSONText.line(BenchJSON(result: $0))) }
            : TextOutput.standard.write(BenchTemperatures(results: results).text)
        return results.allSatisfy { $0.different == 0 }
    }

    // MARK: Equality

    private func compare(_ prompts: BenchPrompts, drafts: [String], _ settings: Settings) async throws -> Bool {
        let chosen = prompts.sample(conversations ?? prompts.prompts.count)
        let grid = LosslessGrid(prompts: chosen.prompts.count, drafts: drafts)
        let sample = grid.cases(cases == 0 ? grid.count : cases, seed: settings.generation.sampler.seed)
        var runner = LosslessRunner(
            settings: settings, conversations: try chosen.prompts.map { try BenchConversation($0, in: chosen) },
            maximumTokens: settings.generation.maximumTokens)
        let result = try await runner.run(sample) { done in
            if done % 100 == 0 { report("\(done) of \(sample.count) cases (the whole grid has \(grid.count))") }
        }
        try json ? TextOutput.standard.line(JSONText.line(result)) : TextOutput.standard.write(result.text)
        return result.differing.isEmpty
    }

    /// Says how far it has come to whoever watches.
    private func report(_ progress: String) {
        if TextOutput.errors.isTerminal { try? TextOutput.errors.line(progress) }
    }
}
