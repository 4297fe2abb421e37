// BackendSupport.swift — seeded numbers, and tensors in the bytes of each format, for the tests of backends.

import Testing

@testable import Engine

/// SplitMix64: the same numbers on every machine for the same seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Numbers between -scale and scale.
    mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -scale...scale, using: &self) }
    }
}

/// Bytes that stay where they are while a tensor refers to them.
final class TensorBytes {
    let buffer: UnsafeRawBufferPointer

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
        memory.copyBytes(from: bytes)
        buffer = UnsafeRawBufferPointer(rebasing: memory[..<bytes.count])
    }

    deinit { buffer.deallocate() }
}

extension StoredTensor {
    /// A tensor of `rows` rows that holds `values`, rounded as `format` rounds.
    static func made(_ values: [Float], rows: Int, format: Format = .float32, name: String = "test") -> StoredTensor {
        let bytes: [UInt8] =
            switch format {
            case .float32: values.flatMap { bytesOf($0.bitPattern) }
            case .float16: values.flatMap { bytesOf(halfBits($0)) }
            case .bfloat16: values.flatMap { bytesOf(UInt16(truncatingIfNeeded: $0.bitPattern >> 16)) }
            case .q8_0: quantised(values, steps: 127) { $0.map { UInt8(bitPattern: Int8($0)) } }
            case .q4_0:
                quantised(values, steps: 7) { block in
                    (0..<16).map { UInt8(block[$0] + 8) | UInt8(block[$0 + 16] + 8) << 4 }
                }
            default: scattered(values, format: format)
            }
        let owner = TensorBytes(bytes)
        return StoredTensor(
            name: name, format: format, rows: rows, columns: values.count / rows, bytes: owner.buffer, owner: owner)
    }

    private static func quantised(_ values: [Float], steps: Float, pack: ([Int]) -> [UInt8]) -> [UInt8] {
        stride(from: 0, to: values.count, by: 32).flatMap { start -> [UInt8] in
            let block = values[start..<min(start + 32, values.count)]
            let scale = half(halfBits((block.map(\.magnitude).max() ?? 0) / steps))
            let whole = block.map { scale == 0 ? 0 : max(-steps, min(steps, ($0 / scale).rounded())) }
            return bytesOf(halfBits(scale)) + pack(whole.map { Int($0) })
        }
    }

    /// Blocks of codes and steps drawn from the bits of the values, scaled so that no number exceeds their magnitude.
    private static func scattered(_ values: [Float], format: Format) -> [UInt8] {
        stride(from: 0, to: values.count, by: format.blockLength).flatMap { start -> [UInt8] in
            let values = values[start..<start + format.blockLength]
            let largest = values.map(\.magnitude).max() ?? 0
            var block = (0..<format.blockBytes).map { index in
                UInt8(truncatingIfNeeded: (values[start + index % values.count].bitPattern &* 0x9E37_79B1) >> 24)
                    &+ UInt8(truncatingIfNeeded: index)
            }
            for (place, number) in format.halves(largest: largest) {
                block.replaceSubrange(place..<place + 2, with: bytesOf(halfBits(number)))
            }
            return block
        }
    }

    private static func bytesOf(_ word: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: word.littleEndian) { Array($0) }
    }
}

extension StoredTensor.Format {
    /// Where a block's half-precision numbers stand, and what they are when its numbers reach about `largest`.
    fileprivate func halves(largest: Float) -> [(place: Int, number: Float)] {
        switch self {
        case .q4_1: [(0, largest / 8), (2, -largest)]
        case .q5_0: [(0, -largest / 16)]
        case .q5_1: [(0, largest / 16), (2, -largest)]
        case .q2_k: [(80, largest / 24), (82, largest / 15)]
        case .q3_k: [(108, largest / 128)]
        case .q4_k: [(0, 2 * largest / (63 * 15)), (2, largest / 63)]
        case .q5_k: [(0, 2 * largest / (63 * 31)), (2, largest / 63)]
        case .q6_k: [(208, largest / 4096)]
        case .iq4_nl: [(0, largest / 127)]
        case .iq4_xs: [(0, largest / (32 * 127))]
        case .float32, .float16, .bfloat16, .q8_0, .q4_0: []
        }
    }

    /// Whether its products are taken with whole-number activations.
    var isQuantised: Bool { blockLength > 1 }
}

/// The half-precision pattern of a number of ordinary size, rounded to nearest; tiny ones become zero.
func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    guard magnitude >= 0x3880_0000 else { return sign }
    let rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1)
    precondition(rounded < 0x4780_0000, "halfBits: \(value) is too large for a test")
    return sign | UInt16((rounded - 0x3800_0000) >> 13)
}

/// One way in which the CPU backend can compute: every build of the kernels that this machine runs, alone and shared.
struct CPUConfiguration: Sendable, CustomTestStringConvertible {
    let instructions: InstructionSet
    let threads: Int
    var cache = CacheFormat.float32

    static let all = InstructionSet.allCases.filter(\.isAvailable).flatMap { instructions in
        [1, 2].map { CPUConfiguration(instructions: instructions, threads: $0) }
    }
    /// With keys and values in every format, for what reads them.
    static let allCaches =
        all
        + InstructionSet.allCases.filter(\.isAvailable).flatMap { instructions in
            [.float16, .q8_0].map { CPUConfiguration(instructions: instructions, threads: 2, cache: $0) }
        }

    func backend() throws -> CPUBackend {
        try CPUBackend(threads: threads, instructions: instructions, cache: cache)
    }

    var testDescription: String { "\(instructions.rawValue), \(threads) threads, cache \(cache.rawValue)" }
}

extension [Float] {
    var bits: [UInt32] { map(\.bitPattern) }

    /// The largest difference, as a share of the largest magnitude that was expected; infinite for not-a-number.
    func distance(from expected: [Float]) -> Double {
        guard count == expected.count else { return .infinity }
        let scale = Double(expected.map(\.magnitude).max() ?? 0)
        return zip(self, expected).reduce(0) { worst, pair in
            let difference = Double((pair.0 - pair.1).magnitude)
            return difference.isNaN ? .infinity : Swift.max(worst, difference / Swift.max(scale, 1e-30))
        }
    }
}

/// A tree of `rows` nodes, parents before children, at random slots from `committed` on.
func randomTree(
    rows: Int, committed: Int, capacity: Int, using random: inout SeededNumbers
) -> ForwardPlan {
    let slots = Array((Int32(committed)..<Int32(capacity)).shuffled(using: &random).prefix(rows))
    var ancestors: [[Int32]] = []
    for row in 0..<rows {
        let parent = row == 0 ? nil : Int.random(in: max(0, row - 4)..<row, using: &random)
        ancestors.append(parent.map { ancestors[$0] + [slots[$0]] } ?? [])
    }
    return ForwardPlan(
        arithmetic: .rowExact, sight: .ancestors(ancestors), committed: committed,
        positions: ancestors.map { Int32(committed + $0.count) }, slots: slots)
}
