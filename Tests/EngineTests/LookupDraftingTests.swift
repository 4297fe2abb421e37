import Testing

@testable import Engine

@Suite struct `Drafting with lookups` {
    private static func options(_ policy: SpeculationPolicy, nodes: Int?) -> SpeculationOptions {
        var options = SpeculationOptions()
        (options.policy, options.nodes) = (policy, nodes)
        return options
    }

    /// Tokens of an answer, and its rounds.
    private static func decode(
        _ model: LanguageModel, prompt: [Int32], drafters: [any Drafter], costs: CostModel,
        _ speculation: SpeculationOptions, temperature: Float
    ) throws -> (tokens: [Int32], rounds: [SpeculationRound]) {
        let cache = model.makeCache(capacity: 200)
        let drafter: (any Drafter)? = drafters.isEmpty ? nil : CombinedDrafter(drafters)
        let feed = PromptFeed(target: model, cache: cache, drafter: drafter)
        feed.append(.tokens(prompt))
        try feed.read(holdingBack: 1) { _, _ in }
        var sampler = SamplerOptions()
        (sampler.temperature, sampler.seed) = (temperature, 5)
        var loop = SpeculativeLoop(
            verifier: Verifier(target: model, choice: TokenChoice(options: sampler), stopTokens: [2]), cache: cache,
            drafter: drafter, options: speculation, costs: costs, pending: feed.takeHeldBack()[0], position: 0,
            settled: Set(prompt), piece: { _ in TokenPiece(bytes: [], isControl: false) })
        var tokens: [Int32] = []
        var rounds: [SpeculationRound] = []
        while tokens.count < 80, tokens.last != 2, cache.free > 0 {
            let round = try loop.next(limit: min(80 - tokens.count, cache.free))
            #expect(round.isSound)
            tokens += round.tokens
            rounds.append(round)
        }
        return (tokens, rounds)
    }

    @Test(
        arguments: [(.chain, 5), (.dynamic, 1), (.dynamic, 8), (.dynamic, 32), (.dynamic, nil)]
            as [(SpeculationPolicy, Int?)], [0, 0.8] as [Float])
    func `the tokens are those of plain decoding, with lookups alone and beside a draft model`(
        shape: (policy: SpeculationPolicy, nodes: Int?), temperature: Float
    ) throws {
        let golden = try Golden("grouped")
        let backend = try CPUBackend(threads: 2)
        let model = try LanguageModel(LanguageCheckpoint(path: golden.path("language.gguf")), backend: backend)
        let other = try LanguageModel(LanguageCheckpoint(path: Golden("tied").path("language.gguf")), backend: backend)
        let prompt = golden.text.idsBefore
        let plain = try Self.decode(
            model, prompt: prompt, drafters: [], costs: CostModel(), Self.options(.off, nodes: nil),
            temperature: temperature)
        // An earlier answer that is right, so that there is something to accept, and one that leads astray.
        let earlier = [plain.tokens.reversed(), plain.tokens.filter { $0 != 2 }]
        for withModel in [false, true] {
            let costs = CostModel()
            let lookup = LookupDrafter(stopTokens: [2], earlier: earlier)
            let draft = DraftModelDrafter(
                name: "draft", model: other, projector: nil, stopTokens: [2], costs: costs, capacity: 200)
            let fast = try Self.decode(
                model, prompt: prompt, drafters: withModel ? [lookup, draft] : [lookup], costs: costs,
                Self.options(shape.policy, nodes: shape.nodes), temperature: temperature)
            #expect(fast.tokens == plain.tokens)
            if let nodes = shape.nodes { #expect(fast.rounds.allSatisfy { $0.tree.count <= nodes }) }
            if shape.policy == .chain { #expect(fast.rounds.allSatisfy { $0.tree.depth == $0.tree.count - 1 }) }
            if (shape.nodes ?? 0) >= 8 {
                #expect(
                    fast.rounds.contains { round in
                        round.accepted.contains { [.lookup, .both].contains(round.tree.nodes[$0].source) }
                    })
            }
        }
    }

    @Test func `a draft model that missed much goes on after a gap, and the text may be cut anywhere`() throws {
        let golden = try Golden("grouped")
        let model = try LanguageModel(
            LanguageCheckpoint(path: golden.path("language.gguf")), backend: CPUBackend(threads: 2))
        let draft = DraftModelDrafter(
            name: "draft", model: model, projector: nil, stopTokens: [2], costs: CostModel(), capacity: 400)
        func propose() throws {
            var options = SpeculationOptions()
            options.nodes = 4
            var growth = TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
            try draft.propose(
                DraftRequest(
                    root: 9, choice: TokenChoice(options: SamplerOptions()), position: 0,
                    seen: SeenTokens(settled: []), limit: 50), into: &growth)
            let (tree, origins, _) = growth.tree(below: 9)
            draft.observe(DraftOutcome(tree: tree, origins: origins, accepted: []))
        }
        draft.append([Int32](repeating: 7, count: 10))
        try propose()
        #expect(draft.settledCache(atLeast: 11) != nil && draft.settledCache(atLeast: 12) == nil)
        draft.append((0..<150).map { Int32(3 + $0 % 50) })
        try propose()
        // Of 11 and 150 rows and the root, some in the middle were never read.
        #expect(draft.settledCache(atLeast: 11) != nil && draft.settledCache(atLeast: 162) == nil)
        for length in [160, 140, 60, 11, 5] {
            draft.truncate(toTokens: length, pictureRows: 0)
            try propose()
            draft.truncate(toTokens: length, pictureRows: 0)
        }
        #expect(draft.settledCache(atLeast: 5) != nil && draft.settledCache(atLeast: 6) == nil)
    }

    @Test(arguments: [0.04, 0.09, 0.3, 1] as [Double])
    func `a hopeless draft costs at most three hundredths in the long run`(dearness: Double) {
        let costs = CostModel()
        costs.calibrate(.verify, rows: 1, seconds: 1)
        var spent = 0.0
        let rounds = 3000
        for _ in 0..<rounds {
            let drafts = costs.shouldDraft()
            spent += 1 + (drafts ? dearness : 0)
            costs.record(
                CostModel.RoundAccount(
                    tokens: 1, modelTokens: 1, nodes: 1, modelNodes: 1, drafted: drafts ? dearness : nil))
        }
        #expect(Double(rounds) / spent >= 0.97)
        #expect(spent > Double(rounds))
    }

    @Test func `a draft that gains a little is not switched off by its misses`() {
        let costs = CostModel()
        costs.calibrate(.verify, rows: 1, seconds: 1)
        var random = SeededGenerator(seed: 5)
        var drafted = 0
        for _ in 0..<3000 {
            let drafts = costs.shouldDraft()
            drafted += drafts ? 1 : 0
            // One further token in every fourth round, for a fifth of a pass.
            let tokens = drafts && random.next() % 4 == 0 ? 2 : 1
            costs.record(
                CostModel.RoundAccount(
                    tokens: tokens, modelTokens: tokens, nodes: 1, modelNodes: 1, drafted: drafts ? 0.2 : nil))
        }
        #expect(drafted >= 2000)
    }
}

@Suite struct `Vocabularies of drafts` {
    private static func vocabulary(_ pieces: [String]) -> Vocabulary {
        Vocabulary(
            pieces: pieces, scores: pieces.map { _ in 0 }, kinds: pieces.map { _ in .normal }, beginning: nil, end: nil,
            unknown: nil, stops: [], addsDummyPrefix: false, addsBeginning: false)
    }

