import Foundation
import Testing

@testable import Engine

/// A target and a draft without files behind the conversation: just models, caches and the loop.
private struct World {
    let target: LanguageModel
    let draft: LanguageModel
    let prompt: [Int32]

    /// The draft is one of the goldens; the target itself as its own draft is right almost always.
    init(target: String = "grouped", draft: String, backend: any Backend) throws {
        let golden = try Golden(target)
        self.target = try LanguageModel(LanguageCheckpoint(path: golden.path("language.gguf")), backend: backend)
        self.draft =
            draft == target
            ? self.target
            : try LanguageModel(LanguageCheckpoint(path: Golden(draft).path("language.gguf")), backend: backend)
        prompt = golden.text.idsBefore
    }

    func decode(
        _ speculation: SpeculationOptions, _ sampler: SamplerOptions, tokens limit: Int, capacity: Int = 160,
        inspects: Bool = false
    ) throws -> (tokens: [Int32], rounds: [SpeculationRound], cache: KVCache) {
        let cache = target.makeCache(capacity: capacity)
        let costs = CostModel()
        let drafter = DraftModelDrafter(
            name: "draft", model: draft, projector: nil, stopTokens: [2], costs: costs, capacity: capacity)
        let feed = PromptFeed(target: target, cache: cache, drafter: drafter)
        feed.append(.tokens(prompt))
        try feed.read(holdingBack: 1) { _, _ in }
        var loop = SpeculativeLoop(
            verifier: Verifier(target: target, choice: TokenChoice(options: sampler), stopTokens: [2]), cache: cache,
            drafter: drafter, options: speculation, costs: costs, pending: feed.takeHeldBack()[0], position: 0,
            settled: Set(prompt), inspects: inspects, piece: { _ in TokenPiece(bytes: [], isControl: false) })
        var tokens: [Int32] = []
        var rounds: [SpeculationRound] = []
        while tokens.count < limit, tokens.last != 2, cache.free > 0 {
            let round = try loop.next(limit: min(limit - tokens.count, cache.free))
            #expect(round.isSound)
            tokens += round.tokens
            rounds.append(round)
        }
        return (tokens, rounds, cache)
    }
}

@Suite struct `Speculation` {
    private static func speculation(_ policy: SpeculationPolicy, nodes: Int?) -> SpeculationOptions {
        var options = SpeculationOptions()
        options.policy = policy
        options.nodes = nodes
        return options
    }

    private static func sampler(_ temperature: Float) -> SamplerOptions {
        var options = SamplerOptions()
        options.temperature = temperature
        options.seed = 11
        return options
    }

