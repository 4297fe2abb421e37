// NodeFacts.swift — all that is known of one token of a round: from the draft, from the target, and of what may follow.

import Engine

struct NodeFacts: Sendable, Equatable {
    /// A token that the draft proposed or the target thought of after this one.
    struct Successor: Sendable, Equatable {
        let token: Int32
        let piece: TokenPiece
        let verdict: NodeVerdict?
        /// Absent where the draft did not propose it, or the target's thoughts are not known.
        var draft: Float?
        var target: Float?
    }

    let token: Int32
    let piece: TokenPiece
    let verdict: NodeVerdict
    let depth: Int
    /// Nodes from the root to this one.
    let path: [Int]
    /// The draft's probability, its place among what the draft proposed here, from 1, and the estimate that the answer
    /// comes by; absent for the bonus token and the root.
    let draft: (probability: Float, rank: Int, proposals: Int, score: Float)?
    /// Who proposed it; absent for the bonus token and the root, and in rounds of before there were several drafters.
    let source: DraftTree.Source?
    /// The target's probability after the parent, and its place among all tokens, from 1.
    let target: (probability: Float, rank: Int, noise: Float?)?
    /// Best first by the target where it is known, else by the draft.
    let successors: [Successor]

    /// - Parameter node: index in the tree; its count means the bonus token. Anything else counts as the root.
    init(_ round: SpeculationRound, node wanted: Int) {
        let isBonus = wanted == round.tree.count
        let node = round.tree.nodes.indices.contains(wanted) || isBonus ? wanted : 0
        piece = round.piece(of: node)
        if isBonus {
            token = round.bonus
            verdict = .bonus
            depth = round.accepted.count + 1
            path = [0] + round.accepted + [node]
            draft = nil
            source = nil
        } else {
            let place = round.tree.nodes[node]
            source = place.source
            token = place.token
            verdict = round.verdicts[node]
            depth = place.depth
            path = round.tree.path(to: node)
            draft = place.parent.map { parent in
                let proposals = round.tree.children(of: parent)
                return (place.probability, (proposals.firstIndex(of: node) ?? 0) + 1, proposals.count, place.score)
            }
        }
        target = NodeFacts.target(round, node)
        successors = isBonus ? [] : NodeFacts.successors(round, after: node)
    }

    private static func successors(_ round: SpeculationRound, after node: Int) -> [Successor] {
        var all = likeliest(round, after: node)
        let verdicts = round.verdicts
        for child in round.tree.children(of: node) {
            let place = round.tree.nodes[child]
            let known = Successor(
                token: place.token, piece: round.piece(of: child), verdict: verdicts[child], draft: place.probability,
                target: target(round, child)?.probability)
            if let index = all.firstIndex(where: { $0.token == place.token }) {
                all[index] = known
            } else {
                all.append(known)
            }
        }
        if node == round.turningPoint {
            let bonus = Successor(
                token: round.bonus, piece: round.bonusPiece, verdict: .bonus,
                draft: all.first { $0.token == round.bonus }?.draft,
                target: target(round, round.tree.count)?.probability)
            if let index = all.firstIndex(where: { $0.token == round.bonus }) {
                all[index] = bonus
            } else {
                all.append(bonus)
            }
        }
        return all.enumerated().sorted { a, b in
            let (left, right) = (a.element.target ?? a.element.draft ?? 0, b.element.target ?? b.element.draft ?? 0)
            return left == right ? a.offset < b.offset : left > right
        }.map(\.element)
    }

    // MARK: The target's thoughts

    /// Absent for the root, and for rounds whose engine was not asked.
    private static func target(
        _ round: SpeculationRound, _ node: Int
    ) -> (probability: Float, rank: Int, noise: Float?)? {
        guard let tokens = round.inspection?.tokens, tokens.indices.contains(node - 1) else { return nil }
        let token = tokens[node - 1]
        return (token.probability, token.rank + 1, token.noise)
    }

    private static func likeliest(_ round: SpeculationRound, after node: Int) -> [Successor] {
        guard let lists = round.inspection?.successors, lists.indices.contains(node) else { return [] }
        return lists[node].map {
            Successor(token: $0.token, piece: $0.piece, verdict: nil, draft: nil, target: $0.probability)
        }
    }

    static func == (a: NodeFacts, b: NodeFacts) -> Bool {
        a.token == b.token && a.path == b.path && a.successors == b.successors && a.verdict == b.verdict
    }
}
