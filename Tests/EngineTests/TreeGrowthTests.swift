import Testing

@testable import Engine

@Suite struct `Tree growth` {
    private typealias Proposal = TokenChoice.Proposal

    private static func growth(nodes: Int?, policy: SpeculationPolicy = .dynamic, costs: CostModel = CostModel())
        -> TreeGrowth
    {
        var options = SpeculationOptions()
        options.policy = policy
        options.nodes = nodes
        return TreeGrowth(options: options, costs: costs, nodeLimit: 64)
    }

    /// Grows with random proposals until growth ends.
    private static func grow(_ growth: inout TreeGrowth, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func proposals() -> [Proposal] {
            var rest: Float = 1
            return (0..<4).map { index in
                let share = Float.random(in: 0.1...0.9, using: &random) * rest
                rest -= share
                return Proposal(token: Int32(10 * index) + Int32.random(in: 0..<10, using: &random), confidence: share)
            }
        }
        growth.add(proposals(), below: nil, stopTokens: [])
        while case let level = growth.nextLevel(), !level.isEmpty {
            for index in level { growth.add(proposals(), below: index, stopTokens: []) }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `what is kept is the best and is a tree`(seed: UInt64) {
        let nodes = Int(seed % 12) + 1
        var growth = Self.growth(nodes: nodes)
        Self.grow(&growth, seed: seed)
        let (tree, origins, _) = growth.tree(below: 5)
        #expect(tree.isSound)
        #expect(tree.count == min(nodes, growth.candidates.count + 1))
        let kept = origins.map { growth.candidates[$0].score }
        let best = growth.candidates.map(\.score).sorted(by: >).prefix(tree.count - 1)
        #expect(kept.sorted(by: >) == Array(best))
        #expect(zip(tree.nodes.dropFirst(), origins).allSatisfy { $0.token == growth.candidates[$1].token })
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a chain has one path`(seed: UInt64) {
        var growth = Self.growth(nodes: 6, policy: .chain)
        Self.grow(&growth, seed: seed)
        let tree = growth.tree(below: 5).tree
        #expect(tree.count == 6 && tree.depth == 5)
    }

    @Test func `a sure node gets one child and an unsure one several`() {
        var growth = Self.growth(nodes: 9)
        growth.add(
            [Proposal(token: 1, confidence: 0.95), Proposal(token: 2, confidence: 0.04)], below: nil, stopTokens: [])
        #expect(growth.candidates.count == 1)
        growth.add(
            [
                Proposal(token: 3, confidence: 0.4), Proposal(token: 4, confidence: 0.3),
                Proposal(token: 5, confidence: 0.1),
            ],
            below: 0, stopTokens: [])
        #expect(growth.candidates.count == 4)
    }

    @Test func `stop tokens are never proposed`() {
        var growth = Self.growth(nodes: 9)
        growth.add(
            [Proposal(token: 2, confidence: 0.6), Proposal(token: 7, confidence: 0.35)], below: nil, stopTokens: [2])
        #expect(growth.candidates.map(\.token) == [7])
    }

    @Test func `a level that ends in stop tokens ends the growth`() {
        var growth = Self.growth(nodes: 9)
        growth.add([Proposal(token: 7, confidence: 0.9)], below: nil, stopTokens: [2])
        let level = growth.nextLevel()
        #expect(level == [0])
        growth.add([Proposal(token: 2, confidence: 0.99)], below: 0, stopTokens: [2])
        #expect(growth.nextLevel().isEmpty)
    }

    @Test func `the dearer a row the smaller the tree`() {
        func size(secondsPerRow: Double) -> Int {
            let costs = CostModel()
            for rows in [1, 8, 64] { costs.calibrate(.verify, rows: rows, seconds: 1 + secondsPerRow * Double(rows)) }
            costs.calibrate(.draft, rows: 1, seconds: 0.01)
            var growth = Self.growth(nodes: nil, costs: costs)
            Self.grow(&growth, seed: 4)
            return growth.tree(below: 1).tree.count
        }
        let sizes = [0, 0.1, 0.5, 5].map { size(secondsPerRow: $0) }
        #expect(sizes == sizes.sorted(by: >))
        #expect(sizes[0] > 8 && sizes[3] == 1)
    }

    @Test(arguments: [.chain, .dynamic] as [SpeculationPolicy])
    func `a node that is next to never right is not verified, even where a row looks free`(policy: SpeculationPolicy) {
        let costs = CostModel()
        for rows in [1, 8, 64] { costs.calibrate(.verify, rows: rows, seconds: 1) }
        func size(confidence: Float, nodes: Int?) -> Int {
            var growth = Self.growth(nodes: nodes, policy: policy, costs: costs)
            growth.add([Proposal(token: 7, confidence: confidence)], below: nil, stopTokens: [])
            return growth.tree(below: 1).tree.count
        }
        #expect(size(confidence: 0.005, nodes: nil) == 1)
        #expect(size(confidence: 0.05, nodes: nil) == 2)
        #expect(size(confidence: 0.005, nodes: 4) == 2)
    }
}

@Suite struct `Cost model` {
    @Test func `a curve goes through its points and never falls`() {
        var curve = CostCurve()
        #expect(curve.seconds(rows: 3) == nil)
        curve.calibrate(rows: 2, seconds: 4)
        curve.calibrate(rows: 6, seconds: 8)
        curve.calibrate(rows: 8, seconds: 7)
        #expect(curve.seconds(rows: 2) == 4 && curve.seconds(rows: 4) == 6 && curve.seconds(rows: 8) == 8)
        let values = (1...40).compactMap { curve.seconds(rows: $0) }
        #expect(values.count == 40 && values == values.sorted())
    }

    /// Costs of a machine on which a pass over n rows takes 1 + n / 10, and a draft pass a tenth.
    private static func costs() -> CostModel {
        let costs = CostModel()
        for rows in [1, 2, 4, 8] { costs.calibrate(.verify, rows: rows, seconds: 1 + 0.1 * Double(rows)) }
        costs.calibrate(.draft, rows: 1, seconds: 0.1)
        return costs
    }

    @Test func `one interrupted pass changes next to nothing`() throws {
        let costs = Self.costs()
        costs.record(.verify, rows: 4, seconds: 1000)
        #expect(try #require(costs.verify.seconds(rows: 4)) < 1.4 * 1.02)
    }

    @Test func `a busy machine does not make the size in use look dear`() throws {
        let costs = Self.costs()
        // Other work begins and ends again and again; only size 4 is tried while it lasts.
        for index in 0..<2000 {
            let busy = index / 50 % 2 == 1
            costs.record(.verify, rows: busy ? 4 : 2, seconds: busy ? 3 * 1.4 : 1.2)
            costs.record(.draft, rows: 1, seconds: busy ? 3 * 0.1 : 0.1)
        }
        let ratio = try #require(costs.verify.seconds(rows: 4)) / #require(costs.verify.seconds(rows: 2))
        #expect(abs(ratio / (1.4 / 1.2) - 1) < 0.1)
    }

    @Test func `plain passes are estimated by what target passes take lately`() throws {
        let costs = Self.costs()
        #expect(costs.plainSeconds == 1.1)
        for index in 0..<400 {
            // Every fourth pass is interrupted, and a plain one would be as often for its length.
            costs.record(.verify, rows: 4, seconds: index % 4 == 0 ? 4 * 1.4 : 2 * 1.4)
            costs.record(.draft, rows: 1, seconds: 0.1)
        }
        #expect(abs(try #require(costs.plainSeconds) / (2.5 * 1.1) - 1) < 0.2)
    }

    @Test func `a size that is dearer than the warm-up said is found out`() throws {
        let costs = Self.costs()
        for index in 0..<2000 {
            let rows = index % 2 == 0 ? 1 : 8
            costs.record(.verify, rows: rows, seconds: rows == 8 ? 3.6 : 1.1)
        }
        let ratio = try #require(costs.verify.seconds(rows: 8)) / #require(costs.verify.seconds(rows: 1))
        #expect(ratio > 2.6)
    }

    @Test func `a size beyond the warm-up is believed within a few passes, and never thought free`() throws {
        let costs = CostModel()
        // Memory hides what rows cost up to four of them, and noise even makes the fourth look the cheapest.
        for (rows, seconds) in [(1, 1.0), (3, 1.1), (4, 1.05)] {
            costs.calibrate(.verify, rows: rows, seconds: seconds)
        }
        #expect(try #require(costs.verify.seconds(rows: 16)) > 1.9)
        for _ in 0..<5 {
            costs.record(.verify, rows: 16, seconds: 4)
            for _ in 0..<10 { costs.record(.draft, rows: 1, seconds: 0.1) }
        }
        #expect(try #require(costs.verify.seconds(rows: 16)) > 3)
    }

    @Test func `calibration begins at the confidence and learns the rate`() {
        var calibration = AcceptanceCalibration()
        #expect(calibration.acceptance(confidence: 0.8, rank: 0) == 0.8)
        for index in 0..<400 { calibration.record(confidence: 0.8, rank: 0, accepted: index % 2 == 0) }
        #expect(abs(calibration.acceptance(confidence: 0.8, rank: 0) - 0.5) < 0.03)
        #expect(calibration.acceptance(confidence: 0.8, rank: 1) == 0.8)
        #expect([0, 1e-9, 0.5, 1].allSatisfy { (0...1).contains(calibration.acceptance(confidence: $0, rank: 0)) })
    }

    private static func account(tokens: Int, drafts: Bool = true) -> CostModel.RoundAccount {
        CostModel.RoundAccount(
            tokens: tokens, modelTokens: tokens, nodes: 1, modelNodes: 1, drafted: drafts ? 0.5 : nil)
    }

    @Test func `a draft that does not pay rests, and is tried again`() {
        let costs = CostModel()
        costs.calibrate(.verify, rows: 1, seconds: 1)
        var drafted = 0
        for _ in 0..<200 where costs.shouldDraft() {
            drafted += 1
            costs.record(Self.account(tokens: 1))
        }
        #expect((4...60).contains(drafted))
        // As plain rounds do while drafting rests, these make up for what was lost.
        for _ in 0..<1000 {
            let drafts = costs.shouldDraft()
            costs.record(Self.account(tokens: drafts ? 4 : 1, drafts: drafts))
        }
        #expect((0..<10).allSatisfy { _ in costs.shouldDraft() })
    }
}