    @Test(
        arguments: ["grouped", "tied", "theta"],
        [(.chain, 4), (.chain, nil), (.dynamic, 1), (.dynamic, 8), (.dynamic, 32), (.dynamic, nil)]
            as [(SpeculationPolicy, Int?)])
    func `the tokens are those of plain decoding`(draft: String, shape: (policy: SpeculationPolicy, nodes: Int?)) throws
    {
        let world = try World(draft: draft, backend: CPUBackend(threads: 2))
        for temperature in [0, 0.7, 1.3] as [Float] {
            let plain = try world.decode(Self.speculation(.off, nodes: nil), Self.sampler(temperature), tokens: 40)
            let options = Self.speculation(shape.policy, nodes: shape.nodes)
            let fast = try world.decode(options, Self.sampler(temperature), tokens: 40)
            #expect(fast.tokens == plain.tokens)
            #expect(plain.rounds.allSatisfy { $0.tree.count == 1 && $0.tokens.count == 1 })
            if let nodes = shape.nodes { #expect(fast.rounds.allSatisfy { $0.tree.count <= nodes }) }
        }
    }

    @Test(arguments: [0, 0.9] as [Float])
    func `a perfect draft is accepted whole`(temperature: Float) throws {
        let world = try World(draft: "grouped", backend: CPUBackend(threads: 2))
        let fast = try world.decode(Self.speculation(.chain, nodes: 5), Self.sampler(temperature), tokens: 40)
        #expect(fast.rounds.dropLast().allSatisfy { $0.accepted.count == 4 })
    }

    @Test func `the repetition penalty sees the path and changes nothing between policies`() throws {
        let world = try World(draft: "tied", backend: CPUBackend(threads: 2))
        for temperature in [0, 1] as [Float] {
            var sampler = Self.sampler(temperature)
            sampler.repetitionPenalty = 1.4
            let plain = try world.decode(Self.speculation(.off, nodes: nil), sampler, tokens: 30)
            let fast = try world.decode(Self.speculation(.dynamic, nodes: 16), sampler, tokens: 30)
            #expect(fast.tokens == plain.tokens)
        }
    }

    @Test(arguments: [("grouped", 0), ("tied", 0), ("tied", 0.8), ("theta", 1.3)] as [(String, Float)])
    func `looking closer at the rounds changes no token, and every chosen token beats those beside it`(
        draft: String, temperature: Float
    ) throws {
        let world = try World(draft: draft, backend: CPUBackend(threads: 2))
        var sampler = Self.sampler(temperature)
        (sampler.repetitionPenalty, sampler.topP) = (1.2, 0.95)
        let speculation = Self.speculation(.dynamic, nodes: 12)
        let plain = try world.decode(speculation, sampler, tokens: 40)
        let seen = try world.decode(speculation, sampler, tokens: 40, inspects: true)
        #expect(seen.tokens == plain.tokens)
        #expect(plain.rounds.allSatisfy { $0.inspection == nil })
        for round in seen.rounds {
            let thoughts = try #require(round.inspection).tokens
            #expect(thoughts.allSatisfy { ($0.noise == nil) == (temperature == 0) })
            func score(_ index: Int) -> Double {
                log(Double(thoughts[index].probability)) + Double(thoughts[index].noise ?? 0)
            }
            for (step, parent) in ([0] + round.accepted).enumerated() {
                let children = round.tree.children(of: parent).map { $0 - 1 }
                let chosen = step < round.accepted.count ? round.accepted[step] - 1 : round.tree.count - 1
                #expect(children.allSatisfy { score($0) <= score(chosen) + 1e-5 })
                if temperature == 0 { #expect(thoughts[chosen].rank == 0) }
            }
        }
    }

    @Test(arguments: [26, 30, 37])
    func `a full context ends the text at the same token`(capacity: Int) throws {
        let world = try World(draft: "grouped", backend: CPUBackend(threads: 2))
        let plain = try world.decode(
            Self.speculation(.off, nodes: nil), Self.sampler(0), tokens: 100, capacity: capacity)
        let fast = try world.decode(
            Self.speculation(.dynamic, nodes: 8), Self.sampler(0), tokens: 100, capacity: capacity)
        #expect(plain.cache.free == 0 && fast.cache.free == 0)
        #expect(fast.tokens == plain.tokens)
    }

    @Test func `after a commit the cache equals one that saw only the accepted tokens`() throws {
        let world = try World(draft: "grouped", backend: CPUBackend(threads: 2))
        let fast = try world.decode(Self.speculation(.dynamic, nodes: 12), Self.sampler(0.9), tokens: 24)
        let text = world.prompt + fast.tokens.dropLast()
        #expect(fast.cache.committed == text.count)
        let fresh = world.target.makeCache(capacity: 160)
        let before = ForwardPlan.text(rows: text.count, after: 0)
        _ = world.target.forward(.tokens(text), plan: before, cache: fresh)
        fresh.commit(rows: text.count)
        // Equal caches are caches after which every next token has the same logits, bit for bit.
        for token in [Int32(5), 77, 200] {
            let rows = try [fast.cache, fresh].map { cache in
                let (pass, hidden) = world.target.forward(
                    .tokens([token]), plan: .text(rows: 1, after: text.count), cache: cache)
                return try pass.read(world.target.logits(of: hidden, in: pass))
            }
            #expect(rows[0] == rows[1])
        }
    }
}
