// FuzzPacked.swift — libFuzzer's way into the reader of packed weights. Built by Fuzz/run, not by the package.

/// Two weights of a model, small enough that a file of them is an input.
private let layout = PackedWeightLayout(
    key: Array(repeating: 7, count: PackedWeightLayout.keyBytes),
    weights: [
        (PackedShape(name: "blk.0.attn_q.weight", format: .q8_0, outputs: 16, inputs: 32), 544),
        (PackedShape(name: "output.weight", format: .float16, outputs: 16, inputs: 2), 64),
    ])

/// A sum that libFuzzer can meet: it must get as far as the panels.
private func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    bytes.reduce(UInt64(bytes.count)) { ($0 &+ UInt64($1)) & 15 }
}

/// Opens the bytes as packed weights, reads all of them, and touches both ends of each.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPacked(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let file = PackedWeightFile(FileBytes(copying: bytes), layout: layout, checksum: sum) else { return 0 }
    // What is believed is the length that the model says, and a beginning that is the model's own but for the sums.
    precondition(bytes.count == layout.byteCount)
    var stopped = 0
    _ = try? file.isWhole(checksum: sum) { done, _ in stopped = done }
    precondition(stopped <= layout.entries.count)
    for entry in layout.entries {
        guard let found = file.bytes(of: entry.shape) else { preconditionFailure("a weight is missing") }
        precondition(found.bytes.count == entry.byteCount && found.bytes.first != nil && found.bytes.last != nil)
    }
    let other = PackedShape(name: "output.weight", format: .float16, outputs: 2, inputs: 16)
    precondition(file.bytes(of: other) == nil)
    return 0
}
