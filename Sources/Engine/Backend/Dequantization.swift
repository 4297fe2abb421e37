// Dequantization.swift — from the bytes of a file to float32. Used by both backends when they pack weights.

/// A tensor that cannot become a weight.
enum WeightError: Error, Equatable, CustomStringConvertible {
    case partialBlock(name: String, columns: Int, format: String, blockLength: Int)
    case wrongByteCount(name: String, expected: Int, found: Int)
    case notAVector(name: String, rows: Int)
    case notQuantisable(name: String, format: String)

    var description: String {
        switch self {
        case .partialBlock(let name, let columns, let format, let blockLength):
            "Tensor '\(name)' has rows of \(columns) numbers, but \(format) stores blocks of \(blockLength). "
                + "The file is damaged, or was converted with a wrong type: convert this tensor as F16."
        case .wrongByteCount(let name, let expected, let found):
            "Tensor '\(name)' should have \(expected) bytes and has \(found). The file is damaged: fetch it again."
        case .notAVector(let name, let rows):
            "Tensor '\(name)' has \(rows) rows where a single vector belongs. "
                + "Is it a LLaVA-1.5 file? `specchat inspect` lists what it holds."
        case .notQuantisable(let name, let format):
            "Tensor '\(name)' has numbers that \(format) cannot stand for: not-a-number, infinite or too large. "
                + "Fetch the file again, or go on without --quantize."
        }
    }
}

extension StoredTensor {
    /// Refuses a tensor whose shape, format and bytes do not belong together, or whose shape does not suit its use.
    func check(for use: WeightUse) throws(WeightError) {
        if columns % format.blockLength != 0 {
            throw .partialBlock(
                name: name, columns: columns, format: format.rawValue, blockLength: format.blockLength)
        }
        if bytes.count != rows * rowBytes {
            throw .wrongByteCount(name: name, expected: rows * rowBytes, found: bytes.count)
        }
        if use == .vector && rows != 1 { throw .notAVector(name: name, rows: rows) }
    }

    /// Bytes of one row.
    var rowBytes: Int { columns / format.blockLength * format.blockBytes }

    /// The numbers of one row as float32, `columns` of them.
    func floats(row: Int) -> [Float] {
        let source = UnsafeRawBufferPointer(rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes])
        switch format {
        case .float32:
            return (0..<columns).map { Float(bitPattern: littleEndian(source, at: 4 * $0)) }
        case .float16:
            return (0..<columns).map { half(littleEndian(source, at: 2 * $0)) }
        case .bfloat16:
            return (0..<columns).map { Float(bitPattern: UInt32(littleEndian(source, at: 2 * $0) as UInt16) << 16) }
        default:
            return stride(from: 0, to: source.count, by: format.blockBytes).flatMap { start in
                let bytes = UnsafeRawBufferPointer(rebasing: source[start..<start + format.blockBytes])
                return QuantisedBlock(bytes: bytes).floats(format)
            }
        }
    }

    /// All numbers as float32, row by row.
    func floats() -> [Float] {
        var all: [Float] = []
        all.reserveCapacity(rows * columns)
        for row in 0..<rows { all += floats(row: row) }
        return all
    }
}

// GGUF aligns tensors to 32 bytes by default but lets a file choose less, so nothing here assumes alignment.
private func littleEndian<Word: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Word {
    Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
}

/// The float32 of the same value as a half-precision bit pattern. `Float16` does not exist on every platform.
func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 31
    let fraction = UInt32(bits) & 0x3FF
    switch exponent {
    case 0:
        let magnitude = Float(fraction) * 0x1p-24
        return sign == 0 ? magnitude : -magnitude
    case 31:
        return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default:
        return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
