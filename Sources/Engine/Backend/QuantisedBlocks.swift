// QuantisedBlocks.swift — what the blocks of each quantised format mean, number by number. Used by StoredTensor.floats.

/// One block of a row. Offsets and orders are those of llama.cpp's block structures; a half is two bytes, low one first.
///
/// Every number is made by the same float32 operations, in the same order, as llama.cpp's reference makes it:
/// Goldens/blocks holds both to the same bits.
struct QuantisedBlock {
    let bytes: UnsafeRawBufferPointer

    /// The block's numbers.
    func floats(_ format: StoredTensor.Format) -> [Float] {
        switch format {
        case .float32, .float16, .bfloat16: preconditionFailure("QuantisedBlock: \(format) has no blocks")
        case .q8_0: (0..<32).map { scale(at: 0) * Float(Int8(bitPattern: bytes[2 + $0])) }
        case .q4_0: nibbles(at: 2).map { scale(at: 0) * Float($0 - 8) }
        case .q4_1: nibbles(at: 4).map { scale(at: 0) * Float($0) + scale(at: 2) }
        case .q5_0: fiveBits(at: 6, fifth: 2).map { scale(at: 0) * Float($0 - 16) }
        case .q5_1: fiveBits(at: 8, fifth: 4).map { scale(at: 0) * Float($0) + scale(at: 2) }
        case .q2_k: (0..<256).map(q2K)
        case .q3_k: (0..<256).map(q3K)
        case .q4_k: (0..<256).map { stepped($0, code: nibble(of: $0, at: 16)) }
        case .q5_k:
            (0..<256).map { stepped($0, code: nibble(of: $0, at: 48) | bits(1, $0 / 32, of: 16 + $0 % 32) << 4) }
        case .q6_k: (0..<256).map(q6K)
        case .iq4_nl: nibbles(at: 2).map { scale(at: 0) * Self.curve[$0] }
        case .iq4_xs: (0..<256).map(iq4XS)
        }
    }

    /// What the four bits of the IQ4 formats stand for.
    private static let curve: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

    private func scale(at offset: Int) -> Float { half(UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8) }

    /// The `width` bits from `first` on of the byte at `offset`.
    private func bits(_ width: Int, _ first: Int, of offset: Int) -> Int {
        Int(bytes[offset]) >> first & ((1 << width) - 1)
    }

    /// Thirty-two numbers of four bits: the low halves of sixteen bytes, then the high halves.
    private func nibbles(at offset: Int) -> [Int] {
        (0..<32).map { bits(4, $0 / 16 * 4, of: offset + $0 % 16) }
    }

    /// Nibbles, and bit 4 of number i at bit i of the four bytes at `fifth`.
    private func fiveBits(at offset: Int, fifth: Int) -> [Int] {
        nibbles(at: offset).enumerated().map { $1 | bits(1, $0 % 8, of: fifth + $0 / 8) << 4 }
    }

    /// Four bits of number i of 256: two runs of 32 share 32 bytes.
    private func nibble(of i: Int, at offset: Int) -> Int {
        bits(4, i / 32 % 2 * 4, of: offset + i / 64 * 32 + i % 32)
    }

    private func q2K(_ i: Int) -> Float {
        let code = bits(2, i % 128 / 32 * 2, of: 16 + i / 128 * 32 + i % 32)
        let step = scale(at: 80) * Float(bits(4, 0, of: i / 16)), fall = scale(at: 82) * Float(bits(4, 4, of: i / 16))
        return step * Float(code) - fall
    }

    private func q3K(_ i: Int) -> Float {
        let low = bits(2, i % 128 / 32 * 2, of: 32 + i / 128 * 32 + i % 32), high = bits(1, i / 32, of: i % 32)
        let run = i / 16
        let step = bits(4, run / 8 * 4, of: 96 + run % 8) | bits(2, run / 4 * 2, of: 104 + run % 4) << 4
        return scale(at: 108) * Float(step - 32) * Float(low - (high == 0 ? 4 : 0))
    }

    /// Q4_K and Q5_K: eight steps and eight falls of six bits in the twelve bytes after two halves.
    private func stepped(_ i: Int, code: Int) -> Float {
        let run = i / 32
        let step: Int, fall: Int
        if run < 4 {
            step = bits(6, 0, of: 4 + run)
            fall = bits(6, 0, of: 8 + run)
        } else {
            step = bits(4, 0, of: 8 + run) | bits(2, 6, of: run) << 4
            fall = bits(4, 4, of: 8 + run) | bits(2, 6, of: 4 + run) << 4
        }
        return scale(at: 0) * Float(step) * Float(code) - scale(at: 2) * Float(fall)
    }

    private func q6K(_ i: Int) -> Float {
        let inHalf = i % 128, low = i / 128 * 64 + inHalf % 64
        let code = bits(4, inHalf / 64 * 4, of: low) | bits(2, inHalf / 32 * 2, of: 128 + i / 128 * 32 + i % 32) << 4
        return scale(at: 208) * Float(Int8(bitPattern: bytes[192 + i / 16])) * Float(code - 32)
    }

    private func iq4XS(_ i: Int) -> Float {
        let run = i / 32
        let step = bits(4, run % 2 * 4, of: 4 + run / 2) | bits(2, run % 4 * 2, of: 2 + run / 4) << 4
        return scale(at: 0) * Float(step - 32) * Self.curve[bits(4, i % 32 / 16 * 4, of: 8 + run * 16 + i % 16)]
    }
}
