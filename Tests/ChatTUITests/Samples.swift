// Samples.swift — rounds, states and screens that the suites share.

@testable import ChatTUI
@testable import Engine

enum Samples {
    /// A node of a tree as the tests write it: parent (0 is the root), text, draft probability.
    typealias NodeText = (parent: Int, text: String, probability: Float)

    /// A round whose score is the product of the probabilities on the way down.
    static func round(
        index: Int = 0, root: String = " ball", _ nodes: [NodeText], accepted: [Int], bonus: String,
        control: Bool = false, reason: String = "best rate at 8 nodes", position: Int = 0
    ) -> SpeculationRound {
        var tree = DraftTree(root: 1)
        for (offset, node) in nodes.enumerated() {
            tree.append(
                Int32(offset + 2), below: node.parent, probability: node.probability,
                score: tree.nodes[node.parent].score * node.probability)
        }
        let texts = [root] + nodes.map(\.text)
        let pieces = texts.map { TokenPiece(bytes: Array($0.utf8), isControl: false) }
        return SpeculationRound(
            index: index, position: position, tree: tree, accepted: accepted, bonus: 99,
            pieces: pieces + [TokenPiece(bytes: Array(bonus.utf8), isControl: control)], draftPasses: 3,
            budget: BudgetChoice(nodes: 8, expectedTokens: 3.4, reason: reason),
            seconds: .init(draft: 0.0061, verify: 0.0198, choose: 0.0002))
    }

    /// The tree of the design's sketch: three accepted, one bonus, siblings at two depths.
    static func sketch(index: Int = 0) -> SpeculationRound {
        round(
            index: index,
            [
                (0, " and", 0.81), (0, ".", 0.11), (1, " a", 0.55), (1, " the", 0.2), (3, " blue", 0.4),
                (3, " green", 0.22), (5, " cup", 0.6), (6, " cup", 0.5),
            ], accepted: [1, 3, 5], bonus: " mug")
    }

    /// A round with the target's thoughts: one accepted node, after which the target went its own way.
    static func inspected() -> SpeculationRound {
        let base = round([(0, " a", 0.8), (1, " dog", 0.4)], accepted: [1], bonus: " cat")
        func successor(_ token: Int32, _ text: String, _ probability: Float) -> RoundInspection.Successor {
            .init(
                token: token, probability: probability,
                piece: TokenPiece(bytes: Array(text.utf8), isControl: false))
        }
        let inspection = RoundInspection(
            tokens: [
                .init(probability: 0.7, rank: 0, noise: 0.25), .init(probability: 0.3, rank: 1, noise: -0.5),
                .init(probability: 0.6, rank: 0, noise: 1.5),
            ],
            successors: [
                [successor(2, " a", 0.7)],
                [successor(99, " cat", 0.6), successor(3, " dog", 0.3), successor(7, " cow", 0.1)], [],
            ], seconds: 0)
        return SpeculationRound(
            index: 0, position: 0, tree: base.tree, accepted: base.accepted, bonus: base.bonus, pieces: base.pieces,
            draftPasses: 1, budget: base.budget, seconds: base.seconds, inspection: inspection)
    }

    static func plain(index: Int) -> SpeculationRound {
        round(index: index, root: " cat", [], accepted: [], bonus: " sat", reason: "plain: a tree would not pay")
    }

    /// A loaded chat with one answer on its way.
    static func answering() -> AppState {
        var state = AppState()
        state.modelName = "demo"
        state.draftName = "small"
        state.isLoaded = true
        var now = 1.0
        func send(_ event: AppEvent) {
            _ = reduce(&state, event, at: now)
        }
        for character in "What is on the mat?" { send(.input(.key(.character(character)))) }
        send(.input(.key(.enter)))
        now = 1.25
        send(.engine(.round(plain(index: 0), text: "The cat sat on the mat, next to a small red")))
        now = 1.5
        send(.engine(.round(sketch(index: 1), text: " ball and a blue mug")))
        now = 2
        send(.tick)
        return state
    }

    static func report(text: String = "", finish: GenerationReport.FinishReason = .stop) -> GenerationReport {
        GenerationReport(
            text: text, tokens: [1, 2, 3], promptTokens: 600, rounds: 2, drafted: 8, accepted: 3, seconds: .init(),
            finish: finish, speculation: "dynamic", draft: "small", seed: 0, temperature: 0, threads: 2,
            backend: "cpu", contextUsed: 612, contextLimit: 2048)
    }
}

/// The screen as lines without the blanks at their ends.
func screen(_ state: AppState, _ columns: Int, _ rows: Int) -> [String] {
    render(state, size: Size(rows: rows, columns: columns)).lines.map { line in
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}

/// A small generator that is the same everywhere.
struct SeededRandom {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next(below limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(limit))
    }
}
