import Testing

@testable import Engine

@Suite struct `Draft tree` {
    @Test func `a path runs from the root to the node`() {
        var tree = DraftTree(root: 7)
        let a = tree.append(1, below: 0, probability: 0.6, score: 0.6)
        tree.append(2, below: 0, probability: 0.3, score: 0.3)
        let c = tree.append(3, below: a, probability: 0.5, score: 0.3)
        #expect(tree.path(to: c) == [0, a, c])
        #expect(tree.children(of: 0).count == 2)
        #expect(tree.depth == 2)
    }
}
