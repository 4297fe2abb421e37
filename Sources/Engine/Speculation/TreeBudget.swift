// TreeBudget.swift — what another draft pass and another node are worth beside what they cost. Asked by TreeGrowth.

/// Weighs the tokens that may be expected of candidates against the seconds of the passes that they take, at the rate by
/// which the text grows at present (Docs/Decisions/0004).
struct TreeBudget {
    let options: SpeculationOptions
    let costs: CostModel

    /// Levels that a deeper chain is judged by.
    private static let levelsAhead = 3

    /// Whether asking the draft model promises more than what was found without it.
    func wantsModel(of growth: TreeGrowth) -> Bool {
        guard !growth.candidates.isEmpty, let model = costs.draftedRound else { return true }
        let (nodes, expected) = bestSize(growth.byScore, of: growth)
        // Where nothing that was found is worth a node, the model's rounds must not be judged by those that found much.
        guard nodes > 1, let verify = costs.verify.seconds(rows: nodes) else { return true }
        return model.tokens * verify > Double(expected) * model.seconds
    }

    /// The number of nodes (root included) that is worth most beside the time that verifying it takes, and the tokens
    /// expected of it: the bonus token and the sum of the scores.
    ///
    /// - Parameter ranked: candidates by falling score.
    func bestSize(_ ranked: [Int], of growth: TreeGrowth) -> (nodes: Int, expected: Float) {
        let most = min(growth.nodeLimit, ranked.count + 1)
        guard options.nodes == nil, let rate = costs.rate else {
            return (most, ranked.prefix(most - 1).reduce(1) { $0 + growth.candidates[$1].score })
        }
        var best = (nodes: 1, expected: Float(1))
        var bestWorth = -Double.infinity
        var expected: Float = 1
        for nodes in 1...most {
            if nodes > 1 {
                let score = growth.candidates[ranked[nodes - 2]].score
                guard score >= TreeGrowth.leastScore else { break }
                expected += score
            }
            let worth = Double(expected) - rate * (costs.verify.seconds(rows: nodes) ?? 0)
            if worth > bestWorth { (bestWorth, best) = (worth, (nodes, expected)) }
        }
        return best
    }

    /// The part of the frontier, best first, that deserves a draft pass; empty when none does.
    func part(of frontier: ArraySlice<Int>, worthExpandingIn growth: TreeGrowth) -> [Int] {
        options.nodes == nil ? worthwhile(frontier, of: growth) : expandable(frontier, of: growth)
    }

    /// With a fixed number of nodes: frontier candidates whose children might still be among the best.
    private func expandable(_ frontier: ArraySlice<Int>, of growth: TreeGrowth) -> [Int] {
        let ranked = growth.byScore
        guard ranked.count >= growth.nodeLimit - 1 else { return Array(frontier) }
        let last = growth.candidates[ranked[growth.nodeLimit - 2]].score
        return frontier.filter { growth.candidates[$0].score > last }
    }

    /// The part of the frontier whose expansion is worth its time; empty when none is.
    ///
    /// Several nodes may be expanded by one level, or the best one by several levels: a single further node seldom pays
    /// for a draft pass where the kernels take rows in groups.
    private func worthwhile(_ frontier: ArraySlice<Int>, of growth: TreeGrowth) -> [Int] {
        let nodes = bestSize(growth.byScore, of: growth).nodes
        guard let rate = costs.rate, let verifyNow = costs.verify.seconds(rows: nodes) else {
            return Array(frontier.prefix(1))
        }
        func worth(gain: Double, nodes more: Int, draft: Double) -> Double {
            let verify = costs.verify.seconds(rows: min(nodes + more, growth.nodeLimit)) ?? verifyNow
            return gain - rate * (draft + verify - verifyNow)
        }
        let acceptance = costs.calibration.firstRank
        var best = (worth: 0.0, width: 0)
        var gain = 0.0
        for (offset, index) in frontier.enumerated() {
            gain += newScore(below: index, of: growth)
            let draft = costs.draft.seconds(rows: offset + 1) ?? 0
            let worth = worth(gain: gain, nodes: offset + 1, draft: draft)
            if worth > best.worth { best = (worth, offset + 1) }
        }
        guard best.width == 0, let first = frontier.first else { return Array(frontier.prefix(best.width)) }
        gain = 0
        var level = newScore(below: first, of: growth)
        for ahead in 1...Self.levelsAhead {
            gain += level
            level *= acceptance
            let draft = Double(ahead) * (costs.draft.seconds(rows: 1) ?? 0)
            if worth(gain: gain, nodes: ahead, draft: draft) > 0 { return [first] }
        }
        return []
    }

    /// What a draft pass over a candidate may be expected to add to what was looked up below it.
    private func newScore(below index: Int, of growth: TreeGrowth) -> Double {
        let known = growth.candidates.reduce(0) { $0 + ($1.parent == index ? Double($1.score) : 0) }
        return max(0, Double(growth.candidates[index].score) * costs.calibration.firstRank - known)
    }
}
