// AnswerJSON.swift — what `--json` prints. The names are a contract with whoever reads them.

import Engine
import Foundation

/// The facts of one answer, as `specchat ask --json` names them.
struct AnswerJSON: Encodable {
    let report: GenerationReport

    enum CodingKeys: String, CodingKey {
        case text, tokens, rounds, drafted, accepted, seconds, speculation, draft, seed, temperature, threads, backend
        case promptTokens = "prompt_tokens"
        case lookup
        case draftRested = "draft_rested_rounds"
        case acceptanceLength = "acceptance_length"
        case tokensPerSecond = "tokens_per_second"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(report.text, forKey: .text)
        try container.encode(report.tokens, forKey: .tokens)
        try container.encode(report.promptTokens, forKey: .promptTokens)
        try container.encode(report.rounds, forKey: .rounds)
        try container.encode(report.drafted, forKey: .drafted)
        try container.encode(report.accepted, forKey: .accepted)
        try container.encode(report.lookup, forKey: .lookup)
        try container.encode(report.draftRested, forKey: .draftRested)
        try container.encode(report.acceptanceLength, forKey: .acceptanceLength)
        try container.encode(report.tokensPerSecond, forKey: .tokensPerSecond)
        try container.encode(report.seconds, forKey: .seconds)
        try container.encode(report.speculation, forKey: .speculation)
        // Written as null when there is none: a key that is sometimes missing is a trap for scripts.
        try container.encode(report.draft, forKey: .draft)
        try container.encode(report.seed, forKey: .seed)
        try container.encode(report.temperature, forKey: .temperature)
        try container.encode(report.threads, forKey: .threads)
        try container.encode(report.backend, forKey: .backend)
    }
}

enum JSONText {
    /// `value` as one line, keys in alphabetical order.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return harmlessJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
