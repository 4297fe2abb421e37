// ReferenceBackend.swift — plain loops over float32: what every operation means. Other backends are tested against it.

/// The specification of `Backend`, slow and obvious: weights become float32, sums are taken in Double.
///
/// It obeys the laws by having one loop for everything: every output is summed alone, in order, on one thread.
final class ReferenceBackend: Backend {
    let name = "reference"
    let threads = 1
    let arithmetic = "reference"

    func makeWeight(_ tensor: StoredTensor, for use: WeightUse) throws -> any Weight {
        try tensor.check(for: use)
        let weight = ReferenceWeight(outputs: tensor.rows, inputs: tensor.columns, values: tensor.floats())
        try tensor.checkBytes()
        return weight
    }

    func makeProduct(
        _ tensor: StoredTensor, as format: StoredTensor.Format, shelf: (any WeightShelf)?
    ) throws -> any Weight {
        precondition(format == tensor.format, "reference: numbers stay what they are in their file")
        return try makeWeight(tensor, for: .rowExactProduct)
    }

    func makeCacheLayer(capacity: Int, heads: Int, headWidth: Int) -> any CacheLayer {
        ReferenceCacheLayer(capacity: capacity, width: heads * headWidth)
    }

    func begin(_ plan: ForwardPlan) -> any ForwardPass {
        ReferencePass(plan: plan)
    }

    func move(_ slots: [Int32], to first: Int, in layers: [any CacheLayer]) {
        for case let layer as ReferenceCacheLayer in layers {
            // All rows are read before any is written: a source may lie where an earlier row goes.
            let keys = slots.map { layer.key(Int($0)) }
            let values = slots.map { layer.value(Int($0)) }
            for index in slots.indices { layer.write(key: keys[index], value: values[index], at: first + index) }
        }
    }
}

extension ReferenceBackend {
    func numbers(ofRows rows: Int, in layer: any CacheLayer) -> [Float] {
        guard let layer = layer as? ReferenceCacheLayer else { preconditionFailure("reference: a foreign layer") }
        return (0..<rows).flatMap { layer.key($0) } + (0..<rows).flatMap { layer.value($0) }
    }

    func write(_ numbers: [Float], rows: Int, to layer: any CacheLayer) {
        guard let layer = layer as? ReferenceCacheLayer else { preconditionFailure("reference: a foreign layer") }
        let width = numbers.count / max(1, 2 * rows)
        for row in 0..<rows {
            let key = numbers[row * width..<(row + 1) * width]
            layer.write(key: key, value: numbers[(rows + row) * width..<(rows + row + 1) * width], at: row)
        }
    }
}

/// Float32 numbers, row by row.
final class ReferenceMatrix: Matrix {
    let rows: Int
    let columns: Int
    let values: [Float]

    init(columns: Int, values: [Float]) {
        precondition(columns > 0 && values.count % columns == 0, "matrix: \(values.count) numbers, \(columns) columns")
        self.rows = values.count / columns
        self.columns = columns
        self.values = values
    }

    func row(_ index: Int) -> ArraySlice<Float> { values[index * columns..<(index + 1) * columns] }
}

/// Float32 numbers, output by output.
final class ReferenceWeight: Weight {
    let outputs: Int
    let inputs: Int
    let values: [Float]

    init(outputs: Int, inputs: Int, values: [Float]) {
        self.outputs = outputs
        self.inputs = inputs
        self.values = values
    }

    func output(_ index: Int) -> ArraySlice<Float> { values[index * inputs..<(index + 1) * inputs] }
}

/// Keys and values, slot by slot: [slot, heads × headWidth].
final class ReferenceCacheLayer: CacheLayer {
    let capacity: Int
    private let width: Int
    private var keys: [Float]
    private var values: [Float]

    init(capacity: Int, width: Int) {
        self.capacity = capacity
        self.width = width
        // A slot that nobody wrote must not pass for a row of zeros.
        keys = [Float](repeating: .nan, count: capacity * width)
        values = [Float](repeating: .nan, count: capacity * width)
    }

    func key(_ slot: Int) -> ArraySlice<Float> { keys[slot * width..<(slot + 1) * width] }
    func value(_ slot: Int) -> ArraySlice<Float> { values[slot * width..<(slot + 1) * width] }

    func write(key: ArraySlice<Float>, value: ArraySlice<Float>, at slot: Int) {
        precondition(key.count == width && value.count == width, "cache: \(key.count) numbers, wants \(width)")
        keys.replaceSubrange(slot * width..<(slot + 1) * width, with: key)
        values.replaceSubrange(slot * width..<(slot + 1) * width, with: value)
    }
}
