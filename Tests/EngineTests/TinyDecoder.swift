// TinyDecoder.swift — a decoder of random weights in every type, for the tests of the backend's laws.

@testable import Engine

/// A LLaMA decoder of random weights: large enough that its products are shared among threads.
final class TinyDecoder {
    struct Shape: Sendable {
        let format: StoredTensor.Format
        let heads: AttentionHeads
        let inner: Int
        var hidden: Int { heads.queries * heads.width }
    }

    static let shapes: [Shape] = [
        Shape(format: .q8_0, heads: AttentionHeads(queries: 4, keys: 2, width: 32), inner: 224),
        Shape(format: .q4_0, heads: AttentionHeads(queries: 4, keys: 4, width: 32), inner: 224),
        Shape(format: .float32, heads: AttentionHeads(queries: 6, keys: 2, width: 18), inner: 203),
        Shape(format: .float16, heads: AttentionHeads(queries: 8, keys: 8, width: 16), inner: 200),
        Shape(format: .bfloat16, heads: AttentionHeads(queries: 3, keys: 1, width: 40), inner: 190),
        Shape(format: .q4_1, heads: AttentionHeads(queries: 3, keys: 3, width: 32), inner: 96),
        Shape(format: .q5_0, heads: AttentionHeads(queries: 4, keys: 2, width: 24), inner: 160),
        Shape(format: .q5_1, heads: AttentionHeads(queries: 2, keys: 1, width: 64), inner: 192),
        Shape(format: .q2_k, heads: AttentionHeads(queries: 8, keys: 2, width: 32), inner: 256),
        Shape(format: .q3_k, heads: AttentionHeads(queries: 4, keys: 2, width: 64), inner: 256),
        Shape(format: .q4_k, heads: AttentionHeads(queries: 8, keys: 8, width: 32), inner: 512),
        Shape(format: .q5_k, heads: AttentionHeads(queries: 16, keys: 4, width: 16), inner: 256),
        Shape(format: .q6_k, heads: AttentionHeads(queries: 2, keys: 1, width: 128), inner: 512),
        Shape(format: .iq4_nl, heads: AttentionHeads(queries: 4, keys: 4, width: 40), inner: 224),
        Shape(format: .iq4_xs, heads: AttentionHeads(queries: 8, keys: 4, width: 32), inner: 256),
    ]
    static let vocabulary = 70

    /// The numbers of a decoder's weights, made once for all configurations that pack them.
    struct Tensors {
        let shape: Shape
        private let tensors: [StoredTensor]

        init(_ shape: Shape) {
            self.shape = shape
            var random = SeededNumbers(seed: 10)
            let hidden = shape.hidden, keyWidth = shape.heads.keys * shape.heads.width
            let products =
                [(vocabulary, hidden), (vocabulary, hidden)]
                + (0..<2).flatMap { _ in
                    [
                        (hidden, hidden), (keyWidth, hidden), (keyWidth, hidden), (hidden, hidden),
                        (shape.inner, hidden), (shape.inner, hidden), (hidden, shape.inner),
                    ]
                }
            tensors =
                products.map { outputs, inputs in
                    .made(
                        random.floats(outputs * inputs, scale: 2 / Float(inputs).squareRoot()), rows: outputs,
                        format: shape.format)
                } + (0..<4).map { _ in .made(random.floats(hidden), rows: 1) }
        }

        func table(_ backend: CPUBackend) throws -> any Weight { try backend.makeWeight(tensors[0], for: .table) }
        func head(_ backend: CPUBackend) throws -> any Weight {
            try backend.makeWeight(tensors[1], for: .rowExactProduct)
        }

        func layer(_ index: Int, _ backend: CPUBackend) throws -> DecoderLayer {
            let w = try tensors[(2 + 7 * index)..<(9 + 7 * index)].map {
                try backend.makeWeight($0, for: .rowExactProduct)
            }
            let norms = try tensors[(16 + 2 * index)..<(18 + 2 * index)].map {
                try backend.makeWeight($0, for: .vector)
            }
            return DecoderLayer(
                attentionNorm: .rootMeanSquare(gain: norms[0], epsilon: 1e-5), query: w[0], key: w[1], value: w[2],
                output: w[3], feedForwardNorm: .rootMeanSquare(gain: norms[1], epsilon: 1e-5), gate: w[4], up: w[5],
                down: w[6], heads: shape.heads,
                rotary: Rotary(base: 10000, width: shape.heads.width, pairing: index == 0 ? .halves : .adjacent))
        }
    }

    let backend: CPUBackend
    let shape: Shape
    let table: any Weight
    let head: any Weight
    let layers: [DecoderLayer]
    private(set) var caches: [any CacheLayer] = []

    init(_ configuration: CPUConfiguration, _ tensors: Tensors) throws {
        let backend = try configuration.backend()
        self.backend = backend
        shape = tensors.shape
        layers = try (0..<2).map { try tensors.layer($0, backend) }
        table = try tensors.table(backend)
        head = try tensors.head(backend)
        forget()
    }

    /// Begins again with an empty cache.
    func forget() {
        caches = layers.map { _ in
            backend.makeCacheLayer(capacity: 160, heads: shape.heads.keys, headWidth: shape.heads.width)
        }
    }

    /// Logits of the wanted rows of the plan, row by row.
    ///
    /// - Parameter byOperations: through the blocks' operations one by one, whatever else the backend could do.
    func logits(
        _ tokens: some Collection<Int32>, _ plan: ForwardPlan, wanted: WantedRows = .all, byOperations: Bool = false
    ) throws -> [[Float]] {
        let pass = backend.begin(plan)
        let rows = pass.embed(Array(tokens), from: table)
        let x =
            byOperations
            ? pass.decodeByOperations(rows, through: layers, caches: caches, wanted: wanted)
            : pass.decode(rows, through: layers, caches: caches, wanted: wanted)
        let numbers = try pass.read(pass.linear(x, head))
        return stride(from: 0, to: numbers.count, by: Self.vocabulary).map {
            Array(numbers[$0..<$0 + Self.vocabulary])
        }
    }

    /// Logits of every token, decoded one at a time after `committed` rows of the cache.
    func oneByOne(_ tokens: [Int32], after committed: Int = 0) throws -> [[UInt32]] {
        try tokens.enumerated().map { try logits([$1], .text(rows: 1, after: committed + $0))[0].bits }
    }
}
