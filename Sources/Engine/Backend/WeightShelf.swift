// WeightShelf.swift — where packed weights stay from one start of the program to the next. Given to a backend by Model.

/// A weight of row-exact products, as what is packed: beside its numbers its packed bytes depend on nothing else.
struct PackedShape: Sendable, Equatable {
    let name: String
    let format: StoredTensor.Format
    let outputs: Int
    let inputs: Int
}

/// Packed weights beyond this program's life.
protocol WeightShelf: AnyObject {
    /// The packed bytes of a weight, 64-byte aligned, and what keeps them; absent where they are not kept.
    func bytes(of shape: PackedShape) -> (bytes: UnsafeRawBufferPointer, owner: any TensorBytes)?
    /// Keeps what was packed just now. It never fails: what cannot be kept is packed again another time.
    func keep(_ bytes: UnsafeRawBufferPointer, of shape: PackedShape)
}
