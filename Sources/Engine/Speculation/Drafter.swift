// Drafter.swift — who proposes tokens: follows the text, adds candidates to a growing tree, learns what became of them.

/// What a drafter is asked for: candidates below the last chosen token.
struct DraftRequest {
    /// The last chosen token; it is in no drafter's text yet.
    let root: Int32
    let choice: TokenChoice
    /// Generated tokens of the conversation, the root included; that of the root's successor.
    let position: Int
    /// The text up to the root, which is part of it.
    let seen: SeenTokens
    /// Tokens that the answer may still get, at least 2.
    let limit: Int
}

/// What became of a round's tree.
struct DraftOutcome {
    let tree: DraftTree
    /// The candidate that each node after the root came from.
    let origins: [Int]
    /// Accepted nodes from the root's child down.
    let accepted: [Int]

    /// What the round settled beside the bonus token: the root and the accepted path.
    var settled: [Int32] { [tree.root.token] + accepted.map { tree.nodes[$0].token } }
}

/// A text's first tokens and the picture after them.
struct DraftOpening {
    let tokens: [Int32]
    let pictureRows: Int
    /// The target's vision features of the picture. Shape: [n, vision hidden]; absent where nobody needs them.
    let features: (any Matrix)?
    /// The rows of a draft model that read them before, layer by layer; absent where none did.
    let numbers: [[Float]]?
}

/// Proposes what the target might say. What it says can cost speed, never change the text (Docs/Decisions/0003).
///
/// A drafter follows the whole text, also while it is not asked.
protocol Drafter: AnyObject {
    /// As `--draft` names it.
    var name: String { get }

    /// Forgets the text, not what was learned about costs.
    func clear()
    /// Text that came to stand at the end.
    func append(_ tokens: [Int32])
    /// A picture of so many rows, by the target's own vision features [n, vision hidden].
    func append(picture features: any Matrix, rows: Int)
    /// Begins a text with what was read before.
    func begin(with opening: DraftOpening)
    /// Forgets what comes after so many tokens and picture rows of the text. What it has not been given yet is no matter.
    func truncate(toTokens tokens: Int, pictureRows: Int)
    /// Does what can be done before the first proposal.
    ///
    /// - Parameter step: called after each piece of work; it may throw to stop, and what was not done goes on waiting.
    func prefill(step: () throws -> Void) throws
    /// Adds candidates for what comes after the request's root.
    func propose(_ request: DraftRequest, into growth: inout TreeGrowth) throws
    /// Follows the text by a round, whether it was asked in it or not.
    func observe(_ outcome: DraftOutcome)
}

/// Several drafters, one tree: each adds its candidates to what those before it found.
final class CombinedDrafter: Drafter {
    private let drafters: [any Drafter]

    /// - Parameter drafters: the cheapest first, since each may leave the work to those before it.
    init(_ drafters: [any Drafter]) {
        precondition(!drafters.isEmpty, "CombinedDrafter: nobody to combine")
        self.drafters = drafters
    }

    /// The dearest first, as people write it: "small+lookup".
    var name: String { drafters.reversed().map(\.name).joined(separator: "+") }

    func clear() { for drafter in drafters { drafter.clear() } }
    func append(_ tokens: [Int32]) { for drafter in drafters { drafter.append(tokens) } }
    func append(picture features: any Matrix, rows: Int) {
        for drafter in drafters { drafter.append(picture: features, rows: rows) }
    }
    func begin(with opening: DraftOpening) { for drafter in drafters { drafter.begin(with: opening) } }
    func truncate(toTokens tokens: Int, pictureRows: Int) {
        for drafter in drafters { drafter.truncate(toTokens: tokens, pictureRows: pictureRows) }
    }
    func prefill(step: () throws -> Void) throws { for drafter in drafters { try drafter.prefill(step: step) } }
    func propose(_ request: DraftRequest, into growth: inout TreeGrowth) throws {
        for drafter in drafters { try drafter.propose(request, into: &growth) }
    }
    func observe(_ outcome: DraftOutcome) { for drafter in drafters { drafter.observe(outcome) } }
}
