// GenerationOptions.swift — what the user may choose about an answer. None of it but the sampler can change the text.

/// How the next token is chosen (Rule 1 of the decoding contract).
public struct SamplerOptions: Sendable, Equatable, Codable {
    /// 0 is greedy.
    public var temperature: Float = 0
    /// Only the k likeliest tokens; 0 keeps all.
    public var topK = 0
    /// The fewest tokens whose probability reaches this; 1 keeps all.
    public var topP: Float = 1
    /// Only tokens at least this fraction as likely as the likeliest; 0 keeps all.
    public var minP: Float = 0
    /// Divides positive and multiplies negative logits of tokens already in the text; 1 leaves them alone.
    public var repetitionPenalty: Float = 1
    public var seed: UInt64 = 0

    public init() {}
}

public enum SpeculationPolicy: String, Sendable, Equatable, Codable, CaseIterable {
    /// Plain decoding: a tree that is only its root.
    case off
    /// One path (Leviathan 2023, Chen 2023).
    case chain
    /// Spec-LLaVA's tree with pruning, sized by the cost model.
    case dynamic
}

public struct SpeculationOptions: Sendable, Equatable, Codable {
    public var policy: SpeculationPolicy = .dynamic
    /// Nodes of every tree, the root included; absent lets the cost model choose.
    public var nodes: Int?
    public var maximumDepth = 8
    /// Children of one node at most.
    public var maximumBranch = 4
    /// A node's children are the fewest tokens whose draft probability reaches this.
    public var confidence: Float = 0.9
    /// Nodes of a level that are expanded.
    public var beam = 4

    public init() {}
}

public struct GenerationOptions: Sendable, Equatable {
    public var sampler = SamplerOptions()
    public var speculation = SpeculationOptions()
    public var maximumTokens = 512
    /// Whether rounds say what the target thought of every node (`SpeculationRound.inspection`). The text does not depend
    /// on it, and no measured time holds what it takes.
    public var inspectsNodes = false
    /// Seconds that every round is left standing before the next one begins, for the eye; 0 waits for nothing. No
    /// measured time holds any of it.
    public var pace = 0.0

    /// Seconds; a longer pace counts as this one.
    public static let longestPace = 3600.0

    public init() {}
}
