// GGUFTensor.swift — one line of a GGUF file's tensor directory. Read by GGUFCursor, turned into a StoredTensor by GGUF.

/// How a tensor's numbers are written, by its code in the file.
struct GGUFTensorType: Sendable, Equatable {
    let code: UInt32

    /// llama.cpp's name, or the code where it is unknown to us.
    var name: String { Self.known[code]?.name ?? "type \(code)" }
    /// Numbers that share a block, and the bytes of one; absent for an unknown type.
    var block: (length: Int, bytes: Int)? { Self.known[code].map { ($0.length, $0.bytes) } }
    /// The format in which the engine can use it; absent for types that it does not read.
    var format: StoredTensor.Format? { StoredTensor.Format(rawValue: name) }

    /// What llama.cpp has written so far; those that the engine cannot use are here to be named and measured.
    private static let known: [UInt32: (name: String, length: Int, bytes: Int)] = [
        0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
        7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
        12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 16: ("IQ2_XXS", 256, 66),
        17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18),
        21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1),
        25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
        30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    ]
}

/// A tensor's name, shape and place.
struct GGUFTensor: Sendable, Equatable {
    let name: String
    let type: GGUFTensorType
    /// One to four; the first is the one whose numbers stand side by side.
    let dimensions: [Int]
    /// From the start of its file.
    let offset: Int
    /// Absent for a type whose size is unknown.
    let byteCount: Int?
    /// Which file of a split model holds it, from 0.
    var part = 0

    /// The product of all dimensions.
    var count: Int { dimensions.reduce(1, *) }

    /// Whether the tensor can be read as `rows` runs of `columns` numbers without cutting through a dimension.
    func folds(into rows: Int, _ columns: Int) -> Bool {
        shapeFolds(dimensions.reversed(), into: rows, columns)
    }
}
