// RoundVerdict.swift — what the target thought of each node of a round's tree. Read by the tree panel and the text form.

import Engine

enum NodeVerdict: Sendable, Equatable {
    case root
    case accepted
    /// The target reached the parent and chose another token.
    case rejected
    /// Below a rejection: never considered.
    case unreached
    /// The target's own token after the accepted path.
    case bonus
    /// Not verified yet.
    case drafted
}

extension SpeculationRound {
    /// One verdict for each node of the tree.
    var verdicts: [NodeVerdict] {
        let path = Set(accepted)
        return tree.nodes.indices.map { index in
            guard let parent = tree.nodes[index].parent else { return .root }
            if path.contains(index) { return .accepted }
            return parent == 0 || path.contains(parent) ? .rejected : .unreached
        }
    }

    var bonusPiece: TokenPiece { piece(of: tree.count) }

    /// The piece of a node, or after the last of them that of the bonus token; a damaged trace may lack it.
    func piece(of node: Int) -> TokenPiece {
        pieces.indices.contains(node) ? pieces[node] : TokenPiece(bytes: Array("?".utf8), isControl: true)
    }
}

extension Symbols {
    func mark(_ verdict: NodeVerdict) -> String {
        switch verdict {
        case .root: ""
        case .accepted: accepted
        case .rejected: rejected
        case .unreached: unreached
        case .bonus: bonus
        case .drafted: drafted
        }
    }
}

extension Symbols {
    /// Says who proposed a node, beside its token: nothing where a draft model did alone, as is the rule.
    func mark(_ source: DraftTree.Source?) -> String {
        switch source {
        case nil, .model: ""
        case .lookup: lookedUp
        case .both: proposedByBoth
        }
    }
}

extension DraftTree.Source {
    /// Who it was, for the eye.
    var title: String {
        switch self {
        case .model: "draft model"
        case .lookup: "looked up"
        case .both: "draft model and looked up"
        }
    }
}

extension SpeculationRound {
    /// Whether any node was looked up.
    var hasLookups: Bool { tree.nodes.contains { $0.source == .lookup || $0.source == .both } }
}

extension NodeVerdict {
    var role: Role {
        switch self {
        case .root: .strong
        case .accepted: .accepted
        case .rejected: .rejected
        case .unreached: .unreached
        case .bonus: .bonus
        case .drafted: .drafted
        }
    }
}
