// OutputTests.swift — what is printed: fit for a terminal, and under the names that scripts rely on.

import ArgumentParser
import Foundation
import Testing

@testable import Engine
@testable import specchat

@Suite struct `Output` {
    static func report() -> GenerationReport {
        var seconds = GenerationReport.Seconds()
        (seconds.load, seconds.vision, seconds.prefill, seconds.decode) = (0.5, 0.25, 0.125, 2)
        return GenerationReport(
            text: "A red\u{9B}31m \u{1B}[2J square.", tokens: [5, 6, 7, 2], promptTokens: 70, rounds: 2, drafted: 6,
            accepted: 2,
            seconds: seconds, finish: .stop, speculation: "dynamic", draft: "small", seed: 3, temperature: 0.7,
            threads: 2,
            backend: "cpu", contextUsed: 74, contextLimit: 512)
    }

    private func object(_ report: GenerationReport) throws -> [String: Any] {
        let line = try JSONText.line(AnswerJSON(report: report))
        return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func `of ask --json has exactly the promised names`() throws {
        let names: Set = [
            "text", "tokens", "prompt_tokens", "rounds", "drafted", "accepted", "acceptance_length",
            "tokens_per_second",
            "seconds", "speculation", "draft", "seed", "temperature", "threads", "backend", "lookup",
            "draft_rested_rounds",
        ]
        let answer = try object(Self.report())
        #expect(Set(answer.keys) == names)
        #expect(Set((answer["seconds"] as? [String: Any] ?? [:]).keys) == ["load", "vision", "prefill", "decode"])
        #expect(answer["acceptance_length"] as? Double == 2)
        #expect(answer["tokens_per_second"] as? Double == 2)
        #expect(answer["tokens"] as? [Int] == [5, 6, 7, 2])
        #expect(answer["text"] as? String == Self.report().text)
    }

    @Test func `of ask --json names the draft even when there is none`() throws {
        var report = Self.report()
        report.draft = nil
        #expect(try object(report)["draft"] is NSNull)
    }

    @Test func `in JSON writes a temperature as it was typed`() throws {
        #expect(try JSONText.line(AnswerJSON(report: Self.report())).contains("\"temperature\":0.7,"))
    }

    @Test func `in JSON holds no control character, of eight bits neither`() throws {
        let line = try JSONText.line(AnswerJSON(report: Self.report()))
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
    }

    @Test(arguments: [
        ("plain text, ünïcode 日本 👍🏽", "plain text, ünïcode 日本 👍🏽"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\u{1B}[31mred", "␛[31mred"),
        ("bell\u{7}, null\0, delete\u{7F}", "bell␇, null␀, delete␡"),
        ("carriage\r\nreturn\r", "carriage␍\nreturn␍"),
        ("\u{9B}31m\u{85}", "\u{FFFD}31m\u{FFFD}"),
        ("\u{202E}backwards", "\u{FFFD}backwards"),
    ])
    func `shows control characters instead of sending them`(text: String, shown: String) {
        #expect(harmless(text) == shown)
    }

    @Test func `stands in columns`() {
        #expect(
            aligned([["", "tok/s"], ["off", "9"], ["chain small", "10"]]) == [
                "             tok/s", "off              9", "chain small     10",
            ])
    }

    @Test func `of statistics tells the whole story in four lines`() {
        let expected = """
            tokens       4 (ended by the model) after 70 of prompt; context 74 of 512
            rounds       2, 2.00 tokens each; 2 of 6 drafted tokens accepted
            seconds      load 0.500, vision 0.250, prefill 0.125, decode 2.000 (2.0 tokens/s)
            settings     speculation dynamic, draft small, temperature 0.7, seed 3, 2 threads, cpu

            """
        #expect(AnswerStatistics(Self.report()).text == expected)
    }

    @Test func `of scores keeps tokens, logarithms and candidates together`() throws {
        let scores = [
            TokenScore(
                token: 4, logProbability: -0.5,
                best: [.init(token: 4, logProbability: -0.5), .init(token: 9, logProbability: -2)], logits: nil)
        ]
        #expect(
            try JSONText.line(ScoresJSON(scores: scores))
                == #"{"best":[[[4,-0.5],[9,-2]]],"logprobs":[-0.5],"tokens":[4]}"#)
    }
}

@Suite struct `Exit statuses` {
    @Test func `are those of the contract`() {
        #expect(ProgramStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 130, 143])
    }

    @Test func `tell models from pictures from everything else`() {
        #expect(ProgramStatus(of: ImageError.empty(path: "x")) == .image)
        #expect(ProgramStatus(of: ChatError.noVision(model: "x")) == .model)
        #expect(ProgramStatus(of: ChatError.beyondWindow(model: "x", asked: 2, window: 1)) == .usage)
        #expect(ProgramStatus(of: ChatError.contextFull(needed: 2, free: 1, limit: 3)) == .failure)
        #expect(ProgramStatus(of: TraceError.notATrace(path: "x")) == .failure)
        #expect(ProgramStatus(of: CommandFailure(.interrupted, "")) == .interrupted)
        #expect(ProgramStatus(of: CancellationError()) == .failure)
    }

    @Test(arguments: ProgramStatus.allCases)
    func `are in the help`(status: ProgramStatus) {
        let help = Specchat.helpMessage(columns: 200)
        #expect(help.contains("\(status.rawValue)\t\(status.meaning)"))
    }
}
