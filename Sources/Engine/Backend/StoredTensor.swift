// StoredTensor.swift — a tensor as its file keeps it. Made by Checkpoint, packed into a Weight by a backend.

/// A matrix (or vector) in the bytes of the file that holds it.
///
/// Layout: `rows` runs of `columns` numbers each; a vector has one row. GGUF's first dimension is `columns`.
struct StoredTensor {
    /// How the numbers are written; the names are those of GGUF.
    enum Format: String, Sendable, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case q8_0 = "Q8_0"
        case q4_0 = "Q4_0"

        /// Numbers that share one block: a row must hold a whole number of blocks.
        var blockLength: Int {
            switch self {
            case .float32, .float16, .bfloat16: 1
            case .q8_0, .q4_0: 32
            }
        }

        /// Bytes of one block. A quantised block begins with its scale in half precision.
        var blockBytes: Int {
            switch self {
            case .float32: 4
            case .float16, .bfloat16: 2
            case .q8_0: 34
            case .q4_0: 18
            }
        }
    }

    let name: String
    let format: Format
    let rows: Int
    let columns: Int
    /// Exactly `rows * columns / blockLength * blockBytes` bytes; valid as long as `owner` lives.
    let bytes: UnsafeRawBufferPointer
    /// What keeps `bytes` alive: the mapped file, or the array that a test made.
    let owner: AnyObject
}
