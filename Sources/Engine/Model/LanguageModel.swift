// LanguageModel.swift — the LLaMA decoder: rows in, hidden states and logits out. Target and drafts are instances of it.

/// Weights of one language model in one backend. A pass over it is row exact whatever it is for: prefill, decoding,
/// verification and drafting share one kernel family (`decoding.md`, Rule 2).
final class LanguageModel {
    let configuration: LanguageModelConfiguration
    let backend: any Backend
    private let embedding: any Weight
    private let layers: [DecoderLayer]
    private let outputNorm: Normalization
    private let head: any Weight

    /// Reads and packs every weight.
    ///
    /// - Parameters:
    ///   - packing: what becomes of its matrices; absent: they are packed as they lie in the file.
    ///   - progress: called after each block with the blocks done and their number.
    init(
        _ checkpoint: LanguageCheckpoint, backend: any Backend, packing: ProductPacking? = nil,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let configuration = checkpoint.configuration
        let loader = WeightLoader(backend: backend, tensors: checkpoint.tensors, packing: packing)
        self.configuration = configuration
        self.backend = backend
        embedding = try loader.weight("token_embd.weight", for: .table)
        var layers: [DecoderLayer] = []
        for block in 0..<configuration.blocks {
            layers.append(
                try loader.decoderLayer(
                    block, heads: configuration.attention, rotary: configuration.rotary,
                    epsilon: configuration.epsilon))
            try progress(block + 1, configuration.blocks)
        }
        self.layers = layers
        outputNorm = .rootMeanSquare(
            gain: try loader.weight("output_norm.weight", for: .vector), epsilon: configuration.epsilon)
        head = try loader.weight(configuration.outputTensor, for: .rowExactProduct)
    }

    func makeCache(capacity: Int) -> KVCache {
        KVCache(
            backend: backend, blocks: configuration.blocks, capacity: capacity, heads: configuration.keyHeads,
            headWidth: configuration.headWidth)
    }

    /// What a pass begins with.
    enum Input {
        case tokens([Int32])
        /// Rows that already are embeddings, such as a picture's visual tokens: as many of [n, hidden] as the plan has,
        /// from this one on.
        case rows(any Matrix, from: Int)
    }

    /// Runs every block. Shape: [wanted rows, hidden], before the output norm.
    func forward(
        _ input: Input, plan: ForwardPlan, cache: KVCache, wanted: WantedRows = .all
    ) -> (pass: any ForwardPass, hidden: any Matrix) {
        let pass = backend.begin(plan)
        let embedded =
            switch input {
            case .tokens(let tokens): pass.embed(tokens, from: embedding)
            case .rows(let rows, let first): pass.gather(Array(first..<first + plan.rows), of: rows)
            }
        return (pass, pass.decode(embedded, through: layers, caches: cache.layers, wanted: wanted))
    }

    /// Logits of rows of a pass. Shape: [rows, vocabulary].
    func logits(of hidden: any Matrix, in pass: any ForwardPass) -> any Matrix {
        pass.linear(pass.normalize(hidden, by: outputNorm), head)
    }
}
