// BenchTests.swift — the benchmark's arithmetic on runs whose figures are known, and the fairness of its grid.

import Engine
import Foundation
import Testing

@testable import specchat

@Suite struct `Bench arithmetic` {
    @Test(
        arguments: [([], 0), ([3], 3), ([4, 1], 2.5), ([9, 1, 2], 2), ([1, 2, 3, 100], 2.5)] as [([Double], Double)])
    func `takes the middle value`(values: [Double], middle: Double) {
        #expect(median(values) == middle)
    }

    private let chain = BenchVariant(speculation: .chain, draft: "small")

    /// Two conversations, three repeats; one slow moment in each variant that a median must not see.
    private func runs() -> BenchRuns {
        func run(_ decode: Double, tokens: [Int32] = [1, 2, 3, 4, 5, 6], rounds: Int) -> BenchRun {
            var run = BenchRun()
            (run.answers, run.rounds, run.drafted, run.accepted) = ([tokens], rounds, 10, 6 - rounds)
            (run.vision, run.prefill, run.decode, run.endToEnd) = (1, 1, decode, decode + 2)
            return run
        }
        var runs = BenchRuns(conversations: 2)
        for (conversation, times) in [[4.0, 40, 4], [2.0, 2, 2]].enumerated() {
            for time in times { runs.add(run(time, rounds: 6), of: .plain, conversation: conversation) }
        }
        for (conversation, times) in [[2.0, 2, 2], [1.0, 1, 10]].enumerated() {
            for time in times { runs.add(run(time, rounds: 2), of: chain, conversation: conversation) }
        }
        return runs
    }

    @Test func `divides sums of medians`() throws {
        let figures = try #require(runs().figures(of: chain))
        #expect(figures.decode == 3)
        #expect(figures.decodeSpeedup == 2)
        #expect(figures.endToEndSpeedup == 10.0 / 7)
        #expect(figures.acceptanceLength == 3)
        #expect(figures.acceptedPerRound == 2)
        #expect(figures.draftedPerRound == 5)
        #expect(figures.tokensPerSecond == 4)
        #expect(figures.decodeSpeedupRange == 0.5...14)
    }

    @Test func `gives plain decoding a speedup of one`() throws {
        let figures = try #require(runs().figures(of: .plain))
        #expect(figures.decodeSpeedup == 1)
        #expect(figures.acceptanceLength == 1)
    }

    @Test func `says what another temperature leaves of a speedup`() throws {
        var drawn = BenchRuns(conversations: 1)
        for (plain, own) in [(4.0, 2.5), (4.0, 5.0), (4.0, 2.5)] {
            for (variant, decode) in [(BenchVariant.plain, plain), (chain, own)] {
                var run = BenchRun()
                (run.answers, run.decode) = ([[1, 2]], decode)
                drawn.add(run, of: variant, conversation: 0)
            }
        }
        let share = BenchShare(
            of: try #require(drawn.figures(of: chain)), beside: try #require(runs().figures(of: chain)))
        #expect(share.share == 1.6 / 2)
        // Repeat by repeat the speedups are 1.6, 0.8 and 1.6 against 2, 14 and 0.5.
        #expect(share.range == 0.8 / 14...3.2)
    }

    @Test func `has no figures for what was not run`() {
        #expect(runs().figures(of: BenchVariant(speculation: .dynamic, draft: "small")) == nil)
        #expect(BenchRuns(conversations: 1).figures(of: .plain) == nil)
    }

    @Test func `counts every answer that differs from plain decoding's`() {
        var runs = runs()
        #expect(runs.equality == (compared: 10, different: 0))
        var other = BenchRun()
        other.answers = [[1, 2, 3, 4, 5, 7]]
        runs.add(other, of: chain, conversation: 1)
        #expect(runs.equality == (compared: 11, different: 1))
        other.answers = []
        runs.add(other, of: .plain, conversation: 0)
        #expect(runs.equality == (compared: 12, different: 2))
    }

    @Test func `measures every policy with every draft, and plain decoding once`() {
        #expect(
            BenchVariant.all(drafts: ["a", "b"]).map(\.name) == ["off", "chain a", "dynamic a", "chain b", "dynamic b"])
        #expect(BenchVariant.all(drafts: []) == [.plain])
        #expect(BenchVariant.all(drafts: ["a"], policies: [.dynamic]).map(\.name) == ["off", "dynamic a"])
    }

