// DraftModelDrafter.swift — a small language model that proposes trees: a draft VLM over the target's vision features, or
// a text-only draft that never sees the picture.

/// One draft model with its own memory of the text.
///
/// Its cache holds settled tokens only; the rows of a tree are provisional, and the accepted ones among them are kept.
/// It may lag behind the text (while plain decoding is faster, or by the deepest accepted node): what it has not read
/// waits in `unread` and is read with the next proposal.
final class DraftModelDrafter: Drafter {
    let name: String
    let costs: CostModel
    private let model: LanguageModel
    private let projector: Projector?
    private let stopTokens: Set<Int32>
    /// Tokens of the target; the draft may have fewer or more.
    private let targetVocabulary: Int
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
    /// Parts of the text that it never reads, by the text's row where they begin. See `skipMissed`.
    private var gaps: [(place: Int, rows: Int)] = []
    private var unreadRows: Int { unread.reduce(0) { $0 + $1.rows } }
    /// Where the candidates of the present proposal were evaluated; absent where none was made.
    private var slots: DraftSlots?
    private static let chunk = 256

    init(
        name: String, model: LanguageModel, projector: Projector?, stopTokens: Set<Int32>, costs: CostModel,
        capacity: Int, targetVocabulary: Int? = nil
    ) {
        self.targetVocabulary = targetVocabulary ?? model.configuration.vocabulary
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
        gaps = []
        slots = nil
    }

