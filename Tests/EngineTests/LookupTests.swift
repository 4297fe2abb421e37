import Testing

@testable import Engine

@Suite struct `Lookup text` {
    /// The rule spelt out: every earlier place whose end agrees, by brute force.
    private static func matches(_ text: [Int32], endingIn token: Int32, count: Int) -> [LookupText.Match] {
        let end = text + [token]
        func agreement(_ place: Int) -> Int {
            var length = 0
            while length < LookupText.longestMatch, place - length >= 0, text[place - length] >= 0,
                text[place - length] == end[end.count - 1 - length], place - length < end.count - 1 - length
            { length += 1 }
            return length
        }
        let found = text.indices.dropLast().filter { text[$0 + 1] >= 0 }
            .map { LookupText.Match(next: $0 + 1, length: agreement($0)) }
        let least = found.contains { $0.length >= 2 } ? 2 : 1
        return Array(
            found.filter { $0.length >= least }.sorted { ($0.length, $0.next) > ($1.length, $1.next) }.prefix(count))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `finds what a search through everything finds, also after the end was cut off`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var text = LookupText()
        var plain: [Int32] = []
        for _ in 0..<60 {
            if Int.random(in: 0..<8, using: &random) == 0 {
                let length = Int.random(in: 0...plain.count, using: &random)
                text.truncate(to: length)
                plain.removeSubrange(length...)
            } else {
                let token = Int32.random(in: -1...3, using: &random)
                text.append(token)
                plain.append(token)
            }
            #expect(text.tokens == plain)
            for token in Int32(0)...3 {
                #expect(
                    text.matches(endingIn: token, count: 5) == Self.matches(plain, endingIn: token, count: 5))
            }
        }
    }
}

@Suite struct `Lookup drafter` {
    private static func request(_ root: Int32, limit: Int = 100) -> DraftRequest {
        DraftRequest(
            root: root, choice: TokenChoice(options: SamplerOptions()), position: 0, seen: SeenTokens(settled: []),
            limit: limit)
    }

    private static func growth(nodes: Int? = nil, policy: SpeculationPolicy = .dynamic) -> TreeGrowth {
        var options = SpeculationOptions()
        (options.nodes, options.policy) = (nodes, policy)
        return TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
    }

    private static func paths(_ drafter: LookupDrafter, after root: Int32, limit: Int = 100) -> Set<[Int32]> {
        var growth = growth()
        drafter.propose(request(root, limit: limit), into: &growth)
        let tree = growth.tree(below: root).tree
        let parents = Set(tree.nodes.compactMap(\.parent))
        return Set(
            tree.nodes.indices.filter { !parents.contains($0) }.map { leaf in
                tree.path(to: leaf).dropFirst().map { tree.nodes[$0].token }
            })
    }

    @Test func `goes on as the same words went on before, in every way that they did`() {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 8, 2, 5, 6, 9, 10, 2, 4, 5])
        #expect(Self.paths(drafter, after: 6) == [[7, 8], [9, 10]])
        #expect(Self.paths(drafter, after: 3) == [[]])
    }

    @Test func `never proposes a stop token, nor more than may follow`() {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 2, 8, 9, 5])
        #expect(Self.paths(drafter, after: 6) == [[7]])
        drafter.append([6, 11, 12, 13, 14, 5])
        #expect(Self.paths(drafter, after: 6, limit: 3) == [[11, 12], [7]])
    }

    @Test func `a picture goes on with nothing, and is cut off with what follows it`() throws {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.begin(with: DraftOpening(tokens: [5, 6], pictureRows: 4, features: nil, numbers: nil))
        drafter.append([7, 8, 5])
        #expect(Self.paths(drafter, after: 6) == [[]])
        drafter.truncate(toTokens: 3, pictureRows: 4)
        drafter.append([5])
        // The 7 is still there, the 8 is not.
        #expect(Self.paths(drafter, after: 7) == [[5]])
        drafter.truncate(toTokens: 2, pictureRows: 0)
        drafter.append([9, 5])
        #expect(Self.paths(drafter, after: 6) == [[9, 5]])
    }

    @Test func `earlier answers stay when the text is forgotten`() {
        let drafter = LookupDrafter(stopTokens: [2], earlier: [[20, 21, 22, 2]])
        drafter.append([5, 6, 7, 5])
        drafter.clear()
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[22]])
        #expect(Self.paths(drafter, after: 6) == [[]])
        drafter.truncate(toTokens: 0, pictureRows: 0)
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[22]])
        drafter.clear(earlier: [])
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[]])
    }

    @Test func `a chain has one path whoever proposes`() {
        var growth = Self.growth(nodes: 6, policy: .chain)
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 8, 9, 5])
        drafter.propose(Self.request(6), into: &growth)
        growth.add([.init(token: 30, confidence: 0.99)], below: nil, stopTokens: [])
        growth.add([.init(token: 31, confidence: 0.99)], below: growth.candidates.count - 1, stopTokens: [])
        let tree = growth.tree(below: 6).tree
        #expect(tree.nodes.map(\.token) == [6, 30, 31])
        #expect(tree.depth == tree.count - 1)
    }

    @Test func `what both propose is one node, and believed more than what the model gainsays`() throws {
        var growth = Self.growth(nodes: 8)
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 2, 5, 6, 8, 2, 5])
        drafter.propose(Self.request(6), into: &growth)
        let before = Dictionary(uniqueKeysWithValues: growth.candidates.map { ($0.token, $0.score) })
        growth.add([.init(token: 7, confidence: 0.2), .init(token: 9, confidence: 0.2)], below: nil, stopTokens: [])
        let after = Dictionary(uniqueKeysWithValues: growth.candidates.map { ($0.token, $0) })
        #expect(growth.candidates.count == 3)
        #expect(after[7]?.source == .both && after[8]?.source == .lookup && after[9]?.source == .model)
        #expect(try #require(after[7]).score > #require(before[7]))
        #expect(try #require(after[8]).score < #require(before[8]))
    }

    @Test func `acceptance is learned by length of the match, from candidates that nobody verified too`() {
        let costs = CostModel()
        let short = LookupEvidence(length: 2, support: .single)
        let long = LookupEvidence(length: 9, support: .single)
        let prior = costs.lookups.acceptance(short)
        #expect(prior < costs.lookups.acceptance(long))
        for _ in 0..<50 {
            var growth = TreeGrowth(options: SpeculationOptions(), costs: costs, nodeLimit: 64)
            _ = growth.add(found: 7, evidence: short, below: nil)
            growth.learn(from: [7, 8])
        }
        #expect(costs.lookups.acceptance(short) > 0.9)
        #expect(costs.lookups.acceptance(long) == CostModel().lookups.acceptance(long))
    }
}
