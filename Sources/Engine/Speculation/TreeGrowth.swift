// TreeGrowth.swift — Spec-LLaVA's dynamic tree: level by level, from what drafters propose. What its nodes are worth is
// weighed in TreeBudget.

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
        /// Whether it was handed out: only below such candidates and the root has the draft model spoken.
        fileprivate(set) var isExpanded = false

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
        guard candidates[candidates.count - 1].score < Self.leastScore else { return candidates.count - 1 }
        // With a fixed number of nodes there may be nothing better.
        if options.nodes != nil { return candidates.count - 1 }
        candidates.removeLast()
        return nil
    }

    /// No node of a lower score was ever worth verifying: where the curve says that a row is free, it is not by as much.
    static let leastScore: Float = 0.01

    private func child(of parent: Int?, token: Int32) -> Int? {
        candidates.indices.first { candidates[$0].parent == parent && candidates[$0].token == token }
    }

    private mutating func append(_ token: Int32, below parent: Int?, model: ModelEvidence?, lookup: LookupEvidence?) {
        // Most trees stay below this, and then their candidates are never moved.
        if candidates.isEmpty { candidates.reserveCapacity(16) }
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
        return budget.wantsModel(of: self)
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
        var level = candidates.indices.filter { index in
            candidates[index].depth == depth && candidates[index].parent.map { candidates[$0].isExpanded } ?? true
        }
        // A level whose nodes had no successors but stop tokens must not be expanded again.
        guard !level.isEmpty, depth < min(options.maximumDepth, nodeLimit - 1) else { return [] }
        expandedDepth = depth
        if level.count > 1 { level.sort { candidates[$0].score > candidates[$1].score } }
        let frontier = level.prefix(options.policy == .chain ? 1 : options.beam)
        let handedOut = budget.part(of: frontier, worthExpandingIn: self)
        for index in handedOut { candidates[index].isExpanded = true }
        return handedOut
    }

    /// The nodes to verify, breadth first, and the candidate that each node after the root came from.
    func tree(below root: Int32) -> (tree: DraftTree, origins: [Int], choice: BudgetChoice) {
        let ranked = byScore
        let (nodes, expected) = budget.bestSize(ranked, of: self)
        let kept = ranked.prefix(nodes - 1).sorted {
            (candidates[$0].depth, $0) < (candidates[$1].depth, $1)
        }
        var tree = DraftTree(root: root, capacity: nodes)
        // Where the kept candidates stand in the tree.
        var places = [Int](repeating: 0, count: candidates.count)
        for index in kept {
            let candidate = candidates[index]
            places[index] = tree.append(
                candidate.token, below: candidate.parent.map { places[$0] } ?? 0,
                probability: candidate.model?.confidence ?? candidate.lookup.map { costs.lookups.acceptance($0) } ?? 0,
                score: candidate.score, source: candidate.source)
        }
        let choice = BudgetChoice(
            nodes: tree.count, expectedTokens: expected, reason: reason(tree.count),
            draftRests: modelRests ? true : nil)
        return (tree, kept, choice)
    }

    private func reason(_ nodes: Int) -> String {
        if options.nodes != nil { return "fixed at \(nodeLimit) nodes" }
        if modelRests { return nodes == 1 ? "plain: the draft has not paid lately" : "lookup alone: the draft rests" }
        return nodes == 1 ? "no node would pay" : "best rate at \(nodes) nodes"
    }

    private var budget: TreeBudget { TreeBudget(options: options, costs: costs) }

    /// Candidates by falling score; of equal ones the earlier first, so that a parent precedes its children.
    var byScore: [Int] {
        var ranked = options.policy == .chain ? likeliestPath : Array(candidates.indices)
        if ranked.count > 1 { ranked.sort { (candidates[$0].score, $1) > (candidates[$1].score, $0) } }
        return ranked
    }

    /// The one path of a chain: at every fork what is likeliest.
    private var likeliestPath: [Int] {
        var path: [Int] = []
        var best: Int?
        repeat {
            let end = path.last
            best = nil
            for index in candidates.indices where candidates[index].parent == end {
                if let rival = best, candidates[rival].score >= candidates[index].score { continue }
                best = index
            }
            if let best { path.append(best) }
        } while best != nil
        return path
    }
}
