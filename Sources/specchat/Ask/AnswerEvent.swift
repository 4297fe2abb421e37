// AnswerEvent.swift — what `--jsonl` prints, a line each. The names are a contract with whoever reads them.

import Engine

/// One thing that happened to an answer.
enum AnswerEvent: Encodable {
    /// A tree was drafted.
    case draft(SpeculationRound)
    /// The target has looked at all of it.
    case verify(SpeculationRound)
    /// A path was kept, and the target's own token after it.
    case accept(SpeculationRound)
    /// Characters came to the answer.
    case text(String, round: Int)
    case done(GenerationReport)

    /// What a round is told as; no text event when it added no whole character.
    static func events(of round: SpeculationRound, text: String) -> [AnswerEvent] {
        [.draft(round), .verify(round), .accept(round)] + (text.isEmpty ? [] : [.text(text, round: round.index)])
    }

    private enum CodingKeys: String, CodingKey {
        case event, round, nodes, budget, passes, milliseconds, path, tokens, bonus, text, finish
    }

    private struct Node: Encodable {
        let piece: PieceJSON
        let node: DraftTree.Node

        enum CodingKeys: CodingKey { case parent, depth, probability, score, source }

        func encode(to encoder: any Encoder) throws {
            try piece.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            // The root's is null: a key that is sometimes missing is a trap for scripts.
            try container.encode(node.parent, forKey: .parent)
            try container.encode(node.depth, forKey: .depth)
            try container.encode(node.probability, forKey: .probability)
            try container.encode(node.score, forKey: .score)
            try container.encode(node.source, forKey: .source)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .draft(let round):
            try container.encode("draft", forKey: .event)
            try container.encode(round.index, forKey: .round)
            try container.encode(Self.nodes(of: round), forKey: .nodes)
            try container.encode(BudgetJSON(round.budget), forKey: .budget)
            try container.encode(round.draftPasses, forKey: .passes)
            try container.encode(Self.milliseconds(round.seconds.draft), forKey: .milliseconds)
        case .verify(let round):
            try container.encode("verify", forKey: .event)
            try container.encode(round.index, forKey: .round)
            try container.encode(round.tree.count, forKey: .nodes)
            try container.encode(Self.milliseconds(round.seconds.verify), forKey: .milliseconds)
        case .accept(let round):
            try container.encode("accept", forKey: .event)
            try container.encode(round.index, forKey: .round)
            try container.encode(round.accepted, forKey: .path)
            try container.encode(round.tokens, forKey: .tokens)
            try container.encode(Self.bonus(of: round), forKey: .bonus)
            try container.encode(Self.milliseconds(round.seconds.choose), forKey: .milliseconds)
        case .text(let text, let round):
            try container.encode("text", forKey: .event)
            try container.encode(round, forKey: .round)
            try container.encode(text, forKey: .text)
        case .done(let report):
            try AnswerJSON(report: report).encode(to: encoder)
            try container.encode("done", forKey: .event)
            try container.encode(report.finish, forKey: .finish)
        }
    }

    private static func nodes(of round: SpeculationRound) -> [Node] {
        zip(round.tree.nodes, round.pieces).map { Node(piece: PieceJSON(token: $0.token, $1), node: $0) }
    }

    private static func bonus(of round: SpeculationRound) -> PieceJSON? {
        round.pieces.last.map { PieceJSON(token: round.bonus, $0) }
    }

    /// To the microsecond: the clock is no finer.
    private static func milliseconds(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e3 }
}

/// A token and what it is in the text.
private struct PieceJSON: Encodable {
    let token: Int32
    /// With a replacement character for what is no whole one.
    let text: String
    /// Hexadecimal.
    let bytes: String
    let control: Bool
}

extension PieceJSON {
    init(token: Int32, _ piece: TokenPiece) {
        self.init(
            token: token, text: String(decoding: piece.bytes, as: UTF8.self),
            bytes: piece.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), control: piece.isControl)
    }
}

/// Why the tree had the size that it had.
private struct BudgetJSON: Encodable {
    let nodes: Int
    let expectedTokens: Float
    let reason: String
    let draftRests: Bool

    enum CodingKeys: String, CodingKey {
        case nodes, reason
        case draftRests = "draft_rests"
        case expectedTokens = "expected_tokens"
    }

    init(_ budget: BudgetChoice) {
        nodes = budget.nodes
        expectedTokens = budget.expectedTokens
        reason = budget.reason
        draftRests = budget.draftRests ?? false
    }
}