    @Test func `makes a result of runs, and closes several with what is left of the first`() throws {
        let results = [0, 1].map { temperature in
            BenchResult(
                model: "demo", temperature: temperature, variants: [.plain, chain], runs: runs(), byTurn: false)
        }
        #expect(results[0].conversations == 2 && results[0].answers == 2 && results[0].repeats == 3)
        #expect(results[0].compared == 10 && results[0].different == 0)
        #expect(results[0].turns.isEmpty)
        let one = BenchTemperatures(results: [results[0]]).text
        #expect(one == results[0].text)
        let lines = BenchTemperatures(results: results).text.split(separator: "\n").suffix(3)
        #expect(lines.first == "What is left of the speedup at temperature 0.0, and in the single repeats:")
        #expect(lines.last?.split(separator: " ") == ["chain", "small", "1.00", "(1.00-1.00)"])
    }

    @Test func `says in the table whether the answers are equal`() throws {
        let figures = try [BenchVariant.plain, chain].map { try #require(runs().figures(of: $0)) }
        func result(different: Int) -> BenchResult {
            BenchResult(
                model: "demo", backend: "cpu", threads: 2, temperature: 0, conversations: 2, answers: 2, repeats: 3,
                figures: figures, compared: 10, different: different)
        }
        let lines = result(different: 0).text.split(separator: "\n")
        #expect(
            lines.first == "demo, 2 conversations, 2 answers, temperature 0.0, 2 threads, cpu, 3 interleaved repeats")
        #expect(lines.contains { $0.hasPrefix("chain small") && $0.contains("2.00x  0.50-14.00") })
        #expect(lines.last == "All 10 answers are equal to plain decoding's, token for token.")
        #expect(result(different: 1).text.hasSuffix("1 of 10 answers DIFFER from plain decoding's.\n"))
        let json = try JSONText.line(BenchJSON(result: result(different: 0)))
        #expect(json.contains(#""decode_speedup":2"#))
        #expect(json.contains(#""draft":null"#))
    }
}

@Suite struct `Benchmark runs` {
    @Test func `time all temperatures in one run, each against plain decoding of its own`() throws {
        let options = [
            "bench", "--json", "--conversations", "2", "--rounds", "2", "--draft", "small", "--speculation", "chain",
            "--temperatures", "0", "1", "--max-tokens", "12", "--model", "Assets/demo",
        ]
        let result = try Program.run(options)
        #expect(result.status == 0 && result.errors.isEmpty)
        let reports = try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Report.self, from: Data($0.utf8))
        }
        #expect(reports.map(\.temperature) == [0, 1])
        for report in reports {
            #expect(report.variants.map(\.speculation) == ["off", "chain"])
            #expect(report.variants[0].tokens > 0 && report.variants[0].tokens == report.variants[1].tokens)
            #expect(report.variants.allSatisfy { $0.seconds.allSatisfy { $0.value >= 0 } && $0.seconds["decode"] != 0 })
            // Each answer of the two repeats of both ways, but for the first plain ones, which they are held against.
            #expect(report.repeats == 2 && report.compared == 3 * report.answers && report.different == 0)
        }
    }

    private struct Report: Decodable {
        struct Variant: Decodable {
            let speculation: String
            let tokens: Int
            let seconds: [String: Double]
        }
        let temperature: Float
        let repeats: Int
        let answers: Int
        let compared: Int
        let different: Int
        let variants: [Variant]
    }
}

@Suite struct `Lossless grid` {
    private let grid = LosslessGrid(prompts: 5, drafts: ["small", "medium"])

