// TreeGrowth.swift — Spec-LLaVA's dynamic tree: level by level, sized by what its nodes are worth and what they cost.

/// Grows a candidate tree and prunes it to the nodes that are worth verifying.
///
/// Pure: it says what to expand next and what to keep; who runs the draft model is not its business. Scores are products
/// of calibrated acceptance probabilities along the path, so a child never scores above its parent and the best n nodes
/// always form a tree (OPT-Tree, arXiv 2406.17276, section 3).
struct TreeGrowth {
    /// Nodes of a tree at most, whatever the costs: beyond it no measured tree has paid.
    static let largest = 64

    struct Candidate: Sendable, Equatable {
        let token: Int32
        /// Index of the parent candidate; absent below the root.
        let parent: Int?
        let depth: Int
        let rank: Int
        let confidence: Float
        let score: Float
    }

    let options: SpeculationOptions
    let costs: CostModel
    /// Nodes that the cache and the caller allow, the root included.
    let nodeLimit: Int
    private(set) var candidates: [Candidate] = []
    /// Seconds of the draft passes so far, by the cost curve.
    private(set) var secondsDrafted = 0.0
    /// Deepest level that was handed out for a draft pass.
    private var expandedDepth = 0

    init(options: SpeculationOptions, costs: CostModel, nodeLimit: Int) {
        self.options = options
        self.costs = costs
        self.nodeLimit = min(nodeLimit, options.nodes ?? nodeLimit)
    }

    /// Children asked for at each node.
    var branch: Int { options.policy == .chain ? 1 : options.maximumBranch }

    /// Takes the proposals for the successors of `parent` (absent: of the root), best first.
    ///
    /// The width follows the draft's confidence: the fewest tokens whose probability reaches the threshold (Spec-LLaVA,
    /// section 3.2). Stop tokens are left out: an end of the answer comes free as the bonus token.
    mutating func add(_ proposals: [TokenChoice.Proposal], below parent: Int?, stopTokens: Set<Int32>) {
        let parentScore = parent.map { candidates[$0].score } ?? 1
        let depth = (parent.map { candidates[$0].depth } ?? 0) + 1
        var mass: Float = 0
        for (rank, proposal) in proposals.prefix(branch).enumerated() where mass < options.confidence {
            mass += proposal.confidence
            guard !stopTokens.contains(proposal.token) else { continue }
            let acceptance = costs.calibration.acceptance(confidence: proposal.confidence, rank: rank)
            candidates.append(
                Candidate(
                    token: proposal.token, parent: parent, depth: depth, rank: rank, confidence: proposal.confidence,
                    score: min(parentScore, parentScore * acceptance)))
        }
    }

    /// Books a draft pass over `rows` rows that took so many seconds by the clock.
    mutating func spent(_ seconds: Double, rows: Int) {
        costs.record(.draft, rows: rows, seconds: seconds)
        secondsDrafted += costs.draft.seconds(rows: rows) ?? seconds
    }

    /// Candidates of the deepest level that deserve a draft pass; empty when growth should end.
    mutating func nextLevel() -> [Int] {
        let deepest = candidates.last?.depth ?? 0
        // A level whose nodes had no successors but stop tokens must not be expanded again.
        guard deepest > expandedDepth, deepest < min(options.maximumDepth, nodeLimit - 1) else { return [] }
        expandedDepth = deepest
        let frontier = candidates.indices.filter { candidates[$0].depth == deepest }
            .sorted { candidates[$0].score > candidates[$1].score }
            .prefix(options.policy == .chain ? 1 : options.beam)
        guard options.nodes == nil else { return expandable(frontier) }
        return worthwhile(frontier)
    }

