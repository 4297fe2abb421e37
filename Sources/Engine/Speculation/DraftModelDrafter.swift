// DraftModelDrafter.swift — a small language model that proposes trees: a draft VLM over the target's vision features, or
// a text-only draft that never sees the picture.

/// One draft model with its own memory of the text.
///
/// Its cache holds settled tokens only; the rows of a tree are provisional, and the accepted ones among them are kept.
/// It may lag behind the text (while plain decoding is faster, or by the deepest accepted node): what it has not read
/// waits in `unread` and is read with the next proposal.
final class DraftModelDrafter {
    let name: String
    let costs: CostModel
    private let model: LanguageModel
    private let projector: Projector?
    private let stopTokens: Set<Int32>
    private let cache: KVCache
    private var unread: [Unread] = []

    private enum Unread {
        case tokens([Int32])
        case picture(any Matrix)

        var rows: Int {
            switch self {
            case .tokens(let tokens): tokens.count
            case .picture(let features): features.rows
            }
        }
    }
    private var unreadRows: Int { unread.reduce(0) { $0 + $1.rows } }
    /// What is remembered of a proposal until the verdict, for each node of the tree after the root.
    private struct Origin {
        /// Where the draft evaluated it; absent where it did not.
        let slot: Int32?
        /// Its place among the proposals of its parent.
        let rank: Int
    }
    private var proposed: [Origin]?
    private static let chunk = 256

    init(
        name: String, model: LanguageModel, projector: Projector?, stopTokens: Set<Int32>, costs: CostModel,
        capacity: Int
    ) {
        self.name = name
        self.model = model
        self.projector = projector
        self.stopTokens = stopTokens
        self.costs = costs
        cache = model.makeCache(capacity: capacity)
    }

    /// Forgets the text, not what was learned about costs.
    func clear() {
        cache.truncate(to: 0)
        unread = []
        proposed = nil
    }

    /// Forgets what comes after so many tokens and picture rows of the text. What it has not been given yet is no matter.
    func truncate(toTokens tokens: Int, pictureRows: Int) {
        let length = tokens + (projector == nil ? 0 : pictureRows)
        proposed = nil
        guard length > cache.committed else {
            cache.truncate(to: length)
            unread = []
            return
        }
        var left = length - cache.committed
        unread = unread.compactMap { part in
            defer { left -= min(left, part.rows) }
            guard left < part.rows else { return part }
            guard case .tokens(let tokens) = part, left > 0 else { return nil }
            return .tokens(Array(tokens.prefix(left)))
        }
    }

    var seesPictures: Bool { projector != nil }

    /// Whether `numbers` can be the first rows of a text.
    func fits(_ numbers: [[Float]], rows: Int) -> Bool { cache.fits(numbers, rows: rows) }

    /// Begins a text with rows that were read before, in place of reading them.
    func begin(with numbers: [[Float]], rows: Int) {
        precondition(unread.isEmpty, "DraftModelDrafter: the text has begun")
        cache.begin(with: numbers, rows: rows)
    }

    /// Its cache, if so many rows of the text are in it.
    func settledCache(atLeast rows: Int) -> KVCache? { cache.committed >= rows ? cache : nil }

    /// Text to be read before the next proposal.
    func append(_ tokens: [Int32]) {
        guard case .tokens(let waiting) = unread.last else {
            unread.append(.tokens(tokens))
            return
        }
        unread[unread.count - 1] = .tokens(waiting + tokens)
    }

    /// A picture, by the target's own vision features [n, vision hidden]; a text-only draft passes over it.
    func append(features: any Matrix) {
        if projector != nil { unread.append(.picture(features)) }
    }

    /// Reads what waits, chunk by chunk.
    ///
    /// - Parameter step: called after each chunk; it may throw to stop, and what was not read goes on waiting.
    func prefill(step: () throws -> Void) throws {
        while let part = unread.first {
            guard part.rows <= cache.free else { return }
            switch part {
            case .tokens(let tokens):
                let chunk = Array(tokens.prefix(Self.chunk))
                read(.tokens(chunk), rows: chunk.count)
                unread[0] = .tokens(Array(tokens.dropFirst(chunk.count)))
            case .picture(let features):
                if let projector { read(.rows(try projector.project(features), from: 0), rows: features.rows) }
                unread[0] = .tokens([])
            }
            if unread[0].rows == 0 { unread.removeFirst() }
            try step()
        }
    }

    private func read(_ input: LanguageModel.Input, rows: Int) {
        _ = model.forward(input, plan: .text(rows: rows, after: cache.committed), cache: cache)
        cache.commit(rows: rows)
    }

    struct Proposal {
        let tree: DraftTree
        let passes: Int
        /// Of the draft passes, by the cost curve.
        let seconds: Double
        var choice: BudgetChoice
    }

