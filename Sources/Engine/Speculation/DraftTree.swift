// DraftTree.swift — what the drafter hands to the verifier. Built by TreeGrowth, read by Verifier, drawn by the screen.

/// Tokens that the draft proposes below the last chosen token.
///
/// Nodes stand breadth first, every parent before its children, so any prefix is itself a tree and pruning is
/// truncation. Node 0 is the root: the last chosen token, whose successors are not known yet. Decoding without
/// speculation is a tree that is only its root.
public struct DraftTree: Sendable, Equatable, Codable {
    /// Who proposed a node.
    public enum Source: String, Sendable, Equatable, Codable, CaseIterable {
        /// A draft model.
        case model
        /// Words that were said before.
        case lookup
        /// Both, each for itself.
        case both
    }

    public struct Node: Sendable, Equatable, Codable {
        public let token: Int32
        /// Index of the parent; absent at the root.
        public let parent: Int?
        /// Steps from the root, whose depth is 0.
        public let depth: Int
        /// The draft model's probability of this token after its parent, in 0...1, or the lookup's estimate where no model
        /// spoke of it; 1 at the root.
        public let probability: Float
        /// Estimated probability that the answer passes through this node, in 0...1; 1 at the root.
        public let score: Float
        /// Who proposed it; absent at the root, and in rounds that were written down before there were several drafters.
        public let source: Source?

        public init(
            token: Int32, parent: Int?, depth: Int, probability: Float, score: Float, source: Source? = nil
        ) {
            self.token = token
            self.parent = parent
            self.depth = depth
            self.probability = probability
            self.score = score
            self.source = source
        }
    }

    public private(set) var nodes: [Node]

    /// The tree that is only its root.
    public init(root token: Int32) {
        nodes = [Node(token: token, parent: nil, depth: 0, probability: 1, score: 1)]
    }

    /// The same with room for so many nodes.
    init(root token: Int32, capacity: Int) {
        self.init(root: token)
        nodes.reserveCapacity(capacity)
    }

    public var root: Node { nodes[0] }
    public var count: Int { nodes.count }
    public var depth: Int { nodes.last?.depth ?? 0 }

    /// Adds a node below `parent` and returns its index. The depth must not be less than that of the last node.
    @discardableResult
    public mutating func append(
        _ token: Int32, below parent: Int, probability: Float, score: Float, source: Source? = nil
    ) -> Int {
        let depth = nodes[parent].depth + 1
        precondition(depth >= self.depth, "DraftTree: nodes are added level by level")
        nodes.append(
            Node(
                token: token, parent: parent, depth: depth, probability: probability, score: score, source: source))
        return nodes.count - 1
    }

    /// Indices of the children of `parent`, in the order in which the draft ranked them.
    public func children(of parent: Int) -> [Int] {
        nodes.indices.filter { nodes[$0].parent == parent }
    }

    /// Indices from the root down to `index`, both included.
    public func path(to index: Int) -> [Int] {
        var path = [index]
        while let parent = nodes[path[path.count - 1]].parent { path.append(parent) }
        return path.reversed()
    }
}
