import CKernels
import Testing

@testable import Engine

@Suite struct `Token choice` {
    private static let nothing = SeenTokens(settled: [])

    private static func logits(_ seed: UInt64, count: Int = 50) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float.random(in: -4...4, using: &random) }
    }

    private static func choose(_ logits: [Float], _ options: SamplerOptions, position: Int = 0) -> Int32 {
        var row = logits
        return TokenChoice(options: options).choose(&row, position: position, seen: nothing)
    }

    @Test func `temperature 0 is the argmax and a tie goes to the lowest id`() {
        #expect(Self.choose([0, 3, 1, 3, -2, 3, 0, 0, 0, 3], SamplerOptions()) == 1)
    }

    @Test func `samples follow the softmax of the logits`() {
        var options = SamplerOptions()
        options.temperature = 0.8
        options.seed = 42
        let logits: [Float] = [1, 0.2, -0.5, 2, 0]
        let draws = 40_000
        var counts = [Int](repeating: 0, count: logits.count)
        for position in 0..<draws { counts[Int(Self.choose(logits, options, position: position))] += 1 }
        let weights = logits.map { ck_sum_exp([$0 / 0.8], 1, 2 / 0.8) }
        let total = weights.reduce(0, +)
        // Pearson's chi-square with 4 degrees of freedom: 18.5 is exceeded once in a thousand seeds, and this one is fixed.
        let chiSquare = zip(counts, weights).reduce(0.0) { sum, pair in
            let expected = Double(pair.1 / total) * Double(draws)
            return sum + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
        }
        #expect(chiSquare < 18.5)
    }

    @Test(arguments: [0.5, 1, 1.7] as [Float])
    func `the same seed and position give the same token and others do not always`(temperature: Float) {
        var options = SamplerOptions()
        options.temperature = temperature
        let logits = Self.logits(3)
        let first = (0..<64).map { Self.choose(logits, options, position: $0) }
        #expect(first == (0..<64).map { Self.choose(logits, options, position: $0) })
        options.seed = 1
        #expect(first != (0..<64).map { Self.choose(logits, options, position: $0) })
    }

    @Test func `noise of a token does not depend on where the row begins`() {
        var whole = [Float](repeating: 0, count: 1000)
        ck_add_gumbel(7, 9, 0, whole.count, &whole)
        var part = [Float](repeating: 0, count: 37)
        ck_add_gumbel(7, 9, 512, part.count, &part)
        #expect(part == Array(whole[512..<549]))
        #expect(whole.allSatisfy { $0.isFinite })
    }

    @Test func `filters keep the support that they promise`() {
        let logits: [Float] = [0, 5, 4.5, 1, 4.8, -3]
        func support(_ change: (inout SamplerOptions) -> Void) -> Set<Int32> {
            var options = SamplerOptions()
            options.temperature = 1
            change(&options)
            return Set((0..<3000).map { Self.choose(logits, options, position: $0) })
        }
        #expect(support { $0.topK = 2 } == [1, 4])
        // Probabilities are about .39, .32, .24: two fall short of 0.8, three reach it.
        #expect(support { $0.topP = 0.8 } == [1, 4, 2])
        #expect(support { $0.minP = 0.7 } == [1, 4])
        #expect(support { _ in }.count >= 5)
    }

    @Test func `the repetition penalty counts each token of text and path once`() {
        var options = SamplerOptions()
        options.repetitionPenalty = 2
        var row: [Float] = [3, 2.9, 1.6, -1]
        let seen = SeenTokens(settled: [0], path: [1, 1, 0])
        #expect(TokenChoice(options: options).choose(&row, position: 0, seen: seen) == 2)
        #expect(row == [1.5, 1.45, 1.6, -1])
    }

    @Test(arguments: [0, 0.7, 1] as [Float])
    func `a draft with the target's own logits proposes the target's choice first`(temperature: Float) {
        var options = SamplerOptions()
        options.temperature = temperature
        options.topP = 0.95
        let choice = TokenChoice(options: options)
        for position in 0..<100 {
            let logits = Self.logits(UInt64(position), count: 333)
            var row = logits
            let proposals = choice.propose(4, from: &row, position: position, seen: Self.nothing)
            #expect(proposals[0].token == Self.choose(logits, options, position: position))
            #expect(zip(proposals, proposals.dropFirst()).allSatisfy { $0.confidence >= $1.confidence })
            #expect(Set(proposals.map(\.token)).count == proposals.count)
        }
    }

    @Test func `sums and exponentials agree with the library`() {
        let row = Self.logits(5, count: 1003)
        let exact = row.reduce(0.0) { $0 + Double.exp(Double($1) - 4) }
        #expect(abs(Double(ck_sum_exp(row, row.count, 4)) / exact - 1) < 1e-6)
    }
}

extension Double {
    fileprivate static func exp(_ x: Double) -> Double {
        // e^x by its series on a small argument, then squared back: no library needed to check ours.
        let small = x / 1024
        var term = 1.0
        var sum = 1.0
        for n in 1...12 {
            term *= small / Double(n)
            sum += term
        }
        return (0..<10).reduce(sum) { value, _ in value * value }
    }
}
