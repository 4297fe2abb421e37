// Backend.swift — the boundary: the transformer is written once over these operations; a backend performs them.

/// Rows of float32 numbers, kept where their backend keeps them.
protocol Matrix: AnyObject {
    var rows: Int { get }
    var columns: Int { get }
}

/// A weight matrix [outputs, inputs], packed as its backend likes it. A vector has one output.
protocol Weight: AnyObject {
    var outputs: Int { get }
    var inputs: Int { get }
}

/// Keys and values of one decoder layer, by slot.
protocol CacheLayer: AnyObject {
    var capacity: Int { get }
}

/// What a weight will be used for, which decides how it is packed.
enum WeightUse: Sendable {
    /// The right side of `linear` or `gated` in a row-exact pass.
    case rowExactProduct
    /// The right side of `linear` in a fixed-shape pass.
    case fixedShapeProduct
    /// Rows are looked up by `embed`.
    case table
    /// A norm's gain or bias, or a product's bias: a vector of float32.
    case vector
}

enum Activation: Sendable, Equatable {
    /// x · sigmoid(1.702 x), CLIP's.
    case quickGELU
    /// x · Φ(x) with the exact error function, the projector's.
    case gelu
}

/// A normalisation of each row over its columns.
enum Normalization {
    /// x / sqrt(mean(x²) + epsilon) · gain.
    case rootMeanSquare(gain: any Weight, epsilon: Float)
    /// (x - mean) / sqrt(variance + epsilon) · gain + bias.
    case layer(gain: any Weight, bias: any Weight, epsilon: Float)
}

/// How the columns of queries, keys and values divide into heads.
struct AttentionHeads: Sendable, Equatable {
    let queries: Int
    /// Divides `queries`; query head h reads key head h · keys / queries (grouped-query attention).
    let keys: Int
    let width: Int
}

/// One token of a row of logits.
struct ScoredToken: Sendable, Equatable {
    let token: Int32
    let logit: Float
}

/// A place where models run.
///
/// The laws (each has a test in the conformance suite):
/// 1. Purpose, not size: the kernel depends on the plan's arithmetic and the weight, never on the number of rows.
/// 2. Row exactness: in a row-exact plan the bits of an output row depend only on its input row, the weights, and the
///    keys and values it sees, taken in order of position. Threads divide outputs, never sums.
/// 3. Opaque: a matrix, weight or cache layer is good only in the backend that made it.
/// 4. Errors wait: operations enqueue and do not throw; the first failure is thrown by the next read.
/// 5. Fusion is composition: a fused operation equals, in bits, the operations that it is made of.
protocol Backend: AnyObject {
    /// What statistics call it, with what it found: "cpu (avx512-vnni)".
    var name: String { get }
    var threads: Int { get }
    /// All that the bits of its results depend on beside numbers and plans: instruction set, libraries, versions. Numbers
    /// that were kept on disk are good only where it is the same.
    var arithmetic: String { get }

    func makeWeight(_ tensor: StoredTensor, for use: WeightUse) throws -> any Weight
    /// A weight for row-exact products. Numbers that the tensor has as floats become `format` first, if that is another
    /// type. A shelf that has the packed bytes gives them; another one is given them to keep.
    func makeProduct(
        _ tensor: StoredTensor, as format: StoredTensor.Format, shelf: (any WeightShelf)?
    ) throws -> any Weight
    func makeCacheLayer(capacity: Int, heads: Int, headWidth: Int) -> any CacheLayer
    func begin(_ plan: ForwardPlan) -> any ForwardPass

    /// Moves the rows at `slots` (ascending in text order) to `first, first + 1, …` in every layer, bit for bit.
    func move(_ slots: [Int32], to first: Int, in layers: [any CacheLayer])

    /// Keys and values in slots `0..<rows` of a layer. Layout: keys [rows, heads × headWidth], then values likewise.
    func numbers(ofRows rows: Int, in layer: any CacheLayer) -> [Float]
    /// Writes what `numbers` gave to slots `0..<rows` of a layer of the same heads, bit for bit.
    func write(_ numbers: [Float], rows: Int, to layer: any CacheLayer)
}

/// A backend at work on one plan.
protocol ForwardPass: AnyObject {
    /// Host numbers, row by row, `values.count / columns` rows.
    func load(_ values: [Float], columns: Int) -> any Matrix
    /// One row of `table` for each token, as float32.
    func embed(_ tokens: [Int32], from table: any Weight) -> any Matrix
    /// The listed rows of `source`, in this order.
    func gather(_ rows: [Int], of source: any Matrix) -> any Matrix
    func normalize(_ x: any Matrix, by norm: Normalization) -> any Matrix
    /// activation(x · weightᵀ + bias) + residual: [rows, outputs].
    func linear(
        _ x: any Matrix, _ weight: any Weight, bias: (any Weight)?, activation: Activation?, residual: (any Matrix)?
    ) -> any Matrix
    /// silu(x · gateᵀ) · (x · upᵀ), element by element: [rows, outputs].
    func gated(_ x: any Matrix, gate: any Weight, up: any Weight) -> any Matrix
    /// Turns every head of every row by the row's position.
    func rotate(_ x: any Matrix, heads: Int, by rotary: Rotary) -> any Matrix
    /// Writes keys and values to the plan's slots (when there is a cache), then softmax(q · kᵀ / sqrt(width)) · v over
    /// what each row sees: [rows, queries · width].
    func attend(
        queries: any Matrix, keys: any Matrix, values: any Matrix, heads: AttentionHeads, cache: (any CacheLayer)?
    ) -> any Matrix
    /// Rows through the blocks of a decoder: [wanted rows, hidden], before the output norm. Writes the keys and values of
    /// all rows into each block's cache. Means `decodeByOperations`, bit for bit.
    func decode(
        _ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer], wanted: WantedRows
    ) -> any Matrix

    /// All numbers, row by row.
    func read(_ x: any Matrix) throws -> [Float]
    /// The column of each row's largest number; the lowest one on a tie.
    func argmax(_ x: any Matrix) throws -> [Int32]
    /// Each row's `count` largest numbers, largest first; the lower column first on a tie.
    func best(_ count: Int, of x: any Matrix) throws -> [[ScoredToken]]
}

extension ForwardPass {
    func linear(_ x: any Matrix, _ weight: any Weight, residual: (any Matrix)? = nil) -> any Matrix {
        linear(x, weight, bias: nil, activation: nil, residual: residual)
    }
}