    @Test func `holds every combination once`() {
        #expect(grid.count == 5 * 3 * (2 * 2 * 6 * 2 + 1))
        let all = grid.cases(.max, seed: 1)
        #expect(all.count == grid.count)
        #expect(Set(all).count == grid.count)
    }

    @Test func `is sampled evenly along every axis`() {
        // Three packs of 49 ways; a card that comes to the same place again is passed over.
        let cases = grid.cases(147, seed: 7)
        #expect(Set(cases).count == 147)
        func counts<Key: Hashable>(_ key: (LosslessCase) -> Key) -> [Key: Int] {
            Dictionary(grouping: cases, by: key).mapValues(\.count)
        }
        #expect(counts(\.threads).values.allSatisfy { (69...78).contains($0) })
        #expect(counts(\.variant).count == 5)
        #expect(counts(\.variant).allSatisfy { ($0.key == .plain ? 2...4 : 33...39).contains($0.value) })
        #expect(counts(\.nodes).count == 6 && counts(\.nodes).values.allSatisfy { (21...29).contains($0) })
        #expect(counts(\.temperature).values.allSatisfy { (45...52).contains($0) })
        #expect(counts(\.prompt).count == 5)
    }

    @Test func `is the same for the same seed`() {
        #expect(grid.cases(50, seed: 3) == grid.cases(50, seed: 3))
        #expect(grid.cases(50, seed: 3) != grid.cases(50, seed: 4))
    }

    @Test func `without a draft holds plain decoding on more threads`() {
        let cases = LosslessGrid(prompts: 5, drafts: []).cases(100, seed: 0)
        #expect(cases.count == 15)
        #expect(cases.allSatisfy { $0.variant == .plain && $0.threads == 2 })
    }
}

@Suite struct `Bench prompts` {
    private func prompt(_ picture: String?, _ questions: String...) -> BenchPrompt {
        BenchPrompt(picture: picture, turns: questions.map(BenchPrompt.Turn.init))
    }

    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("prompts-\(UUID().uuidString).json")
            .path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `are read with their folder`() throws {
        let path = try file(
            #"{"prompts": [{"picture": "a.png", "turns": [{"question": "x", "kind": "k"}, {"question": "y"}]}, {"turns": [{"question": "z"}]}]}"#
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let prompts = try BenchPrompts.read(path: path)
        #expect(
            prompts.prompts == [
                prompt("a.png", "x", "y"), prompt(nil, "z"),
            ])
        #expect(prompts.folder.path == URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    @Test func `find their pictures beside them, or wherever a whole path says`() throws {
        let demo = Program.root.appendingPathComponent("Assets/demo")
        let prompts = BenchPrompts(prompts: [], folder: demo)
        let beside = try #require(try prompts.picture(of: prompt("prompts/scene-00.png", "x")))
        let elsewhere = BenchPrompts(prompts: [], folder: FileManager.default.temporaryDirectory)
        let whole = demo.appendingPathComponent("prompts/scene-00.png").path
        let placed = try #require(try elsewhere.picture(of: prompt(whole, "x")))
        #expect(beside.pixels == placed.pixels)
        #expect(throws: (any Error).self) { try elsewhere.picture(of: prompt("prompts/scene-00.png", "x")) }
    }

