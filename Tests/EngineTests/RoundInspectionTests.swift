import CKernels
import Foundation
import Testing

@testable import Engine

@Suite struct `The inspection of a round` {
    private static let vocabulary = 40

    /// A tree of five nodes whose second level was reached, and made-up logits for each of them.
    private struct World {
        let tree: DraftTree
        let verdict: Verdict
        let logits: LogitRows

        init(seed: UInt64) {
            var random = SeededGenerator(seed: seed)
            var tree = DraftTree(root: 9)
            let first = tree.append(4, below: 0, probability: 0.6, score: 0.6)
            tree.append(7, below: 0, probability: 0.3, score: 0.3)
            tree.append(11, below: first, probability: 0.5, score: 0.3)
            tree.append(30, below: first, probability: 0.2, score: 0.1)
            self.tree = tree
            verdict = Verdict(accepted: [first], bonus: 22)
            let values = (0..<tree.count * vocabulary).map { _ in Float.random(in: -3...3, using: &random) }
            logits = LogitRows(values: values, columns: vocabulary, secondsToRead: 0)
        }

        func inspect(_ options: SamplerOptions, position: Int = 17) -> RoundInspection {
            let inspector = RoundInspector(choice: TokenChoice(options: options)) { token in
                TokenPiece(bytes: [UInt8(token)], isControl: false)
            }
            return inspector.inspect(
                tree, verdict, logits: logits, position: position, seen: SeenTokens(settled: [1, 9]))
        }
    }

    /// The same by the definition, in Double: penalty, temperature, filters, softmax.
    private static func distribution(
        _ logits: [Float], seen: Set<Int32>, _ options: SamplerOptions
    ) -> (scores: [Double], probabilities: [Double]) {
        var scores = logits.map(Double.init)
        for token in seen {
            let score = scores[Int(token)], penalty = Double(options.repetitionPenalty)
            scores[Int(token)] = score > 0 ? score / penalty : score * penalty
        }
        if options.temperature > 0 { scores = scores.map { $0 / Double(options.temperature) } }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        let kept = options.topK > 0 && options.temperature > 0 ? Set(order.prefix(options.topK)) : Set(order)
        let weights = scores.indices.map { kept.contains($0) ? exp(scores[$0]) : 0 }
        let sum = weights.reduce(0, +)
        return (scores, weights.map { $0 / sum })
    }

    @Test(arguments: [0, 0.7] as [Float], 0..<20 as Range<UInt64>)
    func `probabilities, ranks and noise are those that the rule chose by`(temperature: Float, seed: UInt64) {
        var options = SamplerOptions()
        (options.temperature, options.topK, options.repetitionPenalty, options.seed) = (temperature, 12, 1.3, seed)
        let world = World(seed: seed)
        let inspection = world.inspect(options)
        #expect(inspection.isSound(nodes: world.tree.count))
        // The asked tokens: the four nodes, then the bonus token after node 1.
        let asked: [(token: Int32, parent: Int, seen: Set<Int32>, depth: Int)] = [
            (4, 0, [1, 9], 0), (7, 0, [1, 9], 0), (11, 1, [1, 9, 4], 1), (30, 1, [1, 9, 4], 1), (22, 1, [1, 9, 4], 1),
        ]
        for (entry, found) in zip(asked, inspection.tokens) {
            let (scores, probabilities) = Self.distribution(world.logits.row(entry.parent), seen: entry.seen, options)
            #expect(abs(Double(found.probability) - probabilities[Int(entry.token)]) < 1e-5)
            #expect(found.rank == scores.count { $0 > scores[Int(entry.token)] })
            var noise = [Float](repeating: 0, count: Self.vocabulary)
            ck_gumbel(seed, UInt64(17 + entry.depth), noise.count, &noise)
            #expect(found.noise == (temperature > 0 ? noise[Int(entry.token)] : nil))
        }
    }

    @Test func `successors are the likeliest five of every node, best first, with their pieces`() {
        var options = SamplerOptions()
        options.temperature = 1
        let world = World(seed: 3)
        for (node, successors) in world.inspect(options).successors.enumerated() {
            let seen = Set([1, 9] + world.tree.path(to: node).map { world.tree.nodes[$0].token })
            let (scores, probabilities) = Self.distribution(world.logits.row(node), seen: seen, options)
            let best = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(5)
            #expect(successors.map(\.token) == best.map(Int32.init))
            #expect(successors.map(\.piece.bytes) == best.map { [UInt8($0)] })
            for successor in successors {
                #expect(abs(Double(successor.probability) - probabilities[Int(successor.token)]) < 1e-5)
            }
        }
        options.topK = 2
        #expect(world.inspect(options).successors.allSatisfy { $0.count == 2 })
    }

    private static func round(_ inspection: RoundInspection?) -> SpeculationRound {
        let world = World(seed: 1)
        return SpeculationRound(
            index: 0, position: 17, tree: world.tree, accepted: world.verdict.accepted, bonus: world.verdict.bonus,
            pieces: (0...world.tree.count).map { _ in TokenPiece(bytes: [], isControl: false) }, draftPasses: 1,
            budget: BudgetChoice(nodes: 5, expectedTokens: 2, reason: "fixed at 5 nodes"),
            seconds: .init(draft: 0, verify: 0, choose: 0), inspection: inspection)
    }

    @Test func `a round is read back with its inspection, and one of an older trace without`() throws {
        let seen = Self.round(World(seed: 1).inspect(SamplerOptions()))
        let text = try JSONEncoder().encode(seen)
        #expect(try JSONDecoder().decode(SpeculationRound.self, from: text) == seen)
        let old = Self.round(nil)
        let oldText = try JSONEncoder().encode(old)
        #expect(!String(decoding: oldText, as: UTF8.self).contains("inspection"))
        #expect(try JSONDecoder().decode(SpeculationRound.self, from: oldText) == old)
    }

    @Test func `an inspection from a file that speaks of another tree is refused`() {
        let sound = World(seed: 1).inspect(SamplerOptions())
        #expect(Self.round(sound).isSound)
        func with(tokens: [RoundInspection.Token]? = nil, successors: [[RoundInspection.Successor]]? = nil) -> Bool {
            Self.round(
                RoundInspection(
                    tokens: tokens ?? sound.tokens, successors: successors ?? sound.successors, seconds: 0)
            ).isSound
        }
        #expect(!with(tokens: Array(sound.tokens.dropLast())))
        #expect(!with(successors: Array(sound.successors.dropLast())))
        #expect(!with(tokens: sound.tokens.dropLast() + [.init(probability: 1.5, rank: 0, noise: nil)]))
        #expect(!with(tokens: sound.tokens.dropLast() + [.init(probability: 0.5, rank: -1, noise: nil)]))
    }
}
