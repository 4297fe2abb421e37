// RoundLanes.swift — the nodes of a round in the order in which they are drawn. Used by the drawings and the cursor.

import Engine

/// A round's tree with the bonus token in it, laid out in lanes: one row for each path's end, the accepted path on top.
///
/// The bonus token is the node whose index is the count of the tree's nodes.
struct RoundLanes: Sendable, Equatable {
    /// All nodes from top to bottom and, within a row, from left to right.
    private(set) var order: [Int] = []
    /// Children of each node from top to bottom: what the target went on with, then by the draft's probability.
    private(set) var children: [[Int]]
    private(set) var rows: [Int]
    private(set) var depths: [Int]
    private(set) var rowCount = 0
    private let parents: [Int?]

    init(_ round: SpeculationRound) {
        let nodes = round.tree.nodes
        let path = Set(round.accepted)
        parents = nodes.map(\.parent) + [round.accepted.last ?? 0]
        depths = nodes.map(\.depth) + [round.accepted.count + 1]
        children = Array(repeating: [], count: nodes.count + 1)
        rows = Array(repeating: 0, count: nodes.count + 1)
        for (index, parent) in parents.enumerated() { if let parent { children[parent].append(index) } }
        for index in children.indices {
            children[index].sort { a, b in
                RoundLanes.rank(a, nodes, path) == RoundLanes.rank(b, nodes, path)
                    ? a < b : RoundLanes.rank(a, nodes, path) > RoundLanes.rank(b, nodes, path)
            }
        }
        var stack = [0]
        while let index = stack.popLast() {
            order.append(index)
            rows[index] = rowCount
            if children[index].isEmpty { rowCount += 1 }
            stack += children[index].reversed()
        }
    }

    /// Above all probabilities for what the target chose.
    private static func rank(_ index: Int, _ nodes: [DraftTree.Node], _ path: Set<Int>) -> Float {
        index == nodes.count || path.contains(index) ? 2 : nodes[index].probability
    }

    func parent(of node: Int) -> Int? { parents.indices.contains(node) ? parents[node] : nil }

    func firstChild(of node: Int) -> Int? { children.indices.contains(node) ? children[node].first : nil }

    /// The node above or below: at the same depth if there is one, else in the nearest row the deepest that is no deeper.
    func neighbour(of node: Int, below: Bool) -> Int? {
        guard rows.indices.contains(node) else { return nil }
        let beyond = order.filter { below ? rows[$0] > rows[node] : rows[$0] < rows[node] }
        func isNearer(_ a: Int, _ b: Int) -> Bool {
            rows[a] == rows[b] ? depths[a] > depths[b] : below ? rows[a] < rows[b] : rows[a] > rows[b]
        }
        let level = beyond.filter { depths[$0] == depths[node] }
        return (level.isEmpty ? beyond.filter { depths[$0] < depths[node] } : level).min(by: isNearer)
    }
}

extension SpeculationRound {
    /// The node after which the target went its own way: the last accepted one, or the root.
    var turningPoint: Int { accepted.last ?? 0 }
}
