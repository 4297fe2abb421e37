// LosslessGrid.swift — the cases in which speculation must give plain decoding's tokens, and a fair sample of them.

import Engine

/// One way to speculate that is held against plain decoding.
struct LosslessCase: Hashable, Sendable {
    let prompt: Int
    let temperature: Float
    let variant: BenchVariant
    /// Nodes of every tree, the root included; nil leaves the size to the cost model.
    let nodes: Int?
    let threads: Int
}

/// Every combination of the axes, or as many as are asked for.
struct LosslessGrid: Sendable {
    static let temperatures: [Float] = [0, 0.7, 1]
    static let nodes: [Int?] = [1, 4, 8, 16, 32, nil]
    static let threads = [1, 2]

    let prompts: Int
    let drafts: [String]

    /// The ways to decode a prompt at a temperature: policy, draft, tree size and threads; and plain decoding on more
    /// threads than its truth has.
    private var ways: [(variant: BenchVariant, nodes: Int?, threads: Int)] {
        BenchVariant.all(drafts: drafts).filter { $0 != .plain }.flatMap { variant in
            Self.nodes.flatMap { nodes in Self.threads.map { (variant, nodes, $0) } }
        } + Self.threads.filter { $0 > 1 }.map { (.plain, nil, $0) }
    }

    /// Size of the whole grid.
    var count: Int { prompts * Self.temperatures.count * ways.count }

    /// `wanted` cases, or all: every prompt at every temperature gets its share, and the ways to speculate are dealt
    /// like shuffled packs of cards, so that each occurs about equally often.
    func cases(_ wanted: Int, seed: UInt64) -> [LosslessCase] {
        let ways = ways
        let places = (0..<prompts).flatMap { prompt in Self.temperatures.map { (prompt, $0) } }
        guard !ways.isEmpty, !places.isEmpty else { return [] }
        var random = SplitMix(state: seed)
        var pack: [Int] = []
        var chosen: [LosslessCase] = []
        var seen: Set<LosslessCase> = []
        while chosen.count < min(wanted, count) {
            for (prompt, temperature) in places where chosen.count < min(wanted, count) {
                if pack.isEmpty { pack = ways.indices.shuffled(using: &random) }
                let way = ways[pack.removeLast()]
                let next = LosslessCase(
                    prompt: prompt, temperature: temperature, variant: way.variant, nodes: way.nodes,
                    threads: way.threads)
                if seen.insert(next).inserted { chosen.append(next) }
            }
        }
        return chosen
    }
}

/// Steele and others' generator: small, seeded, the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
