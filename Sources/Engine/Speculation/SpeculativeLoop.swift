// SpeculativeLoop.swift — the whole algorithm on one screen: propose, verify, observe, once per round.

/// Generates one answer, round by round, from a prompt whose last token is still pending.
struct SpeculativeLoop {
    let verifier: Verifier
    let cache: KVCache
    /// It follows the text even where it is not asked, so that the next answer may use it.
    let drafter: DraftModelDrafter?
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
        verifier: Verifier, cache: KVCache, drafter: DraftModelDrafter?, options: SpeculationOptions, costs: CostModel,
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
        var proposal = try propose(seen: seen, limit: limit)
        proposal.choice.plainSeconds = costs.plainSeconds
        let drafted = clock.now
        let verification = try verifier.verify(
            proposal.tree, cache: cache, position: position, seen: seen, limit: limit, keepsLogits: inspects)
        let (verdict, seconds) = (verification.verdict, verification.seconds)
        drafter?.observe(proposal.tree, accepted: verdict.accepted)
        let inspection = verification.logits.map { logits in
            RoundInspector(choice: verifier.choice, piece: piece)
                .inspect(proposal.tree, verdict, logits: logits, position: position, seen: seen)
        }
        let round = SpeculationRound(
            index: rounds, position: position, tree: proposal.tree, accepted: verdict.accepted, bonus: verdict.bonus,
            pieces: (proposal.tree.nodes.map(\.token) + [verdict.bonus]).map(piece), draftPasses: proposal.passes,
            budget: proposal.choice,
            seconds: .init(draft: (drafted - start).seconds, verify: seconds.verify, choose: seconds.choose),
            inspection: inspection)
        settle(round, drafted: proposal.seconds)
        return round
    }

    private func propose(seen: SeenTokens, limit: Int) throws -> DraftModelDrafter.Proposal {
        let room = min(cache.free, TreeGrowth.largest)
        var options = options
        // A node below the last allowed token could never be accepted.
        options.maximumDepth = min(options.maximumDepth, limit - 1)
        let speculates = options.policy != .off && drafter != nil
        if let drafter, speculates, limit > 1, options.nodes != nil || costs.shouldDraft() {
            return try drafter.propose(
                after: pending, choice: verifier.choice, position: position, seen: seen, options: options,
                nodeLimit: room)
        }
        let reason = speculates ? "plain: trees have not paid lately" : "plain decoding"
        return DraftModelDrafter.Proposal(
            tree: DraftTree(root: pending), passes: 0, seconds: 0,
            choice: BudgetChoice(nodes: 1, expectedTokens: 1, reason: reason))
    }

    private mutating func settle(_ round: SpeculationRound, drafted: Double) {
        costs.record(.verify, rows: round.tree.count, seconds: round.seconds.verify + round.seconds.choose)
        if round.draftPasses > 0 {
            costs.record(tokens: round.tokens.count, nodes: round.tree.count, drafted: drafted)
        }
        settled.formUnion(round.tokens)
        position += round.tokens.count
        pending = round.bonus
        rounds += 1
    }
}