    /// Proposes a tree below `root`, the last chosen token.
    ///
    /// - Parameters:
    ///   - position: generated tokens of the conversation, the root included; that of the root's successor.
    ///   - nodeLimit: nodes at most, the root included.
    func propose(
        after root: Int32, choice: TokenChoice, position: Int, seen: SeenTokens, options: SpeculationOptions,
        nodeLimit: Int
    ) throws -> Proposal {
        guard nodeLimit > 1, cache.free > unreadRows + 1 else {
            let budget = BudgetChoice(nodes: 1, expectedTokens: 1, reason: "no room for a tree")
            return Proposal(tree: DraftTree(root: root), passes: 0, seconds: 0, choice: budget)
        }
        var growth = TreeGrowth(
            options: options, costs: costs, nodeLimit: min(nodeLimit, cache.free - unreadRows))
        var slotOfCandidate: [Int: Int32] = [:]
        var passes = 1
        let clock = ContinuousClock()
        var start = clock.now
        let rootRows = min(unreadRows + 1, Self.chunk)
        var logits = try readRoot(root)
        growth.add(
            choice.propose(growth.branch, from: &logits, position: position, seen: seen), below: nil,
            stopTokens: stopTokens)
        growth.spent((clock.now - start).seconds, rows: rootRows)
        while cache.free > slotOfCandidate.count, case let level = growth.nextLevel(), !level.isEmpty {
            start = clock.now
            let expanded = Array(level.prefix(cache.free - slotOfCandidate.count))
            for index in expanded { slotOfCandidate[index] = Int32(cache.committed + slotOfCandidate.count) }
            let rows = try evaluate(expanded, of: growth, slots: slotOfCandidate)
            for (row, index) in zip(rows, expanded) {
                let path = Self.path(to: index, in: growth)
                let here = SeenTokens(settled: seen.settled, path: path.map { growth.candidates[$0].token })
                var logits = row
                growth.add(
                    choice.propose(growth.branch, from: &logits, position: position + path.count, seen: here),
                    below: index, stopTokens: stopTokens)
            }
            growth.spent((clock.now - start).seconds, rows: expanded.count)
            passes += 1
        }
        let (tree, origins, budget) = growth.tree(below: root)
        proposed = origins.map { Origin(slot: slotOfCandidate[$0], rank: growth.candidates[$0].rank) }
        return Proposal(tree: tree, passes: passes, seconds: growth.secondsDrafted, choice: budget)
    }

    /// Learns what became of a tree: keeps the accepted rows, counts what was right.
    func observe(_ tree: DraftTree, accepted: [Int]) {
        guard let origins = proposed else {
            // A plain round: nothing of it has been read.
            append([tree.root.token] + accepted.map { tree.nodes[$0].token })
            return
        }
        let slots = accepted.map { origins[$0 - 1].slot }
        let read = slots.prefix { $0 != nil }.compactMap { $0 }
        cache.commit(path: read)
        append(accepted[read.count...].map { tree.nodes[$0].token })
        calibrate(tree, accepted: accepted, origins: origins)
        proposed = nil
    }

    /// Every child of a node that the answer passed through was either chosen or not.
    private func calibrate(_ tree: DraftTree, accepted: [Int], origins: [Origin]) {
        for (depth, node) in ([0] + accepted).enumerated() {
            let chosen = depth < accepted.count ? accepted[depth] : nil
            for child in tree.children(of: node) {
                costs.calibration.record(
                    confidence: tree.nodes[child].probability, rank: origins[child - 1].rank, accepted: child == chosen)
            }
        }
    }

    /// Reads what is unread and the root, which is settled text too; the logits after it.
    private func readRoot(_ root: Int32) throws -> [Float] {
        var tokens = [root]
        if case .tokens(let waiting) = unread.last, waiting.count < Self.chunk {
            tokens = waiting + tokens
            unread.removeLast()
        }
        try prefill {}
        let plan = ForwardPlan.text(rows: tokens.count, after: cache.committed)
        let (pass, hidden) = model.forward(.tokens(tokens), plan: plan, cache: cache)
        cache.commit(rows: tokens.count)
        let last = tokens.count == 1 ? hidden : pass.gather([tokens.count - 1], of: hidden)
        return try pass.read(model.logits(of: last, in: pass))
    }

    /// One draft pass over candidates of one level; their logits, row by row.
    private func evaluate(_ level: [Int], of growth: TreeGrowth, slots: [Int: Int32]) throws -> [[Float]] {
        let ancestors = level.map { index in
            Self.path(to: index, in: growth).dropLast().compactMap { slots[$0] }
        }
        let plan = ForwardPlan(
            arithmetic: .rowExact, sight: .ancestors(ancestors), committed: cache.committed,
            positions: level.map { Int32(cache.committed + growth.candidates[$0].depth - 1) },
            slots: level.compactMap { slots[$0] })
        let tokens = level.map { growth.candidates[$0].token }
        let (pass, hidden) = model.forward(.tokens(tokens), plan: plan, cache: cache)
        let logits = model.logits(of: hidden, in: pass)
        let numbers = try pass.read(logits)
        return level.indices.map { Array(numbers[$0 * logits.columns..<($0 + 1) * logits.columns]) }
    }

    /// Candidates from the root's child down to `index`, both included.
    private static func path(to index: Int, in growth: TreeGrowth) -> [Int] {
        var path = [index]
        while let parent = growth.candidates[path[path.count - 1]].parent { path.append(parent) }
        return path.reversed()
    }
}
