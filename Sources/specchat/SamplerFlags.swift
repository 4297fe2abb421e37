// SamplerFlags.swift — the options about how tokens are chosen, and how many. Shared by the commands that answer.

import ArgumentParser
import Engine

struct SamplerFlags: ParsableArguments {
    // Values are taken as they come, so that "-1" is refused for what it is rather than taken for an option. None has a
    // default here: what is not given comes from the settings.

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("0 takes the likeliest token each time; higher varies more.", valueName: "t"))
    var temperature: Float?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Choose among the k likeliest tokens; 0 for all.", valueName: "k"))
    var topK: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Choose among the fewest tokens that reach this probability.", valueName: "p"))
    var topP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Choose among tokens at least this fraction as likely as the likeliest.", valueName: "p"))
    var minP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Make tokens that the text already holds less likely; 1 for no change.", valueName: "r"))
    var repetitionPenalty: Float?

    @Option(parsing: .unconditional, help: ArgumentHelp("The same seed gives the same answer.", valueName: "n"))
    var seed: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The longest an answer may become, in tokens; default: 512.", valueName: "n"))
    var maxTokens: Int?

    func validate() throws { try SettingEntry.check(entries) }

    var entries: [SettingEntry] {
        let numbers: [(SettingKey, Float?)] = [
            (.temperature, temperature), (.topP, topP), (.minP, minP), (.repetitionPenalty, repetitionPenalty),
        ]
        let integers: [(SettingKey, Int?)] = [(.topK, topK), (.maxTokens, maxTokens)]
        return numbers.flatMap { SettingEntry.flag($0, $1.map { .number(Double($0)) }) }
            + integers.flatMap { SettingEntry.flag($0, $1.map { .integer($0) }) }
            + SettingEntry.flag(.seed, seed.map { .text(String($0)) })
    }
}
