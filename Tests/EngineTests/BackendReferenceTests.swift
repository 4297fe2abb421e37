import Testing

@testable import Engine

@Suite struct `Reference backend` {
    let backend = ReferenceBackend()

    func weight(_ values: [Float], outputs: Int = 1, for use: WeightUse = .rowExactProduct) throws -> any Weight {
        try backend.makeWeight(.made(values, rows: outputs), for: use)
    }

    @Test func `half precision covers subnormal numbers, infinities and signs`() {
        #expect(half(0x0000) == 0 && half(0x8000).sign == .minus)
        #expect(half(0x0001) == 0x1p-24 && half(0x03FF) == 0x3FFp-24 && half(0x8001) == -0x1p-24)
        #expect(half(0x3C00) == 1 && half(0xC000) == -2 && half(0x7BFF) == 65504)
        #expect(half(0x7C00) == .infinity && half(0xFC00) == -.infinity && half(0x7E00).isNaN)
    }

    @Test func `quantised blocks give scale times whole number, low nibbles first`() {
        let eight = TensorBytes([0x00, 0x38] + (0..<32).map { UInt8(bitPattern: Int8($0 - 16)) })  // scale 0.5
        let q8 = StoredTensor(name: "q8", format: .q8_0, rows: 1, columns: 32, bytes: eight.buffer, owner: eight)
        let expected = (0..<32).map { (index: Int) -> Float in 0.5 * Float(index - 16) }
        #expect(q8.floats() == expected)
        let four = TensorBytes([0x00, 0x40] + (0..<16).map { UInt8($0) | UInt8(15 - $0) << 4 })  // scale 2
        let q4 = StoredTensor(name: "q4", format: .q4_0, rows: 1, columns: 32, bytes: four.buffer, owner: four)
        let low = (0..<16).map { (index: Int) -> Float in 2 * Float(index - 8) }
        let high = (0..<16).map { (index: Int) -> Float in 2 * Float(7 - index) }
        #expect(q4.floats() == low + high)
    }

    @Test func `a damaged tensor is refused with what, where and what to do`() {
        let odd = TensorBytes([UInt8](repeating: 0, count: 34))
        let tensor = StoredTensor(name: "blk.0.x", format: .q8_0, rows: 1, columns: 33, bytes: odd.buffer, owner: odd)
        #expect(throws: WeightError.partialBlock(name: "blk.0.x", columns: 33, format: "Q8_0", blockLength: 32)) {
            try backend.makeWeight(tensor, for: .rowExactProduct)
        }
        let short = StoredTensor(name: "s", format: .float32, rows: 2, columns: 8, bytes: odd.buffer, owner: odd)
        #expect(throws: WeightError.wrongByteCount(name: "s", expected: 64, found: 34)) {
            try backend.makeWeight(short, for: .table)
        }
        #expect(throws: WeightError.notAVector(name: "v", rows: 2)) {
            try backend.makeWeight(.made([1, 2], rows: 2, name: "v"), for: .vector)
        }
    }

    @Test func `linear adds the bias, then activates, then adds the residual`() throws {
        let pass = backend.begin(.vision(rows: 1))
        let x = pass.load([1, 2], columns: 2)
        let w = try weight([3, 4, -5, 1], outputs: 2)
        #expect(try pass.read(pass.linear(x, w)) == [11, -3])
        let y = pass.linear(
            x, w, bias: try weight([1, 3], for: .vector), activation: .quickGELU,
            residual: pass.load([100, 200], columns: 2))
        #expect(try pass.read(y) == [Float(100 + 12 / (1 + 1.3514e-9)), 200])
    }

    @Test func `rotary turns a quarter in both pairings`() throws {
        // base^0 = 1, so pair 0 turns by the position in radians.
        let pass = backend.begin(.text(rows: 1, after: 1))
        let x = pass.load([1, 2, 3, 4], columns: 4)
        let halves = try pass.read(pass.rotate(x, heads: 1, by: Rotary(base: 1, width: 4, pairing: .halves)))
        let adjacent = try pass.read(pass.rotate(x, heads: 2, by: Rotary(base: 1, width: 2, pairing: .adjacent)))
        let (c, s) = (Float(0.540302306), Float(0.841470985))
        let expectedHalves: [Float] = [c - 3 * s, 2 * c - 4 * s, s + 3 * c, 2 * s + 4 * c]
        let expectedAdjacent: [Float] = [c - 2 * s, s + 2 * c, 3 * c - 4 * s, 3 * s + 4 * c]
        for (found, expected) in zip(halves + adjacent, expectedHalves + expectedAdjacent) {
            #expect(abs(found - expected) < 1e-5)
        }
    }

    @Test func `a tree row sees the committed text, its ancestors and itself, and nothing else`() throws {
        let cache = backend.makeCacheLayer(capacity: 8, heads: 1, headWidth: 1)
        let heads = AttentionHeads(queries: 1, keys: 1, width: 1)
        func attend(_ plan: ForwardPlan, keys: [Float], values: [Float]) throws -> [Float] {
            let pass = backend.begin(plan)
            let zeros = pass.load([Float](repeating: 0, count: keys.count), columns: 1)
            return try pass.read(
                pass.attend(
                    queries: zeros, keys: pass.load(keys, columns: 1), values: pass.load(values, columns: 1),
                    heads: heads, cache: cache))
        }
        // Queries of zero weigh everything that is seen alike, so the answer is the mean of the seen values.
        #expect(try attend(.text(rows: 2, after: 0), keys: [1, 2], values: [3, 5]) == [3, 4])
        let tree = ForwardPlan(
            arithmetic: .rowExact, sight: .ancestors([[], [6], [6], [6, 3]]), committed: 2,
            positions: [2, 3, 3, 4], slots: [6, 3, 5, 2])
        #expect(try attend(tree, keys: [1, 1, 1, 1], values: [10, 20, 30, 40]) == [6, 9.5, 12, 15.6])
        backend.move([6, 3, 2], to: 2, in: [cache])
        // Keys of the text, then its values.
        #expect(backend.numbers(ofRows: 3, in: cache) == [1, 2, 1, 3, 5, 10])
        #expect(try attend(.text(rows: 1, after: 5), keys: [1], values: [100]) == [Float(178) / 6])
        backend.write([1, 1, 20, 40], rows: 2, to: cache)
        #expect(try attend(.text(rows: 1, after: 2), keys: [1], values: [60]) == [40])
    }

    @Test func `best ranks by number, then by column`() throws {
        let pass = backend.begin(.vision(rows: 2))
        let x = pass.load([1, 7, 7, 0, -1, -1, -2, -1], columns: 4)
        #expect(try pass.argmax(x) == [1, 0])
        #expect(try pass.best(3, of: x).map { $0.map(\.token) } == [[1, 2, 0], [0, 1, 3]])
    }
}
