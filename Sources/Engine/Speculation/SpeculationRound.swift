// SpeculationRound.swift — grow a tree, verify it, keep a path: the unit of the loop, the screen, the trace and the tests.

/// The bytes of a token, and whether they are text or a control token such as the end of the answer.
public struct TokenPiece: Sendable, Equatable, Codable {
    /// What the token adds to the text; may end in the middle of a character.
    public let bytes: [UInt8]
    /// A control token; `bytes` then hold its name, such as "</s>", and are no part of the text.
    public let isControl: Bool

    public init(bytes: [UInt8], isControl: Bool) {
        self.bytes = bytes
        self.isControl = isControl
    }
}

/// Why the tree had the size that it had.
public struct BudgetChoice: Sendable, Equatable, Codable {
    /// Nodes that the cost model allowed, the root included.
    public let nodes: Int
    /// Tokens that it expected from the round.
    public let expectedTokens: Float
    /// One short phrase for the panel: "best rate at 8 nodes", "plain: a tree would not pay".
    public let reason: String
    /// Seconds that a pass of plain decoding would take just now by the cost curve; absent where none is known.
    public internal(set) var plainSeconds: Double?
    /// True while the draft model is switched off because it has not paid; absent otherwise.
    public let draftRests: Bool?

    public init(
        nodes: Int, expectedTokens: Float, reason: String, plainSeconds: Double? = nil, draftRests: Bool? = nil
    ) {
        self.draftRests = draftRests
        self.nodes = nodes
        self.expectedTokens = expectedTokens
        self.reason = reason
        self.plainSeconds = plainSeconds
    }
}

/// One round: the tree that was drafted, the path that the target accepted, the token that it chose after it.
public struct SpeculationRound: Sendable, Equatable, Codable {
    /// Seconds that each part took.
    public struct Seconds: Sendable, Equatable, Codable {
        public var draft: Double
        public var verify: Double
        public var choose: Double

        public init(draft: Double, verify: Double, choose: Double) {
            self.draft = draft
            self.verify = verify
            self.choose = choose
        }
    }

    /// Number of the round within the answer, from 0.
    public let index: Int
    /// Generated tokens of the conversation before this round (Rule 1's position of the first new token).
    public let position: Int
    public let tree: DraftTree
    /// Indices of the accepted nodes from the root's child down; empty when the target agreed with none.
    public let accepted: [Int]
    /// The target's own token after the accepted path: it comes free with every round.
    public let bonus: Int32
    /// One piece for each node of the tree, then one for the bonus token.
    public let pieces: [TokenPiece]
    /// Draft passes made to grow the tree.
    public let draftPasses: Int
    public let budget: BudgetChoice
    public let seconds: Seconds
    /// What the target thought of every node; absent where nobody asked for it.
    public let inspection: RoundInspection?

    public init(
        index: Int, position: Int, tree: DraftTree, accepted: [Int], bonus: Int32, pieces: [TokenPiece],
        draftPasses: Int, budget: BudgetChoice, seconds: Seconds, inspection: RoundInspection? = nil
    ) {
        self.index = index
        self.position = position
        self.tree = tree
        self.accepted = accepted
        self.bonus = bonus
        self.pieces = pieces
        self.draftPasses = draftPasses
        self.budget = budget
        self.seconds = seconds
        self.inspection = inspection
    }

    /// What the round added to the answer: the accepted tokens, then the bonus token.
    public var tokens: [Int32] { accepted.map { tree.nodes[$0].token } + [bonus] }
    /// Nodes that the draft proposed: all but the root.
    public var drafted: Int { tree.count - 1 }
}