    @Test func `a draft fits whose pieces are the model's, with a few more or fewer at the end`() {
        let base = (0..<32_000).map { "p\($0)" }
        let short = Self.vocabulary(base)
        let long = Self.vocabulary(base + (0..<64).map { "<added \($0)>" })
        #expect(short.difference(from: long) == nil && long.difference(from: short) == nil)
        var other = base
        other[700] = "x"
        #expect(
            Self.vocabulary(other).difference(from: long)
                == "its vocabulary is another one: token 700 is “x” and the model's is “p700”")
        #expect(
            Self.vocabulary(Array(base.prefix(16_000))).difference(from: short)
                == "its vocabulary has 16000 tokens and the model's has 32000")
    }

    @Test(arguments: [40, 60, 900])
    func `a draft never proposes what the target does not have, and reads what it does not have itself`(
        targetVocabulary: Int
    ) throws {
        let model = try LanguageModel(
            LanguageCheckpoint(path: Golden("grouped").path("language.gguf")), backend: CPUBackend(threads: 1))
        let draft = DraftModelDrafter(
            name: "draft", model: model, projector: nil, stopTokens: [], costs: CostModel(), capacity: 100,
            targetVocabulary: targetVocabulary)
        let beyond = Int32(model.configuration.vocabulary) + 5
        draft.append([5, beyond, 7])
        for temperature in [0, 2] as [Float] {
            var options = SpeculationOptions()
            (options.nodes, options.confidence) = (24, 1)
            var growth = TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
            var sampler = SamplerOptions()
            sampler.temperature = temperature
            try draft.propose(
                DraftRequest(
                    root: beyond, choice: TokenChoice(options: sampler), position: 0, seen: SeenTokens(settled: []),
                    limit: 50), into: &growth)
            #expect(growth.candidates.count > 8)
            #expect(growth.candidates.allSatisfy { (0..<Int32(targetVocabulary)).contains($0.token) })
            let (tree, origins, _) = growth.tree(below: beyond)
            draft.observe(DraftOutcome(tree: tree, origins: origins, accepted: []))
        }
    }
}