    /// Forgets what comes after so many tokens and picture rows of the text. What it has not been given yet is no matter.
    func truncate(toTokens tokens: Int, pictureRows: Int) {
        let place = tokens + (projector == nil ? 0 : pictureRows)
        gaps = gaps.filter { $0.place < place }.map { ($0.place, min($0.rows, place - $0.place)) }
        let length = place - gaps.reduce(0) { $0 + $1.rows }
        slots = nil
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

    func begin(with opening: DraftOpening) {
        precondition(unread.isEmpty, "DraftModelDrafter: the text has begun")
        if let numbers = opening.numbers {
            cache.begin(with: numbers, rows: opening.tokens.count + opening.pictureRows)
        } else {
            append(opening.tokens)
            if let features = opening.features { append(picture: features, rows: opening.pictureRows) }
        }
    }

    /// Its cache, if so many rows of the text are in it.
    func settledCache(atLeast rows: Int) -> KVCache? {
        cache.committed >= rows && gaps.allSatisfy { $0.place >= rows } ? cache : nil
    }

    /// Text to be read before the next proposal.
    func append(_ tokens: [Int32]) {
        guard case .tokens(let waiting) = unread.last else {
            unread.append(.tokens(tokens))
            return
        }
        unread[unread.count - 1] = .tokens(waiting + tokens)
    }

    /// A picture; a text-only draft passes over it.
    func append(picture features: any Matrix, rows: Int) {
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
                read(.tokens(readable(chunk)), rows: chunk.count)
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
        _ = model.forward(input, plan: .text(rows: rows, after: cache.committed), cache: cache, wanted: .last)
        cache.commit(rows: rows)
    }

    /// Grows the tree level by level, as long as another draft pass is worth its time.
    func propose(_ request: DraftRequest, into growth: inout TreeGrowth) throws {
        guard growth.nodeLimit > 1, growth.wantsModel() else { return }
        skipMissed()
        let room = cache.free - unreadRows
        guard room > 1 else { return }
        growth.limitNodes(to: room)
        let clock = ContinuousClock()
        var start = clock.now
        let rootRows = min(unreadRows + 1, Self.chunk)
        var logits = try readRoot(request.root)
        add(&logits, after: [], of: request, below: nil, to: &growth)
        growth.spent((clock.now - start).seconds, rows: rootRows)
        var slots = DraftSlots(first: Int32(cache.committed))
        while cache.free > slots.count, case let level = growth.nextLevel(), !level.isEmpty {
            start = clock.now
            let expanded = level.prefix(cache.free - slots.count)
            for index in expanded { slots.give(to: index) }
            let logits = try evaluate(expanded, of: growth, slots: slots)
            for (row, index) in expanded.enumerated() {
                // Most levels have one row, whose logits need no copy.
                let columns = logits.count / expanded.count
                var own = expanded.count == 1 ? logits : Array(logits[row * columns..<(row + 1) * columns])
                let path = Self.path(to: index, in: growth).map { growth.candidates[$0].token }
                add(&own, after: path, of: request, below: index, to: &growth)
            }
            growth.spent((clock.now - start).seconds, rows: expanded.count)
        }
        self.slots = slots
    }

    /// Adds what the draft's logits say about the successors of a path.
    private func add(
        _ logits: inout [Float], after path: [Int32], of request: DraftRequest, below parent: Int?,
        to growth: inout TreeGrowth
    ) {
        // What the target does not have it cannot choose.
        for beyond in min(targetVocabulary, logits.count)..<logits.count { logits[beyond] = -.infinity }
        let proposals = request.choice.propose(
            growth.branch, from: &logits, position: request.position + path.count,
            seen: SeenTokens(settled: request.seen.settled, path: path))
        growth.add(proposals, below: parent, stopTokens: stopTokens)
    }

    /// Keeps the accepted rows; what it has not read waits.
    func observe(_ outcome: DraftOutcome) {
        guard let slots else {
            append(outcome.settled)
            return
        }
        let read = outcome.accepted.map { slots[outcome.origins[$0 - 1]] }.prefix { $0 != nil }.compactMap { $0 }
        cache.commit(path: read)
        let unread = outcome.settled.dropFirst(1 + read.count)
        if !unread.isEmpty { append(Array(unread)) }
        self.slots = nil
    }

    /// Passes over words that came while it was not asked, but for the last: to read them all would cost more than a draft
    /// that may not pay deserves, and the newest say most. Its positions close up over the gap.
    private func skipMissed() {
        guard case .tokens(let missed) = unread.last, missed.count > Self.longestMissed else { return }
        let skipped = missed.count - Self.keptOfMissed
        let place = cache.committed + gaps.reduce(0) { $0 + $1.rows } + unreadRows - missed.count
        gaps.append((place, skipped))
        unread[unread.count - 1] = .tokens(Array(missed.suffix(Self.keptOfMissed)))
    }

    private static let longestMissed = 96
    private static let keptOfMissed = 32

    /// Reads what is unread and the root, which is settled text too; the logits after it.
    private func readRoot(_ root: Int32) throws -> [Float] {
        var tokens = [root]
        if case .tokens(let waiting) = unread.last, waiting.count < Self.chunk {
            tokens = waiting + tokens
            unread.removeLast()
        }
        try prefill {}
        let plan = ForwardPlan.text(rows: tokens.count, after: cache.committed)
        let (pass, last) = model.forward(.tokens(readable(tokens)), plan: plan, cache: cache, wanted: .last)
        cache.commit(rows: tokens.count)
        return try pass.read(model.logits(of: last, in: pass))
    }

    /// One draft pass over candidates of one level; their logits, row by row.
    private func evaluate(_ level: ArraySlice<Int>, of growth: TreeGrowth, slots: DraftSlots) throws -> [Float] {
        let ancestors = level.map { index in
            Self.path(to: index, in: growth).dropLast().compactMap { slots[$0] }
        }
        let plan = ForwardPlan(
            arithmetic: .rowExact, sight: .ancestors(ancestors), committed: cache.committed,
            positions: level.map { Int32(cache.committed + growth.candidates[$0].depth - 1) },
            slots: level.compactMap { slots[$0] })
        let tokens = readable(level.map { growth.candidates[$0].token })
        let (pass, hidden) = model.forward(.tokens(tokens), plan: plan, cache: cache)
        return try pass.read(model.logits(of: hidden, in: pass))
    }

    /// The tokens as the draft can read them: what only the target has, such as the mark of a picture, is unknown to it.
    private func readable(_ tokens: [Int32]) -> [Int32] {
        let known = Int32(model.configuration.vocabulary)
        return tokens.map { $0 < known ? $0 : 0 }
    }

    /// Candidates from the root's child down to `index`, both included.
    private static func path(to index: Int, in growth: TreeGrowth) -> [Int] {
        var path = [index]
        while let parent = growth.candidates[path[path.count - 1]].parent { path.append(parent) }
        return path.reversed()
    }
}

/// The cache slots of the candidates that a draft evaluated, in the order in which it came to them.
private struct DraftSlots {
    let first: Int32
    /// By candidate; those that were not evaluated have none.
    private var places: [Int32?] = []
    private(set) var count = 0

    init(first: Int32) { self.first = first }

    mutating func give(to candidate: Int) {
        while places.count <= candidate { places.append(nil) }
        places[candidate] = first + Int32(count)
        count += 1
    }

    subscript(candidate: Int) -> Int32? { places.indices ~= candidate ? places[candidate] : nil }
}
