// BackendLawTests.swift — the laws of the backend boundary as equalities of bits. Docs/Decisions/0002.

import Testing

@testable import Engine

private func randomTokens(_ count: Int, using random: inout SeededNumbers) -> [Int32] {
    (0..<count).map { _ in Int32.random(in: 0..<Int32(TinyDecoder.vocabulary), using: &random) }
}

@Suite struct `Backend laws` {
    @Test(arguments: TinyDecoder.shapes.indices)
    func `a row has the same bits alone and among any number of rows`(shape: Int) throws {
        var random = SeededNumbers(seed: 11)
        let tokens = randomTokens(65, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for configuration in CPUConfiguration.allCaches {
            let decoder = try TinyDecoder(configuration, tensors)
            let alone = try decoder.oneByOne(tokens)
            #expect(alone.joined().allSatisfy { Float(bitPattern: $0).isFinite })
            for chunk in [2, 3, 5, 8, 16, 33, 64, 65] {
                decoder.forget()
                var together: [[UInt32]] = []
                while together.count < tokens.count {
                    let rows = min(chunk, tokens.count - together.count)
                    together += try decoder.logits(
                        tokens[together.count..<together.count + rows], .text(rows: rows, after: together.count)
                    ).map(\.bits)
                }
                #expect(together == alone, "chunks of \(chunk), \(configuration.testDescription)")
            }
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `a pass of which only the last row is wanted gives its bits and everyone's keys and values`(
        shape: Int
    ) throws {
        var random = SeededNumbers(seed: 15)
        let tokens = randomTokens(40, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for configuration in CPUConfiguration.allCaches {
            let decoder = try TinyDecoder(configuration, tensors)
            for rows in [1, 2, 7, 16, 39] {
                func read(_ wanted: WantedRows) throws -> (logits: [[UInt32]], after: [UInt32]) {
                    decoder.forget()
                    let logits = try decoder.logits(tokens[..<rows], .text(rows: rows, after: 0), wanted: wanted)
                    let after = try decoder.logits(tokens[rows..<rows + 1], .text(rows: 1, after: rows))
                    return (logits.map(\.bits), after[0].bits)
                }
                let all = try read(.all), last = try read(.last)
                #expect(all.logits.count == rows && last.logits.count == 1)
                #expect(last.logits.last == all.logits.last, "\(rows) rows, \(configuration.testDescription)")
                #expect(last.after == all.after, "\(rows) rows, \(configuration.testDescription)")
            }
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `blocks in one go have the bits of their operations`(shape: Int) throws {
        var random = SeededNumbers(seed: 14)
        let tokens = randomTokens(40, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        let three = CPUConfiguration(instructions: .scalar, threads: 3)
        for configuration in CPUConfiguration.allCaches + [three] {
            let decoder = try TinyDecoder(configuration, tensors)
            var first = 0
            for rows in [1, 2, 4, 5, 8, 16] {
                let plan = ForwardPlan.text(rows: rows, after: first), part = tokens[first..<first + rows]
                let whole = try decoder.logits(part, plan).map(\.bits)
                // Written over by the same numbers: what the next rows see is what the operations left.
                let singly = try decoder.logits(part, plan, byOperations: true).map(\.bits)
                #expect(whole == singly, "\(rows) rows, \(configuration.testDescription)")
                first += rows
            }
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `the number of threads changes no bit`(shape: Int) throws {
        var random = SeededNumbers(seed: 12)
        let tokens = randomTokens(40, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for instructions in InstructionSet.allCases where instructions.isAvailable {
            let all = try [1, 2, 3].map { threads in
                let configuration = CPUConfiguration(instructions: instructions, threads: threads)
                let decoder = try TinyDecoder(configuration, tensors)
                return try decoder.logits(tokens, .text(rows: 40, after: 0)).map(\.bits)
                    + decoder.logits([3], .text(rows: 1, after: 40)).map(\.bits)
            }
            #expect(all[1] == all[0] && all[2] == all[0], "\(instructions)")
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `a tree node has the bits of its path decoded one token at a time, wherever its slots lie`(
        shape: Int
    ) throws {
        var random = SeededNumbers(seed: 13)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for configuration in CPUConfiguration.allCaches {
            let decoder = try TinyDecoder(configuration, tensors), single = try TinyDecoder(configuration, tensors)
            for (committed, rows) in [(0, 7), (1, 3), (15, 12), (37, 20)] {
                let text = randomTokens(committed, using: &random), nodes = randomTokens(rows, using: &random)
                let plan = randomTree(rows: rows, committed: committed, capacity: 160, using: &random)
                guard case .ancestors(let lists) = plan.sight else { return }
                decoder.forget()
                single.forget()
                if committed > 0 { _ = try decoder.logits(text, .text(rows: committed, after: 0)) }
                let together = try decoder.logits(nodes, plan).map(\.bits)
                _ = try single.oneByOne(text)
                for row in 0..<rows {
                    let path = lists[row].map { nodes[plan.slots.firstIndex(of: $0)!] } + [nodes[row]]
                    let expected = try single.oneByOne(path, after: committed).last
                    #expect(
                        expected == together[row], "node \(row) after \(committed), \(configuration.testDescription)")
                }
            }
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `a moved path is what plain decoding would have stored`(shape: Int) throws {
        var random = SeededNumbers(seed: 14)
        let text = randomTokens(20, using: &random), nodes = randomTokens(9, using: &random)
        // Root at 20; the accepted path lies at 20, 22, 23, 27, so that sources and targets overlap.
        let lists: [[Int32]] = [
            [], [20], [20], [20, 22], [20, 22], [20, 21], [20, 22, 23], [20, 22, 23], [20, 21, 25],
        ]
        let plan = ForwardPlan(
            arithmetic: .rowExact, sight: .ancestors(lists), committed: 20,
            positions: lists.map { Int32(20 + $0.count) }, slots: (20..<29).map { $0 })
        let next = randomTokens(2, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for configuration in CPUConfiguration.allCaches {
            let decoder = try TinyDecoder(configuration, tensors)
            _ = try decoder.logits(text, .text(rows: 20, after: 0))
            _ = try decoder.logits(nodes, plan)
            decoder.backend.move([20, 22, 23, 27], to: 20, in: decoder.caches)
            let found = try decoder.logits(next, .text(rows: 2, after: 24)).map(\.bits)
            decoder.forget()
            let expected = try decoder.oneByOne(text + [0, 2, 3, 7].map { nodes[$0] } + next)
            #expect(found == Array(expected.suffix(2)), "\(configuration.testDescription)")
        }
    }

    @Test(arguments: TinyDecoder.shapes.indices)
    func `rows that were read out and written back are the rows that were computed`(shape: Int) throws {
        var random = SeededNumbers(seed: 16)
        let text = randomTokens(37, using: &random), next = randomTokens(3, using: &random)
        let tensors = TinyDecoder.Tensors(TinyDecoder.shapes[shape])
        for configuration in CPUConfiguration.allCaches {
            let decoder = try TinyDecoder(configuration, tensors)
            _ = try decoder.logits(text, .text(rows: 37, after: 0))
            let kept = decoder.caches.map { decoder.backend.numbers(ofRows: 37, in: $0) }
            let expected = try decoder.logits(next, .text(rows: 3, after: 37)).map(\.bits)
            decoder.forget()
            for (layer, numbers) in zip(decoder.caches, kept) { decoder.backend.write(numbers, rows: 37, to: layer) }
            let found = try decoder.logits(next, .text(rows: 3, after: 37)).map(\.bits)
            #expect(found == expected, "\(configuration.testDescription)")
            #expect(decoder.caches.map { decoder.backend.numbers(ofRows: 37, in: $0).bits } == kept.map(\.bits))
        }
    }

    /// Rows as long as a real model's, whose sums wait in memory between two stretches of k.
    @Test(arguments: StoredTensor.Format.allCases)
    func `a long row has the same bits alone and among any number of rows`(format: StoredTensor.Format) throws {
        var random = SeededNumbers(seed: 17)
        let inputs = 2560, outputs = 56
        let tensor = StoredTensor.made(random.floats(outputs * inputs), rows: outputs, format: format)
        let x = random.floats(70 * inputs)
        for configuration in CPUConfiguration.all {
            let backend = try configuration.backend()
            let weight = try backend.makeWeight(tensor, for: .rowExactProduct)
            func products(_ rows: Range<Int>) throws -> [UInt32] {
                let pass = backend.begin(.text(rows: rows.count, after: 0))
                let part = Array(x[rows.lowerBound * inputs..<rows.upperBound * inputs])
                return try pass.read(pass.linear(pass.load(part, columns: inputs), weight)).bits
            }
            let alone = try (0..<70).map { try products($0..<$0 + 1) }
            for count in [2, 3, 4, 5, 7, 8, 9, 12, 64, 65, 70] {
                #expect(
                    try products(70 - count..<70) == Array(alone.suffix(count).joined()),
                    "\(count) rows, \(configuration.testDescription)")
            }
        }
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isAvailable))
    func `a fixed-shape pass has the same bits for any number of threads`(instructions: InstructionSet) throws {
        let results = try [1, 2, 3].map { threads -> [UInt32] in
            var random = SeededNumbers(seed: 15)
            let backend = try CPUBackend(threads: threads, instructions: instructions)
            let pass = backend.begin(.vision(rows: 400))
            let wide = try backend.makeWeight(.made(random.floats(1100 * 48), rows: 1100), for: .fixedShapeProduct)
            let narrow = try backend.makeWeight(.made(random.floats(48 * 1100), rows: 48), for: .fixedShapeProduct)
            let bias = try backend.makeWeight(.made(random.floats(1100), rows: 1), for: .vector)
            let x = pass.load(random.floats(400 * 48), columns: 48)
            let seen = pass.attend(
                queries: x, keys: x, values: x, heads: AttentionHeads(queries: 3, keys: 3, width: 16), cache: nil)
            let inner = pass.linear(seen, wide, bias: bias, activation: .quickGELU, residual: nil)
            let last = pass.linear(inner, narrow, residual: x)
            // Large enough for the kernel of whole numbers, where there is one.
            let large = try backend.makeWeight(.made(random.floats(520 * 512), rows: 520), for: .fixedShapeProduct)
            let rows = pass.load(random.floats(400 * 512), columns: 512)
            return try pass.read(last).bits + pass.read(pass.linear(rows, large)).bits
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }
}
