// TensorSource.swift — tensors of a checkpoint by name, whatever its format. Read by the configurations and WeightLoader.

/// A tensor that a model needs, in the shape that it needs.
struct TensorShape: Sendable, Equatable {
    let name: String
    let rows: Int
    let columns: Int

    init(_ name: String, _ rows: Int, _ columns: Int) { (self.name, self.rows, self.columns) = (name, rows, columns) }
}

/// A checkpoint's tensors under one set of names, those of llama.cpp's GGUF files: `blk.0.attn_q.weight`,
/// `v.blk.0.ln1.weight`, `mm.0.weight`. A format with other names translates them.
protocol TensorSource {
    associatedtype Failure: Error

    /// File or folder, for messages.
    var path: String { get }

    /// Of its files on disk.
    var byteCount: Int { get }

    func hasTensor(_ name: String) -> Bool

    /// Sizes of a tensor; the numbers of the last dimension stand side by side.
    func shape(_ name: String) throws(Failure) -> [Int]

    /// A tensor in its own shape: the last dimension is a row, the others are folded into the number of rows.
    func tensor(named name: String) throws(Failure) -> StoredTensor

    /// A tensor that must have this shape, or fold into it without a dimension being cut: a convolution's kernel
    /// [hidden, 3, patch, patch] is `hidden` rows of `3 · patch · patch` columns.
    func tensor(named name: String, rows: Int, columns: Int) throws(Failure) -> StoredTensor

    /// Throws unless the tensor is there and folds into this shape, whatever its type.
    func expect(_ name: String, rows: Int, columns: Int) throws(Failure)

    /// Bytes by which this checkpoint is known from every other one, wherever it lies.
    func identity() -> [UInt8]

    /// Bytes that are others as soon as one of the files was written or replaced.
    func stamp() -> [UInt8]
}

extension TensorSource {
    /// Throws unless all of these are there, whatever their types.
    func expect(_ shapes: [TensorShape]) throws(Failure) {
        for shape in shapes { try expect(shape.name, rows: shape.rows, columns: shape.columns) }
    }

    /// A tensor in its last dimension and all others.
    func folded(_ name: String) throws(Failure) -> (rows: Int, columns: Int) {
        let shape = try shape(name)
        return (shape.dropLast().reduce(1, *), shape.last ?? 1)
    }
}

/// Whether a tensor of this shape, its last dimension's numbers side by side, can be read as `rows` runs of `columns`
/// numbers without cutting through a dimension.
func shapeFolds(_ shape: [Int], into rows: Int, _ columns: Int) -> Bool {
    guard rows > 0, columns > 0 else { return false }
    var run = 1
    for size in shape.reversed() where run < columns { run *= size }
    return run == columns && shape.reduce(1, *) / run == rows
}
