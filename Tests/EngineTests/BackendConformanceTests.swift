// BackendConformanceTests.swift — every operation of every backend against the plain loops, shapes odd and even.

import Testing

@testable import Engine

/// The same world in the reference and in every backend under test.
private struct World {
    let reference = ReferenceBackend()
    let backends: [(configuration: CPUConfiguration, backend: CPUBackend)]
    let plan: ForwardPlan

    init(
        _ plan: ForwardPlan = .text(rows: 1, after: 0), _ configurations: [CPUConfiguration] = CPUConfiguration.all
    ) throws {
        self.plan = plan
        backends = try configurations.map { ($0, try $0.backend()) }
    }

    /// A weight of every backend, the reference's first.
    func weights(_ tensor: StoredTensor, for use: WeightUse) throws -> [any Weight] {
        try [reference.makeWeight(tensor, for: use)] + backends.map { try $0.backend.makeWeight(tensor, for: use) }
    }

    /// Expects every backend to make of the same operation what the reference makes, up to `limit` of the largest number.
    func expect(
        within limit: Double, _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation,
        _ make: (_ pass: any ForwardPass, _ pick: ([any Weight]) -> any Weight) throws -> any Matrix
    ) throws {
        let pass = reference.begin(plan)
        let expected = try pass.read(make(pass) { $0[0] })
        for (index, (configuration, backend)) in backends.enumerated() {
            let pass = backend.begin(plan)
            let distance = try pass.read(make(pass) { $0[index + 1] }).distance(from: expected)
            #expect(distance <= limit, "\(configuration.testDescription) \(comment ?? "")", sourceLocation: location)
        }
    }
}

/// Numbers that survive being turned into whole numbers of one byte: powers of two times -127...127, 127 in each block.
private func exactNumbers(_ count: Int, using random: inout SeededNumbers) -> [Float] {
    stride(from: 0, to: count, by: 32).flatMap { start -> [Float] in
        let step: Float = [0.0078125, 0.03125, 0.0625].randomElement(using: &random) ?? 1
        return (start..<min(start + 32, count)).map { index in
            step * Float(index == start ? 127 : Int.random(in: -127...127, using: &random))
        }
    }
}

