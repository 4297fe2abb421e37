import Testing

@testable import Engine

@Suite struct `Cache format` {
    @Test func `half precision rounds to the nearest number that it has, and never to infinity`() throws {
        let numbers: [Float] = [
            0, -0, 1, -1.5, 0.1, 1 + 0x1p-11, 1 + 0x1.8p-11, 65504, 65519, 1e9, -1e9, 0x1p-14, 0x1.fp-15, 0x1p-24,
            0x1p-25,
            0x1.8p-25, -3e-6,
        ]
        let kept: [Float] = [
            0, -0, 1, -1.5, 0.0999755859375, 1, 1 + 0x1p-10, 65504, 65504, 65504, -65504, 0x1p-14, 0x1.fp-15, 0x1p-24,
            0,
            0x1p-24, -0x32p-24,
        ]
        for instructions in InstructionSet.allCases where instructions.isAvailable {
            let backend = try CPUBackend(threads: 1, instructions: instructions, cache: .float16)
            let layer = backend.makeCacheLayer(capacity: 3, heads: 1, headWidth: numbers.count)
            backend.write(numbers + numbers.reversed(), rows: 1, to: layer)
            #expect(backend.numbers(ofRows: 1, in: layer).bits == (kept + kept.reversed()).bits, "\(instructions)")
        }
    }

    @Test func `codes are the nearest ones under each part's own scale`() throws {
        var random = SeededNumbers(seed: 31)
        let width = 40
        let numbers = random.floats(2 * width).enumerated().map { index, value in
            // Sizes that differ from part to part, one below what a scale can be and one of zeros.
            value * [1, 1e-7, 0, 3e4][index / 20]
        }
        for instructions in InstructionSet.allCases where instructions.isAvailable {
            let backend = try CPUBackend(threads: 1, instructions: instructions, cache: .q8_0)
            let layer = backend.makeCacheLayer(capacity: 3, heads: 1, headWidth: width)
            backend.write(numbers, rows: 1, to: layer)
            let kept = backend.numbers(ofRows: 1, in: layer)
            for first in [0, 32, width, width + 32] {
                let part = first..<min(first + 32, first / width * width + width)
                let largest = numbers[part].map(\.magnitude).max() ?? 0
                for index in part {
                    // Half a step, and what rounding the scale to eleven bits moves the outermost code by.
                    let step = max(largest / 127, 0x1p-14)
                    #expect((kept[index] - numbers[index]).magnitude <= step * 0.57, "\(instructions), \(index)")
                }
            }
            let other = backend.makeCacheLayer(capacity: 3, heads: 1, headWidth: width)
            backend.write(kept, rows: 1, to: other)
            #expect(backend.numbers(ofRows: 1, in: other).bits == kept.bits, "\(instructions)")
        }
    }

    @Test func `a number that is none stays none`() throws {
        for cache in CacheFormat.allCases {
            let backend = try CPUBackend(threads: 1, cache: cache)
            let layer = backend.makeCacheLayer(capacity: 1, heads: 1, headWidth: 32)
            backend.write([.nan] + [Float](repeating: 1, count: 63), rows: 1, to: layer)
            #expect(backend.numbers(ofRows: 1, in: layer)[0].isNaN, "\(cache)")
        }
    }

    @Test func `numbers kept on disk are good only for the format that made them`() throws {
        let arithmetics = try CacheFormat.allCases.map { try CPUBackend(threads: 1, cache: $0).arithmetic }
        #expect(Set(arithmetics).count == CacheFormat.allCases.count)
    }
}
