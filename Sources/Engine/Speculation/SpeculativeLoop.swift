// SpeculativeLoop.swift — the whole algorithm on one screen: propose, verify, observe, once per round.

/// Generates one answer, round by round, from a prompt whose last token is still pending.
struct SpeculativeLoop {
    let verifier: Verifier
    let cache: KVCache
    /// It follows the text even where it is not asked, so that the next answer may use it.
    let drafter: (any Drafter)?
    let options: SpeculationOptions
    /// Costs of target passes; those of plain decoding too.
    let costs: CostModel
    let piece: (Int32) -> TokenPiece
    /// Whether rounds say what the target thought of every node.
    let inspects: Bool

    /// The last token of the text, whose successor is not known yet; it is not in the cache.
    private(set) var pending: Int32
    /// Generated tokens of the conversation.
    private(set) var position: Int
    /// Tokens of the text, for the repetition penalty.
    private(set) var settled: Set<Int32>
    private(set) var rounds = 0

    init(
        verifier: Verifier, cache: KVCache, drafter: (any Drafter)?, options: SpeculationOptions, costs: CostModel,
        pending: Int32, position: Int, settled: Set<Int32>, inspects: Bool = false,
        piece: @escaping (Int32) -> TokenPiece
    ) {
        self.verifier = verifier
        self.cache = cache
        self.drafter = drafter
        self.options = options
        self.costs = costs
        self.pending = pending
        self.position = position
        self.settled = settled
        self.inspects = inspects
        self.piece = piece
    }

    /// One round.
    ///
    /// - Parameter limit: tokens that may still be generated, at least 1. The cache must have a free slot.
    mutating func next(limit: Int) throws -> SpeculationRound {
        let clock = ContinuousClock()
        let start = clock.now
        let seen = SeenTokens(settled: settled)
        let growth = try growth(seen: seen, limit: limit)
        var (tree, origins, budget) = growth?.tree(below: pending) ?? Self.plain(below: pending)
        budget.plainSeconds = costs.plainSeconds
        let drafted = clock.now
        let verification = try verifier.verify(
            tree, cache: cache, position: position, seen: seen, limit: limit, keepsLogits: inspects)
        let (verdict, seconds) = (verification.verdict, verification.seconds)
        drafter?.observe(DraftOutcome(tree: tree, origins: origins, accepted: verdict.accepted))
        let inspection = verification.logits.map { logits in
            RoundInspector(choice: verifier.choice, piece: piece)
                .inspect(tree, verdict, logits: logits, position: position, seen: seen)
        }
        let round = SpeculationRound(
            index: rounds, position: position, tree: tree, accepted: verdict.accepted, bonus: verdict.bonus,
            pieces: (tree.nodes.map(\.token) + [verdict.bonus]).map(piece),
            draftPasses: growth?.passes ?? 0, budget: budget,
            seconds: .init(draft: (drafted - start).seconds, verify: seconds.verify, choose: seconds.choose),
            inspection: inspection)
        growth?.learn(from: round.tokens)
        settle(round, drafted: growth?.secondsDrafted ?? 0)
        return round
    }

    /// What the drafters have to say about the text after `pending`; absent where they are not asked.
    private func growth(seen: SeenTokens, limit: Int) throws -> TreeGrowth? {
        guard let drafter, options.policy != .off, limit > 1 else { return nil }
        var options = options
        // A node below the last allowed token could never be accepted.
        options.maximumDepth = min(options.maximumDepth, limit - 1)
        var growth = TreeGrowth(options: options, costs: costs, nodeLimit: min(cache.free, TreeGrowth.largest))
        let request = DraftRequest(
            root: pending, choice: verifier.choice, position: position, seen: seen, limit: limit)
        try drafter.propose(request, into: &growth)
        return growth
    }

    private static func plain(below root: Int32) -> (tree: DraftTree, origins: [Int], choice: BudgetChoice) {
        (DraftTree(root: root), [], BudgetChoice(nodes: 1, expectedTokens: 1, reason: "plain decoding"))
    }

    private mutating func settle(_ round: SpeculationRound, drafted: Double) {
        costs.record(.verify, rows: round.tree.count, seconds: round.seconds.verify + round.seconds.choose)
        func isOfModel(_ node: Int) -> Bool { [.model, .both].contains(round.tree.nodes[node].source) }
        costs.record(
            CostModel.RoundAccount(
                tokens: round.tokens.count, modelTokens: 1 + round.accepted.count(where: isOfModel),
                nodes: round.tree.count, modelNodes: 1 + round.tree.nodes.indices.count(where: isOfModel),
                drafted: round.draftPasses > 0 ? drafted : nil))
        settled.formUnion(round.tokens)
        position += round.tokens.count
        pending = round.bonus
        rounds += 1
    }
}
