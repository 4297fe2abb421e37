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
        case q4_1 = "Q4_1"
        case q5_0 = "Q5_0"
        case q5_1 = "Q5_1"
        case q2_k = "Q2_K"
        case q3_k = "Q3_K"
        case q4_k = "Q4_K"
        case q5_k = "Q5_K"
        case q6_k = "Q6_K"
        case iq4_nl = "IQ4_NL"
        case iq4_xs = "IQ4_XS"

        /// Numbers that share one block: a row must hold a whole number of blocks.
        var blockLength: Int {
            switch self {
            case .float32, .float16, .bfloat16: 1
            case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl: 32
            case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq4_xs: 256
            }
        }

        /// Bytes of one block.
        var blockBytes: Int {
            switch self {
            case .float32: 4
            case .float16, .bfloat16: 2
            case .q8_0: 34
            case .q4_0, .iq4_nl: 18
            case .q4_1: 20
            case .q5_0: 22
            case .q5_1: 24
            case .q2_k: 84
            case .q3_k: 110
            case .q4_k: 144
            case .q5_k: 176
            case .q6_k: 210
            case .iq4_xs: 136
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
    /// Whether `bytes` are a read-only map of a file, whose pages the system can fetch again when they are given back.
    var isMapped = false
}

extension StoredTensor {
    /// Throws where the bytes are no longer those that were opened: to be asked after they were read.
    func checkBytes() throws { try (owner as? any TensorBytes)?.check() }
}

/// An owner of bytes that may change behind its back: a mapped file.
protocol TensorBytes: AnyObject {
    associatedtype Change: Error
    /// Throws once anything has changed.
    func check() throws(Change)
}