    /// The nodes to verify, breadth first, and the candidate that each node after the root came from.
    func tree(below root: Int32) -> (tree: DraftTree, origins: [Int], choice: BudgetChoice) {
        let ranked = byScore
        let (nodes, expected) = bestSize(ranked)
        let kept = ranked.prefix(nodes - 1).sorted {
            (candidates[$0].depth, $0) < (candidates[$1].depth, $1)
        }
        var tree = DraftTree(root: root)
        var place: [Int: Int] = [:]
        for index in kept {
            let candidate = candidates[index]
            let parent = candidate.parent.flatMap { place[$0] } ?? 0
            place[index] = tree.append(
                candidate.token, below: parent, probability: candidate.confidence, score: candidate.score)
        }
        return (tree, kept, BudgetChoice(nodes: tree.count, expectedTokens: expected, reason: reason(tree.count)))
    }

    private func reason(_ nodes: Int) -> String {
        if options.nodes != nil { return "fixed at \(nodeLimit) nodes" }
        return nodes == 1 ? "no node would pay" : "best rate at \(nodes) nodes"
    }

    /// Candidates by falling score; of equal ones the earlier first, so that a parent precedes its children.
    private var byScore: [Int] {
        candidates.indices.sorted { (candidates[$0].score, $1) > (candidates[$1].score, $0) }
    }

    /// With a fixed number of nodes: frontier candidates whose children might still be among the best.
    private func expandable(_ frontier: ArraySlice<Int>) -> [Int] {
        let ranked = byScore
        guard ranked.count >= nodeLimit - 1 else { return Array(frontier) }
        let last = candidates[ranked[nodeLimit - 2]].score
        return frontier.filter { candidates[$0].score > last }
    }

    /// The part of the frontier whose expansion is worth its time; empty when none is.
    ///
    /// Several nodes may be expanded by one level, or the best one by several levels: a single further node seldom pays
    /// for a draft pass where the kernels take rows in groups.
    private func worthwhile(_ frontier: ArraySlice<Int>) -> [Int] {
        let nodes = bestSize(byScore).nodes
        guard let rate = costs.rate, let verifyNow = costs.verify.seconds(rows: nodes) else {
            return Array(frontier.prefix(1))
        }
        func worth(gain: Double, nodes more: Int, draft: Double) -> Double {
            let verify = costs.verify.seconds(rows: min(nodes + more, nodeLimit)) ?? verifyNow
            return gain - rate * (draft + verify - verifyNow)
        }
        let acceptance = costs.calibration.firstRank
        var best = (worth: 0.0, width: 0)
        var gain = 0.0
        for (offset, index) in frontier.enumerated() {
            gain += Double(candidates[index].score) * acceptance
            let draft = costs.draft.seconds(rows: offset + 1) ?? 0
            let worth = worth(gain: gain, nodes: offset + 1, draft: draft)
            if worth > best.worth { best = (worth, offset + 1) }
        }
        guard best.width == 0, let first = frontier.first else { return Array(frontier.prefix(best.width)) }
        gain = 0
        var level = Double(candidates[first].score)
        for ahead in 1...Self.levelsAhead {
            level *= acceptance
            gain += level
            let draft = Double(ahead) * (costs.draft.seconds(rows: 1) ?? 0)
            if worth(gain: gain, nodes: ahead, draft: draft) > 0 { return [first] }
        }
        return []
    }

    /// Levels that a deeper chain is judged by.
    private static let levelsAhead = 3

    /// The number of nodes (root included) that is worth most beside the time that verifying it takes, and the tokens
    /// expected of it: the bonus token and the sum of the scores.
    private func bestSize(_ ranked: [Int]) -> (nodes: Int, expected: Float) {
        let most = min(nodeLimit, ranked.count + 1)
        guard options.nodes == nil, let rate = costs.rate else {
            return (most, ranked.prefix(most - 1).reduce(1) { $0 + candidates[$1].score })
        }
        var best = (nodes: 1, expected: Float(1))
        var bestWorth = -Double.infinity
        var expected: Float = 1
        for nodes in 1...most {
            if nodes > 1 { expected += candidates[ranked[nodes - 2]].score }
            let worth = Double(expected) - rate * (costs.verify.seconds(rows: nodes) ?? 0)
            if worth > bestWorth { (bestWorth, best) = (worth, (nodes, expected)) }
        }
        return best
    }
}
