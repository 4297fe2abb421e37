import Testing

@testable import Engine

@Suite struct `The walk of the verifier` {
    /// A random tree and, for each node, the token that a made-up target chooses after it.
    private static func world(_ seed: UInt64) -> (tree: DraftTree, choices: [Int32]) {
        var random = SeededGenerator(seed: seed)
        var tree = DraftTree(root: 9)
        var level = [0]
        for _ in 0..<4 {
            var next: [Int] = []
            for parent in level {
                for token in Int32(0)..<3 where Bool.random(using: &random) && tree.count < 24 {
                    next.append(tree.append(token, below: parent, probability: 0.5, score: 0.1))
                }
            }
            level = next
        }
        return (tree, tree.nodes.map { _ in Int32.random(in: 0..<4, using: &random) })
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `the walk from the root finds the deepest confirmed leaf`(seed: UInt64) {
        let (tree, choices) = Self.world(seed)
        let verdict = Verifier.walk(tree, stopTokens: [], limit: 100) { node, _ in choices[node] }
        // Spec-LLaVA's search from the leaves up: the deepest node whose whole path the target confirms.
        let confirmed = tree.nodes.indices.filter { index in
            tree.path(to: index).dropFirst().allSatisfy { node in
                tree.nodes[node].parent.map { choices[$0] } == tree.nodes[node].token
            }
        }
        let deepest = confirmed.max { tree.nodes[$0].depth < tree.nodes[$1].depth } ?? 0
        #expect(Array(tree.path(to: deepest).dropFirst()) == verdict.accepted)
        #expect(verdict.bonus == choices[deepest])
    }

    @Test func `a stop token ends the walk as the bonus token`() {
        var tree = DraftTree(root: 9)
        let child = tree.append(2, below: 0, probability: 1, score: 1)
        tree.append(5, below: child, probability: 1, score: 1)
        let verdict = Verifier.walk(tree, stopTokens: [2], limit: 9) { node, _ in node == 0 ? 2 : 5 }
        #expect(verdict == Verdict(accepted: [], bonus: 2))
    }

    @Test(arguments: 1...4)
    func `never more tokens than the limit allows`(limit: Int) {
        var tree = DraftTree(root: 9)
        var node = 0
        for token in Int32(0)..<6 { node = tree.append(token, below: node, probability: 1, score: 1) }
        let verdict = Verifier.walk(tree, stopTokens: [], limit: limit) { node, _ in Int32(node) }
        #expect(verdict.accepted.count + 1 == limit)
        #expect(verdict.bonus == Int32(limit - 1))
    }

    @Test func `the choice at a node sees the accepted tokens before it`() {
        var tree = DraftTree(root: 9)
        let a = tree.append(4, below: 0, probability: 1, score: 1)
        tree.append(6, below: a, probability: 1, score: 1)
        var paths: [[Int32]] = []
        _ = Verifier.walk(tree, stopTokens: [], limit: 9) { node, path in
            paths.append(path)
            return [4, 6, 8][node]
        }
        #expect(paths == [[], [4], [4, 6]])
    }
}
