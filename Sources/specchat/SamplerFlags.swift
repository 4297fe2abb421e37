// SamplerFlags.swift — the options about how tokens are chosen, and how many. Shared by the commands that answer.

import ArgumentParser
import Engine

struct SamplerFlags: ParsableArguments {
    // Values are taken as they come, so that "-1" is refused for what it is rather than taken for an option.

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("0 takes the likeliest token each time; higher varies more.", valueName: "t"))
    var temperature: Float = 0

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Choose among the k likeliest tokens; 0 for all.", valueName: "k"))
    var topK = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Choose among the fewest tokens that reach this probability.", valueName: "p"))
    var topP: Float = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Choose among tokens at least this fraction as likely as the likeliest.", valueName: "p"))
    var minP: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Make tokens that the text already holds less likely; 1 for no change.", valueName: "r"))
    var repetitionPenalty: Float = 1

    @Option(parsing: .unconditional, help: ArgumentHelp("The same seed gives the same answer.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: ArgumentHelp("The longest an answer may become, in tokens.", valueName: "n"))
    var maxTokens = 512

    func validate() throws {
        // Written so that NaN fails as well.
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature must be 0 or more; 0.7 is usual")
        }
        guard topK >= 0 else { throw ValidationError("--top-k must be 0 (all tokens) or more") }
        guard (0...1).contains(topP) else { throw ValidationError("--top-p must be between 0 and 1") }
        guard (0...1).contains(minP) else { throw ValidationError("--min-p must be between 0 and 1") }
        guard repetitionPenalty > 0, repetitionPenalty.isFinite else {
            throw ValidationError("--repetition-penalty must be above 0; 1 changes nothing")
        }
        guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more") }
    }

    var options: SamplerOptions {
        var options = SamplerOptions()
        options.temperature = temperature
        options.topK = topK
        options.topP = topP
        options.minP = minP
        options.repetitionPenalty = repetitionPenalty
        options.seed = seed
        return options
    }
}
