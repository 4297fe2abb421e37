// TreeDrawing.swift — a round's tree as lanes: the accepted path straight on top, siblings below, the rest folded.

import Engine

/// A tree laid out in rows and columns.
///
/// The lanes depend on the round alone, not on the phase of its showing, so nothing moves when the verdict comes.
struct TreeDrawing: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        /// Index in the round; the count of its nodes for the bonus token.
        var index: Int
        var verdict: NodeVerdict
        var token: [Glyph]
        /// Who else than a draft model proposed it; empty for a draft model alone.
        var source = ""
        /// Absent for the root and the bonus token.
        var probability: Float?
        var depth: Int
        /// Indices into `nodes`, the first on this node's own row.
        var children: [Int] = []
        /// Nodes below this one that there was no room for.
        var folded = 0
        /// The bonus token comes after this node, or after accepted nodes below it, and had no room.
        var hidesBonus = false
        var row = 0
    }

    private(set) var nodes: [Node] = []
    /// First column of each depth.
    private(set) var columns: [Int] = []
    private(set) var rows = 0
    let manner: Manner

    /// How much room a node takes.
    struct Manner: Sendable, Equatable {
        /// Columns of a token's text at most.
        var token: Int
        var showsProbability = false
        /// Columns between a label and the next; the lanes run in them.
        var gap = 4
        /// A blank between mark and token.
        var isAiry = true
    }

    /// From roomy to dense.
    private static let manners = [
        Manner(token: 12, showsProbability: true), Manner(token: 9, showsProbability: true), Manner(token: 9),
        Manner(token: 6, gap: 3), Manner(token: 6, gap: 2, isAiry: false), Manner(token: 4, gap: 2, isAiry: false),
    ]

    /// Nodes of the round that are drawn, the root and the bonus token not counted.
    var drawn: Int { nodes.count { $0.probability != nil } }

    /// The roomiest drawing of `round` that fits and shows the accepted path to its end.
    ///
    /// Depths that the target never reached are folded before the rest is drawn more densely.
    ///
    /// - Parameter cursor: a node that must not be folded away.
    static func fitting(
        _ round: SpeculationRound, rows: Int, width: Int, symbols: Symbols, cursor: Int? = nil
    ) -> TreeDrawing {
        func drawing(_ depth: Int, _ manner: Manner) -> TreeDrawing {
            TreeDrawing(round, rows: rows, depthLimit: depth, manner: manner, symbols: symbols, cursor: cursor)
        }
        let deepest = max(round.tree.nodes.reduce(0) { max($0, $1.depth) }, round.accepted.count + 1)
        // The bonus token stands one deeper than the path; a few levels are worth seeing in any case.
        let looked = cursor.map { round.tree.nodes.indices.contains($0) ? round.tree.nodes[$0].depth : 0 } ?? 0
        let needed = min(deepest, max(round.accepted.count + 1, 3, looked))
        for manner in manners {
            for depth in (needed...deepest).reversed() {
                let drawing = drawing(depth, manner)
                if drawing.width <= width { return drawing }
            }
        }
        // Not even the path fits: its end is folded too.
        let densest = manners[manners.count - 1]
        for depth in (1..<max(2, needed)).reversed() {
            let drawing = drawing(depth, densest)
            if drawing.width <= width { return drawing }
        }
        return drawing(0, densest)
    }

    /// The roomiest drawing of all nodes, with as many rows as it takes; nil when its columns do not fit.
    static func whole(_ round: SpeculationRound, width: Int, symbols: Symbols) -> TreeDrawing? {
        manners.lazy.map { TreeDrawing(round, rows: .max, depthLimit: .max, manner: $0, symbols: symbols, cursor: nil) }
            .first { $0.width <= width }
    }

    private init(
        _ round: SpeculationRound, rows rowLimit: Int, depthLimit: Int, manner: Manner, symbols: Symbols, cursor: Int?
    ) {
        self.manner = manner
        let kept = TreeDrawing.kept(round, rows: rowLimit, depthLimit: depthLimit, cursor: cursor)
        let verdicts = round.verdicts
        var places: [Int: Int] = [:]
        for index in round.tree.nodes.indices {
            let node = round.tree.nodes[index]
            guard kept.contains(index) else {
                var ancestor = node.parent ?? 0
                while places[ancestor] == nil { ancestor = round.tree.nodes[ancestor].parent ?? 0 }
                nodes[places[ancestor] ?? 0].folded += 1
                continue
            }
            let label = TokenLabel.text(of: round.piece(of: index), in: symbols)
            places[index] = nodes.count
            if let parent = node.parent.flatMap({ places[$0] }) { nodes[parent].children.append(nodes.count) }
            nodes.append(
                Node(
                    index: index, verdict: verdicts[index],
                    token: DisplayText.clipped(label, to: manner.token, mark: symbols.ellipsis),
                    source: symbols.mark(node.source), probability: node.parent == nil ? nil : node.probability,
                    depth: node.depth))
        }
        addBonus(round, below: places, depthLimit: depthLimit, symbols: symbols)
        sortChildren(as: RoundLanes(round))
        placeRows()
        placeColumns(symbols)
    }

    /// The nodes that get a place: the accepted path, the way to the cursor, then the likeliest as long as there are rows.
    private static func kept(_ round: SpeculationRound, rows: Int, depthLimit: Int, cursor: Int?) -> Set<Int> {
        let nodes = round.tree.nodes
        var kept: Set<Int> = [0]
        var hasChild: Set<Int> = []
        for index in round.accepted where nodes[index].depth <= depthLimit {
            kept.insert(index)
            if let parent = nodes[index].parent { hasChild.insert(parent) }
        }
        hasChild.insert(round.accepted.last ?? 0)
        var used = 1
        if let cursor, nodes.indices.contains(cursor) {
            for index in round.tree.path(to: cursor) where !kept.contains(index) && nodes[index].depth <= depthLimit {
                guard let parent = nodes[index].parent, kept.contains(parent) else { break }
                if !hasChild.insert(parent).inserted { used += 1 }
                kept.insert(index)
            }
        }
        let likeliest = nodes.indices.sorted { (nodes[$0].score, $1) > (nodes[$1].score, $0) }
        for index in likeliest where !kept.contains(index) && nodes[index].depth <= depthLimit {
            guard let parent = nodes[index].parent, kept.contains(parent) else { continue }
            let needed = hasChild.contains(parent) ? 1 : 0
            guard used + needed <= rows else { continue }
            used += needed
            kept.insert(index)
            hasChild.insert(parent)
        }
        return kept
    }

    private mutating func addBonus(
        _ round: SpeculationRound, below places: [Int: Int], depthLimit: Int, symbols: Symbols
    ) {
        let path = [0] + round.accepted
        let parent = path.last { places[$0] != nil }.flatMap { places[$0] } ?? 0
        let depth = round.accepted.count + 1
        guard depth <= depthLimit else {
            nodes[parent].hidesBonus = true
            return
        }
        let label = TokenLabel.text(of: round.bonusPiece, in: symbols)
        nodes[parent].children.append(nodes.count)
        nodes.append(
            Node(
                index: round.tree.count, verdict: .bonus,
                token: DisplayText.clipped(label, to: manner.token, mark: symbols.ellipsis),
                probability: nil, depth: depth))
    }

    private mutating func sortChildren(as lanes: RoundLanes) {
        for index in nodes.indices {
            let places = Dictionary(uniqueKeysWithValues: nodes[index].children.map { (nodes[$0].index, $0) })
            nodes[index].children = lanes.children[nodes[index].index].compactMap { places[$0] }
        }
    }

    private mutating func placeRows() {
        var next = 0
        var stack = [0]
        while let index = stack.popLast() {
            nodes[index].row = next
            if nodes[index].children.isEmpty { next += 1 }
            stack += nodes[index].children.reversed()
        }
        rows = next
    }

    private mutating func placeColumns(_ symbols: Symbols) {
        let depth = nodes.reduce(0) { max($0, $1.depth) }
        var widths = Array(repeating: 0, count: depth + 1)
        for node in nodes { widths[node.depth] = max(widths[node.depth], labelWidth(node)) }
        var column = 0
        columns = widths.map { width in
            defer { column += width + manner.gap }
            return column
        }
        columns.append(column)
    }

    private func labelWidth(_ node: Node) -> Int {
        var width = node.token.reduce(0) { $0 + $1.width }
        if node.verdict != .root { width += manner.isAiry ? 2 : 1 }
        width += DisplayText.width(node.source)
        if manner.showsProbability, node.probability != nil { width += 4 }
        if node.folded > 0 { width += 2 + String(node.folded).count }
        if node.hidesBonus { width += 2 }
        return width
    }

    /// Columns that the drawing takes.
    var width: Int { columns[columns.count - 1] - manner.gap }
}
