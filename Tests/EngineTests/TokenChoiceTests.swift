import CKernels
import Foundation
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

    @Test func `noise of a token does not depend on how many are drawn`() {
        var whole = [Float](repeating: 0, count: 1000)
        ck_gumbel(7, 9, whole.count, &whole)
        for count in [1, 3, 255, 256, 257, 999] {
            var part = [Float](repeating: 0, count: count)
            ck_gumbel(7, 9, part.count, &part)
            #expect(part == Array(whole[..<count]))
        }
        #expect(whole.allSatisfy { $0.isFinite })
    }

    /// Philox4x32-10 by its definition, one counter at a time: what the vector code must draw.
    private static func philox(_ start: [UInt32], seed: UInt64) -> [UInt32] {
        var counter = start
        var key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        for _ in 0..<10 {
            let first = UInt64(0xD251_1F53) * UInt64(counter[0])
            let second = UInt64(0xCD9E_8D57) * UInt64(counter[2])
            counter = [
                UInt32(second >> 32) ^ counter[1] ^ key.0, UInt32(truncatingIfNeeded: second),
                UInt32(first >> 32) ^ counter[3] ^ key.1, UInt32(truncatingIfNeeded: first),
            ]
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return counter
    }

    @Test(arguments: [0, 7, 0xFFFF_FFFF_0000_0001] as [UInt64], [0, 9, 1 << 33] as [UInt64])
    func `noise is that of Philox by its definition`(seed: UInt64, position: UInt64) {
        var row = [Float](repeating: 0, count: 1537)
        ck_gumbel(seed, position, row.count, &row)
        for token in row.indices {
            let counter = [UInt32(token / 4), 0, UInt32(truncatingIfNeeded: position), UInt32(position >> 32)]
            let word = Self.philox(counter, seed: seed)[token % 4]
            let uniform = (Double(word >> 9) + 0.5) / Double(1 << 23)
            #expect(abs(Double(row[token]) + log(-log(uniform))) < 1e-5)
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `filters keep what a full sort keeps`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var options = SamplerOptions()
        options.temperature = [0.3, 0.7, 1.5][Int(seed % 3)]
        options.topK = [0, 1, 5, 40, 400][Int(seed % 5)]
        options.topP = seed % 2 == 0 ? 1 : Float.random(in: 0.1...0.99, using: &random)
        options.minP = seed % 4 < 2 ? 0 : Float.random(in: 0.01...0.5, using: &random)
        // Rounded, so that there are ties.
        let logits = Self.logits(seed, count: 300).map { ($0 * 4).rounded() / 4 }
        let scores = logits.map { $0 / options.temperature }
        var order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        let weights = scores.map { exp(Double($0 - scores[order[0]])) }
        if options.topK > 0 { order = Array(order.prefix(options.topK)) }
        if options.topP < 1 {
            let sum = order.reduce(0) { $0 + weights[$1] }
            var reached = 0.0
            order = Array(
                order.prefix { token in
                    defer { reached += weights[token] }
                    return reached < Double(options.topP) * sum
                })
        }
        if options.minP > 0 { order = Array(order.prefix { weights[$0] >= Double(options.minP) }) }
        let support = Set(order.map(Int32.init))
        for position in 0..<200 { #expect(support.contains(Self.choose(logits, options, position: position))) }
        var row = logits
        let ranked = TokenChoice(options: options).propose(400, from: &row, position: 0, seen: Self.nothing)
        #expect(Set(ranked.map(\.token)) == support)
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
        let exact = row.reduce(0.0) { $0 + exp(Double($1) - 4) }
        #expect(abs(Double(ck_sum_exp(row, row.count, 4)) / exact - 1) < 1e-6)
    }
}