    @Test(arguments: ["", "[]", #"{"prompts": []}"#, #"{"prompts": [{"turns": []}]}"#])
    func `that hold nothing are refused`(text: String) throws {
        let path = try file(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: CommandFailure.self) { try BenchPrompts.read(path: path) }
    }

    @Test func `are sampled without repeats, in order, and always the same way`() {
        let all = BenchPrompts(prompts: (0..<60).map { prompt(nil, "\($0)") }, folder: URL(fileURLWithPath: "/"))
        let numbers = all.sample(20).prompts.compactMap { Int($0.questions[0]) }
        #expect(numbers.count == 20 && numbers == Set(numbers).sorted())
        #expect(all.sample(20).prompts == all.sample(20).prompts)
        // Questions come in cycles of three: a sample that kept in time with them would see one kind only.
        #expect(Set(numbers.map { $0 % 3 }).count == 3)
        #expect(all.sample(100).prompts.count == 60)
    }
}

@Suite struct `The cost table` {
    private func entry(_ model: String, _ rows: Int, _ seconds: [Double], after context: Int = 0) -> CostReport.Entry {
        CostReport.Entry(model: model, kind: .verify, rows: rows, context: context, seconds: seconds)
    }

    @Test func `gives medians, ratios to one row, and the chain that pays best`() {
        let report = CostReport(
            entries: [
                entry("target", 1, [0.1, 0.9, 0.1]), entry("target", 4, [0.2, 0.2, 0.1]),
                entry("target", 8, [0.8]), .init(model: "target", kind: .prompt, rows: 16, context: 0, seconds: [0.5]),
                entry("small", 1, [0.01]), entry("small", 4, [0.02]), entry("small", 8, [0.03]),
            ], backend: "cpu", threads: 1, load: 1.5)
        let text = CostTable(model: "m", report: report).text
        #expect(text.contains("m, 1 thread, cpu;"))
        #expect(text.contains("\n4     200.0 (2.00)\n8     800.0 (8.00)\n"))
        #expect(text.contains("\n16    500.0    32.0\n"))
        // Four nodes cost 0.2 + 3 x 0.01 and give 1 + .9 + .81 + .729 tokens; five would cost 0.35 + 0.04.
        #expect(text.contains("\n0.9         4, 1.50x\n"))
        // One row more costs a third of the way to 0.2; at one half even two nodes bring 1.5 tokens for 1.43 times the time.
        #expect(text.contains("\n0.5         2, 1.05x\n"))
    }

    @Test func `says nothing of chains without a draft`() {
        let report = CostReport(entries: [entry("target", 1, [0.1])], backend: "cpu", threads: 2, load: 0)
        let text = CostTable(model: "m", report: report).text
        #expect(!text.contains("Chains"))
        #expect(text.contains("2 threads"))
    }
}

@Suite struct `Requests for costs` {
    private let small = #"{"contexts":[3],"rows":[1,2],"prompts":[5],"repeats":2,"picture":false,"warmsUp":false}"#

    @Test func `are answered line by line, each with what it asked for`() throws {
        let picture = #"{"contexts":[],"rows":[],"prompts":[],"repeats":3,"picture":true,"warmsUp":true}"#
        let result = try Program.run(
            ["bench", "--costs", "--requests", "--draft", "none"] + Program.model, input: "\(small)\n\(picture)\n")
        #expect(result.status == 0 && result.errors.isEmpty)
        let answers = try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
        }
        #expect(answers.count == 2)
        #expect(answers.first?.entries.map(\.rows) == [1, 2, 5])
        #expect(answers.first?.entries.map(\.context) == [3, 3, 0])
        #expect(answers.first?.entries.allSatisfy { $0.seconds.count == 2 } == true)
        #expect(answers.first?.picture.isEmpty == true)
        #expect(answers.last?.entries.isEmpty == true && answers.last?.picture.count == 3)
    }

    @Test(arguments: [
        "", "{}", #"{"contexts":[-1],"rows":[1],"prompts":[],"repeats":1,"picture":false,"warmsUp":true}"#,
    ])
    func `that make no sense end the program with a sentence`(line: String) throws {
        #expect(throws: CommandFailure.self) { try CostRequests.request(line) }
        let result = try Program.run(
            ["bench", "--costs", "--requests", "--draft", "none"] + Program.model, input: "\(small)\n\(line)\n")
        #expect(result.status == 2)
        #expect(result.errors.contains("a line that is no request: "))
        #expect(result.output.hasPrefix("{"))
    }

    private struct Answer: Decodable {
        struct Entry: Decodable {
            let rows: Int
            let context: Int
            let seconds: [Double]
        }
        let entries: [Entry]
        let picture: [Double]
    }
}
