// AnswerStatistics.swift — what `--stats` says about an answer.

import Engine

struct AnswerStatistics {
    private let report: GenerationReport

    init(_ report: GenerationReport) { self.report = report }

    var text: String {
        [tokens, rounds, seconds, settings].map { $0 + "\n" }.joined()
    }

    private var tokens: String {
        let ending =
            switch report.finish {
            case .stop: "ended by the model"
            case .limit: "cut by --max-tokens"
            case .contextFull: "cut by the full context"
            case .cancelled: "stopped"
            }
        return "tokens       \(report.tokens.count) (\(ending)) after \(report.promptTokens) of prompt; "
            + "context \(report.contextUsed) of \(report.contextLimit)"
    }

    private var rounds: String {
        "rounds       \(report.rounds), \(decimal(report.acceptanceLength, 2)) tokens each; "
            + "\(report.accepted) of \(report.drafted) drafted tokens accepted"
            + (report.lookup.drafted > 0
                ? "; looked up \(report.lookup.drafted), accepted \(report.lookup.accepted)" : "")
            + (report.draftRested > 0
                ? "; the draft did not pay and was off in \(report.draftRested) rounds" : "")
    }

    private var seconds: String {
        let seconds = report.seconds
        let parts = [
            ("load", seconds.load), ("vision", seconds.vision), ("prefill", seconds.prefill),
            ("decode", seconds.decode),
        ]
        return "seconds      " + parts.map { "\($0.0) \(decimal($0.1, 3))" }.joined(separator: ", ")
            + " (\(decimal(report.tokensPerSecond, 1)) tokens/s)"
    }

    private var settings: String {
        "settings     speculation \(report.speculation), draft \(report.draft ?? "none"), temperature \(report.temperature), "
            + "seed \(report.seed), \(report.threads) \(report.threads == 1 ? "thread" : "threads"), \(report.backend)"
    }
}
