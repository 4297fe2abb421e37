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
        /// What the draft model said of it; absent where it did not propose it.
        fileprivate(set) var model: ModelEvidence?
        /// How it was looked up; absent where it was not.
        fileprivate(set) var lookup: LookupEvidence?
        fileprivate(set) var score: Float = 0

        var source: DraftTree.Source { model == nil ? .lookup : lookup == nil ? .model : .both }
    }

    /// A draft model's confidence that the target will choose a token, and the place among its proposals.
    struct ModelEvidence: Sendable, Equatable {
        let confidence: Float
        let rank: Int
    }

    let options: SpeculationOptions
    let costs: CostModel
    /// Nodes that the caches and the caller allow, the root included.
    private(set) var nodeLimit: Int
    private(set) var candidates: [Candidate] = []
    /// Seconds of the draft passes so far, by the cost curve.
    private(set) var secondsDrafted = 0.0
    /// Draft passes so far.
    private(set) var passes = 0
    /// Deepest level that was handed out for a draft pass.
    private var expandedDepth = 0
    /// Candidates that were handed out: only below them and the root has the draft model spoken.
    private var expanded: Set<Int> = []
    /// Whether the draft model rests because it has not paid.
    private var modelRests = false

    init(options: SpeculationOptions, costs: CostModel, nodeLimit: Int) {
        self.options = options
        self.costs = costs
        self.nodeLimit = min(nodeLimit, options.nodes ?? nodeLimit)
    }

    /// Allows no more nodes than a draft model has room for.
    mutating func limitNodes(to count: Int) { nodeLimit = min(nodeLimit, count) }

    /// Children asked for at each node.
    var branch: Int { options.policy == .chain ? 1 : options.maximumBranch }

    /// Takes the proposals for the successors of `parent` (absent: of the root), best first.
    ///
    /// The width follows the draft's confidence: the fewest tokens whose probability reaches the threshold (Spec-LLaVA,
    /// section 3.2). Stop tokens are left out: an end of the answer comes free as the bonus token.
    mutating func add(_ proposals: [TokenChoice.Proposal], below parent: Int?, stopTokens: Set<Int32>) {
        let isShared = candidates.contains { $0.parent == parent }
        var mass: Float = 0
        for (rank, proposal) in proposals.prefix(branch).enumerated() where mass < options.confidence {
            mass += proposal.confidence
            guard !stopTokens.contains(proposal.token) else { continue }
            let evidence = ModelEvidence(confidence: proposal.confidence, rank: rank)
            if isShared, let known = child(of: parent, token: proposal.token) {
                candidates[known].model = evidence
            } else {
                append(proposal.token, below: parent, model: evidence, lookup: nil)
            }
        }
        guard isShared else { return }
        for index in candidates.indices where candidates[index].parent == parent {
            let testimony: LookupEvidence.Testimony = candidates[index].model == nil ? .differs : .agrees
            candidates[index].lookup?.testimony = testimony
        }
        for index in candidates.indices { candidates[index].score = score(of: candidates[index]) }
    }

    /// Takes a token that was looked up.
    ///
    /// - Returns: its candidate; absent where it is too unlikely to be worth a place.
    mutating func add(found token: Int32, evidence: LookupEvidence, below parent: Int?) -> Int? {
        if let known = child(of: parent, token: token) {
            candidates[known].lookup = evidence
            return known
        }
        append(token, below: parent, model: nil, lookup: evidence)
        guard candidates[candidates.count - 1].score < Self.leastFound else { return candidates.count - 1 }
        // With a fixed number of nodes there may be nothing better.
        if options.nodes != nil { return candidates.count - 1 }
        candidates.removeLast()
        return nil
    }

    /// No node of a lower score was ever worth verifying.
    private static let leastFound: Float = 0.01

    private func child(of parent: Int?, token: Int32) -> Int? {
        candidates.indices.first { candidates[$0].parent == parent && candidates[$0].token == token }
    }

    private mutating func append(_ token: Int32, below parent: Int?, model: ModelEvidence?, lookup: LookupEvidence?) {
        var candidate = Candidate(
            token: token, parent: parent, depth: (parent.map { candidates[$0].depth } ?? 0) + 1, model: model,
            lookup: lookup)
        candidate.score = score(of: candidate)
        candidates.append(candidate)
    }

    /// The parent's score times the better of what its drafters' words have proved worth.
    private func score(of candidate: Candidate) -> Float {
        let parentScore = candidate.parent.map { candidates[$0].score } ?? 1
        let byModel = candidate.model.map {
            costs.calibration.acceptance(confidence: $0.confidence, rank: $0.rank)
        }
        let byLookup = candidate.lookup.map { costs.lookups.acceptance($0) }
        return min(parentScore, parentScore * max(byModel ?? 0, byLookup ?? 0))
    }

    /// Learns from the target's own tokens after the root: of every candidate that they came by, verified or not, it is
    /// known now whether it was right.
    func learn(from tokens: [Int32]) {
        guard !candidates.isEmpty else { return }
        var parent: Int?
        for token in tokens {
            var next: Int?
            for index in candidates.indices where candidates[index].parent == parent {
                let candidate = candidates[index]
                let isChosen = candidate.token == token
                if isChosen { next = index }
                if let model = candidate.model {
                    costs.calibration.record(confidence: model.confidence, rank: model.rank, accepted: isChosen)
                }
                if let lookup = candidate.lookup { costs.lookups.record(lookup, accepted: isChosen) }
            }
            guard let next else { return }
            parent = next
        }
    }

    /// Whether the draft model is to be asked in this round, in which drafters before it may have found something.
    mutating func wantsModel() -> Bool {
        guard options.nodes == nil else { return true }
        guard costs.shouldDraft() else {
            modelRests = true
            return false
        }
        guard !candidates.isEmpty, let model = costs.draftedRound else { return true }
        let (nodes, expected) = bestSize(byScore)
        // Where nothing that was found is worth a node, the model's rounds must not be judged by those that found much.
        guard nodes > 1, let verify = costs.verify.seconds(rows: nodes) else { return true }
        return model.tokens * verify > Double(expected) * model.seconds
    }

    /// Books a draft pass over `rows` rows that took so many seconds by the clock.
    mutating func spent(_ seconds: Double, rows: Int) {
        passes += 1
        costs.record(.draft, rows: rows, seconds: seconds)
        secondsDrafted += costs.draft.seconds(rows: rows) ?? seconds
    }

    /// Candidates of the deepest level that deserve a draft pass; empty when growth should end.
    mutating func nextLevel() -> [Int] {
        // What was looked up below a candidate that the model has not read cannot be read either.
        let depth = expandedDepth + 1
        let level = candidates.indices.filter { index in
            candidates[index].depth == depth && candidates[index].parent.map(expanded.contains) ?? true
        }
        // A level whose nodes had no successors but stop tokens must not be expanded again.
        guard !level.isEmpty, depth < min(options.maximumDepth, nodeLimit - 1) else { return [] }
        expandedDepth = depth
        let frontier =
            level.sorted { candidates[$0].score > candidates[$1].score }
            .prefix(options.policy == .chain ? 1 : options.beam)
        let handedOut = options.nodes == nil ? worthwhile(frontier) : expandable(frontier)
        expanded.formUnion(handedOut)
        return handedOut
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
                candidate.token, below: parent,
                probability: candidate.model?.confidence ?? candidate.lookup.map { costs.lookups.acceptance($0) } ?? 0,
                score: candidate.score, source: candidate.source)
        }
        let budget = BudgetChoice(
            nodes: tree.count, expectedTokens: expected, reason: reason(tree.count),
            draftRests: modelRests ? true : nil)
        return (tree, kept, budget)
    }

    private func reason(_ nodes: Int) -> String {
        if options.nodes != nil { return "fixed at \(nodeLimit) nodes" }
        if modelRests { return nodes == 1 ? "plain: the draft has not paid lately" : "lookup alone: the draft rests" }
        return nodes == 1 ? "no node would pay" : "best rate at \(nodes) nodes"
    }

    /// Candidates by falling score; of equal ones the earlier first, so that a parent precedes its children.
    private var byScore: [Int] {
        let all = policyPath ?? Array(candidates.indices)
        return all.sorted { (candidates[$0].score, $1) > (candidates[$1].score, $0) }
    }

    /// The one path of a chain: at every fork what is likeliest. Absent where a tree may have several.
    private var policyPath: [Int]? {
        guard options.policy == .chain else { return nil }
        var best: [Int?: Int] = [:]
        for (index, candidate) in candidates.enumerated() {
            if let rival = best[candidate.parent], candidates[rival].score >= candidate.score { continue }
            best[candidate.parent] = index
        }
        var path: [Int] = []
        while let next = best[path.last] { path.append(next) }
        return path
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
            gain += newScore(below: index)
            let draft = costs.draft.seconds(rows: offset + 1) ?? 0
            let worth = worth(gain: gain, nodes: offset + 1, draft: draft)
            if worth > best.worth { best = (worth, offset + 1) }
        }
        guard best.width == 0, let first = frontier.first else { return Array(frontier.prefix(best.width)) }
        gain = 0
        var level = newScore(below: first)
        for ahead in 1...Self.levelsAhead {
            gain += level
            level *= acceptance
            let draft = Double(ahead) * (costs.draft.seconds(rows: 1) ?? 0)
            if worth(gain: gain, nodes: ahead, draft: draft) > 0 { return [first] }
        }
        return []
    }

    /// What a draft pass over a candidate may be expected to add to what was looked up below it.
    private func newScore(below index: Int) -> Double {
        let known = candidates.reduce(0) { $0 + ($1.parent == index ? Double($1.score) : 0) }
        return max(0, Double(candidates[index].score) * costs.calibration.firstRank - known)
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
