// RoundInspection.swift — what the target thought of every token of a round, for a panel that explains the round.

/// The target's side of a round: its distribution after each node, and the noise that decided.
///
/// Distributions are those that Rule 1 chooses from: after repetition penalty, temperature and filters, before noise.
public struct RoundInspection: Sendable, Equatable, Codable {
    /// What the target thought of one token that was drafted or chosen.
    public struct Token: Sendable, Equatable, Codable {
        /// The target's probability of this token after its parent, in 0...1; 0 where a filter left it out.
        public let probability: Float
        /// How many tokens the target holds likelier after the parent, before filters; 0 for its likeliest.
        public let rank: Int
        /// The Gumbel noise that was added to it; absent at temperature 0.
        public let noise: Float?

        public init(probability: Float, rank: Int, noise: Float?) {
            self.probability = probability
            self.rank = rank
            self.noise = noise
        }
    }

    /// A token that the target might have gone on with.
    public struct Successor: Sendable, Equatable, Codable {
        public let token: Int32
        /// The target's probability of it, in 0...1.
        public let probability: Float
        public let piece: TokenPiece

        public init(token: Int32, probability: Float, piece: TokenPiece) {
            self.token = token
            self.probability = probability
            self.piece = piece
        }
    }

    /// One for each node of the tree after the root, in the tree's order, then one for the bonus token.
    public let tokens: [Token]
    /// For each node of the tree, the root included: the target's likeliest successors, best first, at most five and no
    /// more than the filters leave.
    public let successors: [[Successor]]
    /// Seconds that the inspection took; none of the round's own times holds them.
    public let seconds: Double

    public init(tokens: [Token], successors: [[Successor]], seconds: Double) {
        self.tokens = tokens
        self.successors = successors
        self.seconds = seconds
    }

    /// True when it speaks of a tree of this size in numbers that can be drawn.
    func isSound(nodes: Int) -> Bool {
        tokens.count == nodes && successors.count == nodes && seconds >= 0
            && tokens.allSatisfy { (0...1).contains($0.probability) && $0.rank >= 0 && $0.noise?.isFinite ?? true }
            && successors.joined().allSatisfy { (0...1).contains($0.probability) }
    }
}