@Suite struct `Backend conformance` {
    @Test(arguments: StoredTensor.Format.allCases)
    func `linear agrees for every weight format and shape`(format: StoredTensor.Format) throws {
        var random = SeededNumbers(seed: 1)
        let world = try World()
        // The last ones are long enough for several stretches of k.
        let inputs =
            switch format.blockLength {
            case 1: [1, 7, 33, 256, 1100]
            case 32: [32, 96, 704, 1504]
            default: [256, 512, 1536]
            }
        for (index, columns) in inputs.enumerated() {
            for outputs in [1, 16, 17, 40, 259] {
                let weight = try world.weights(
                    .made(random.floats(outputs * columns), rows: outputs, format: format), for: .rowExactProduct)
                let bias = try world.weights(.made(random.floats(outputs), rows: 1), for: .vector)
                for rows in index == 1 ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 70] : [1, 4, 11] {
                    let x = exactNumbers(rows * columns, using: &random)
                    let residual = random.floats(rows * outputs)
                    let activation: Activation? = [nil, .gelu, .quickGELU][rows % 3]
                    try world.expect(within: 3e-6, "\(format) [\(outputs), \(columns)] for \(rows) rows") {
                        pass, pick in
                        pass.linear(
                            pass.load(x, columns: columns), pick(weight), bias: rows % 2 == 0 ? pick(bias) : nil,
                            activation: activation,
                            residual: rows % 4 < 2 ? pass.load(residual, columns: outputs) : nil)
                    }
                }
            }
        }
    }

    @Test(arguments: StoredTensor.Format.allCases.filter(\.isQuantised))
    func `whole-number activations cost half a percent and no more`(format: StoredTensor.Format) throws {
        var random = SeededNumbers(seed: 2)
        let world = try World()
        // Many outputs: the share of the largest one is then hardly a matter of luck.
        let weight = try world.weights(
            .made(random.floats(512 * 512), rows: 512, format: format), for: .rowExactProduct)
        let x = random.floats(6 * 512)
        try world.expect(within: 5e-3) { pass, pick in pass.linear(pass.load(x, columns: 512), pick(weight)) }
    }

    @Test(arguments: StoredTensor.Format.allCases)
    func `gated agrees, its two weights in different formats too`(format: StoredTensor.Format) throws {
        var random = SeededNumbers(seed: 3)
        let world = try World()
        let columns = max(96, format.blockLength)
        for outputs in [16, 23, 192] {
            let gate = try world.weights(
                .made(random.floats(outputs * columns, scale: 0.1), rows: outputs, format: format),
                for: .rowExactProduct)
            let up = try world.weights(
                .made(random.floats(outputs * columns, scale: 0.1), rows: outputs, format: .float16),
                for: .rowExactProduct)
            for rows in [1, 2, 3, 7, 8, 20] {
                let x = exactNumbers(rows * columns, using: &random)
                try world.expect(within: 5e-6, "\(outputs) outputs, \(rows) rows") { pass, pick in
                    pass.gated(pass.load(x, columns: columns), gate: pick(gate), up: pick(up))
                }
            }
        }
    }

    @Test func `fixed-shape products agree, blocks of rows and outputs included`() throws {
        var random = SeededNumbers(seed: 4)
        let world = try World(.vision(rows: 1))
        for (rows, outputs, inputs) in [(1, 5, 3), (50, 70, 36), (385, 20, 64), (7, 1030, 33), (200, 520, 24)] {
            let weight = try world.weights(
                .made(random.floats(outputs * inputs), rows: outputs, format: .float16), for: .fixedShapeProduct)
            let bias = try world.weights(.made(random.floats(outputs), rows: 1), for: .vector)
            let gain = try world.weights(.made(random.floats(outputs), rows: 1), for: .vector)
            let x = random.floats(rows * inputs), residual = random.floats(rows * outputs)
            try world.expect(within: 3e-6, "[\(rows), \(inputs)] times [\(outputs), \(inputs)]") { pass, pick in
                pass.linear(
                    pass.load(x, columns: inputs), pick(weight), bias: pick(bias), activation: .quickGELU,
                    residual: pass.load(residual, columns: outputs))
            }
            // A padded column that were not zero would enter the sums of the norm.
            try world.expect(within: 1e-5) { pass, pick in
                pass.normalize(
                    pass.linear(pass.load(x, columns: inputs), pick(weight)),
                    by: .rootMeanSquare(gain: pick(gain), epsilon: 1e-5))
            }
        }
    }

    @Test func `fixed-shape products of a tower's size agree, of whole numbers almost in float32`() throws {
        var random = SeededNumbers(seed: 17)
        let world = try World(.vision(rows: 1))
        for (rows, outputs, inputs) in [(1, 1030, 256), (37, 520, 512), (8, 1024, 320), (300, 256, 1088)] {
            // Scaled to blocks that reach to ±5792 each, so that rounding to such whole numbers changes nothing.
            let whole: (Int) -> [Float] = { count in
                (0..<count).map { Float($0 % 64 == 0 ? 5792 : Int.random(in: -5792...5792, using: &random)) / 4096 }
            }
            let any: (Int) -> [Float] = { random.floats($0) }
            for (limit, numbers) in [(3e-6, whole), (4e-4, any)] {
                let weight = try world.weights(
                    .made(numbers(outputs * inputs), rows: outputs), for: .fixedShapeProduct)
                let bias = try world.weights(.made(random.floats(outputs), rows: 1), for: .vector)
                let x = numbers(rows * inputs), residual = random.floats(rows * outputs)
                try world.expect(within: limit, "[\(rows), \(inputs)] times [\(outputs), \(inputs)]") { pass, pick in
                    pass.linear(
                        pass.load(x, columns: inputs), pick(weight), bias: pick(bias), activation: .quickGELU,
                        residual: pass.load(residual, columns: outputs))
                }
            }
        }
    }

    @Test func `norms agree`() throws {
        var random = SeededNumbers(seed: 5)
        let world = try World()
        for columns in [1, 3, 16, 31, 256, 1000] {
            let gain = try world.weights(.made(random.floats(columns), rows: 1), for: .vector)
            let bias = try world.weights(.made(random.floats(columns), rows: 1), for: .vector)
            // A mean far from zero: the variance must be taken about it.
            let x = random.floats(40 * columns).map { $0 + 3 }
            try world.expect(within: 2e-6, "\(columns) columns") { pass, pick in
                pass.normalize(pass.load(x, columns: columns), by: .rootMeanSquare(gain: pick(gain), epsilon: 1e-6))
            }
            try world.expect(within: 2e-5, "\(columns) columns") { pass, pick in
                pass.normalize(
                    pass.load(x, columns: columns), by: .layer(gain: pick(gain), bias: pick(bias), epsilon: 1e-5))
            }
        }
    }

    @Test func `rotate agrees in both pairings, at positions near and far`() throws {
        var random = SeededNumbers(seed: 6)
        let positions: [Int32] = [0, 1, 7, 100, 511, 512, 4000]
        let world = try World(
            ForwardPlan(
                arithmetic: .rowExact, sight: .causal, committed: 0, positions: positions,
                slots: (0..<Int32(positions.count)).map { $0 }))
        for (heads, headWidth, width) in [(1, 2, 2), (3, 10, 6), (8, 32, 32)] {
            for pairing in [Rotary.Pairing.adjacent, .halves] {
                let x = random.floats(positions.count * heads * headWidth)
                let rotary = Rotary(base: 10000, width: width, pairing: pairing)
                try world.expect(within: 1e-6, "\(heads) heads of \(headWidth), \(width) turned") { pass, _ in
                    pass.rotate(pass.load(x, columns: heads * headWidth), heads: heads, by: rotary)
                }
            }
        }
    }

    @Test(arguments: [
        AttentionHeads(queries: 1, keys: 1, width: 1), AttentionHeads(queries: 6, keys: 2, width: 12),
        AttentionHeads(queries: 4, keys: 4, width: 32), AttentionHeads(queries: 8, keys: 1, width: 80),
    ])
    func `attention agrees after prefixes, in trees and without a cache`(heads: AttentionHeads) throws {
        var random = SeededNumbers(seed: 7)
        for rows in [1, 2, 5, 11, 37] {
            let visionWorld = try World(.vision(rows: rows), CPUConfiguration.allCaches)
            let numbers = heads.numbers(rows: rows, using: &random)
            try visionWorld.expect(within: 3e-6, "\(rows) rows without a cache") { pass, _ in
                heads.attend(numbers, in: pass, cache: nil)
            }
            for committed in [0, 1, 15, 50] {
                let capacity = committed + 2 * rows + 3
                let prefix = heads.numbers(rows: committed, using: &random)
                let numbers = heads.numbers(rows: rows, using: &random)
                for plan in [
                    ForwardPlan.text(rows: rows, after: committed),
                    randomTree(rows: rows, committed: committed, capacity: capacity, using: &random),
                ] {
                    func run(_ backend: any Backend) throws -> [Float] {
                        let cache = backend.makeCacheLayer(
                            capacity: capacity, heads: heads.keys, headWidth: heads.width)
                        if committed > 0 {
                            let pass = backend.begin(.text(rows: committed, after: 0))
                            _ = try pass.read(heads.attend(prefix, in: pass, cache: cache))
                        }
                        let pass = backend.begin(plan)
                        return try pass.read(heads.attend(numbers, in: pass, cache: cache))
                    }
                    let expected = try run(ReferenceBackend())
                    for (configuration, backend) in visionWorld.backends {
                        let distance = try run(backend).distance(from: expected)
                        #expect(
                            distance < 3e-6, "\(configuration.testDescription), \(rows) rows after \(committed)")
                    }
                }
            }
        }
    }

    @Test(arguments: StoredTensor.Format.allCases)
    func `embed, gather and read give the stored numbers exactly`(format: StoredTensor.Format) throws {
        var random = SeededNumbers(seed: 8)
        let world = try World()
        for columns in format.isQuantised ? [format.blockLength, 3 * format.blockLength] : [1, 15, 64] {
            let table = try world.weights(.made(random.floats(9 * columns), rows: 9, format: format), for: .table)
            try world.expect(within: 0) { pass, pick in
                pass.gather([2, 0, 2], of: pass.embed([8, 0, 3, 3], from: pick(table)))
            }
        }
    }

    @Test func `argmax and best agree, ties included`() throws {
        var random = SeededNumbers(seed: 9)
        let world = try World()
        let reference = world.reference.begin(world.plan)
        for columns in [1, 5, 16, 33, 1000] {
            // Few distinct numbers, so that ties are everywhere.
            let x = (0..<6 * columns).map { _ in Float(Int.random(in: -5...5, using: &random)) }
            let expected = reference.load(x, columns: columns)
            for (_, backend) in world.backends {
                let pass = backend.begin(world.plan)
                let found = pass.load(x, columns: columns)
                #expect(try pass.argmax(found) == reference.argmax(expected))
                for count in [1, 2, 10, 40] {
                    #expect(try pass.best(count, of: found) == reference.best(count, of: expected))
                }
            }
        }
    }
}

extension AttentionHeads {
    /// Random queries, keys and values.
    fileprivate func numbers(rows: Int, using random: inout SeededNumbers) -> [[Float]] {
        // Keys and values that every cache keeps exactly, so that all formats can be held to one limit: whole numbers of
        // 1/128, with the largest, 127, in every part of a head.
        [random.floats(rows * queries * width)]
            + (0..<2).map { _ in
                (0..<rows * keys * width).map { index in
                    let isLargest = index % width % 32 == 0
                    return Float(isLargest ? 127 : Int.random(in: -127...127, using: &random)) / 128
                }
            }
    }

    fileprivate func attend(_ numbers: [[Float]], in pass: any ForwardPass, cache: (any CacheLayer)?) -> any Matrix {
        pass.attend(
            queries: pass.load(numbers[0], columns: queries * width),
            keys: pass.load(numbers[1], columns: keys * width), values: pass.load(numbers[2], columns: keys * width),
            heads: self, cache: cache)
    }
}
