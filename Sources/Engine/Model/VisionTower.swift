// VisionTower.swift — CLIP's vision transformer up to the layer that LLaVA reads: patches in, features out.

/// The CLIP tower (arXiv 2103.00020) as LLaVA-1.5 uses it: the output of the penultimate block, class token dropped, no
/// final norm. The class token stands first, at position 0.
final class VisionTower {
    let configuration: VisionConfiguration
    private let backend: any Backend
    private let patchEmbedding: any Weight
    /// Positions [patches + 1, hidden], with the class embedding already added to row 0.
    private let places: [Float]
    private let preNorm: Normalization
    private let blocks: [VisionBlock]

    init(_ checkpoint: VisionCheckpoint, backend: any Backend) throws {
        let configuration = checkpoint.configuration
        let loader = WeightLoader(backend: backend, tensors: checkpoint.tensors)
        self.configuration = configuration
        self.backend = backend
        // Stored as a convolution [hidden, 3, patch, patch]; with a stride of one patch it is a product over whole patches.
        let kernel = try checkpoint.tensors.tensor(
            named: "v.patch_embd.weight", rows: configuration.hidden,
            columns: 3 * configuration.patchSize * configuration.patchSize)
        patchEmbedding = try backend.makeWeight(kernel, for: .fixedShapeProduct)
        places = try Self.places(loader: loader, backend: backend, rows: configuration.patches + 1)
        preNorm = try loader.layerNorm("v.pre_ln", epsilon: configuration.epsilon)
        blocks = try (0..<configuration.blocks).map { try VisionBlock($0, of: configuration, loader: loader) }
    }

    /// Shape: patches [n, 3 · patch · patch] row by row in, features [n, hidden] out.
    ///
    /// - Parameter progress: called after each block with the blocks done and their number; it may throw to stop.
    func encode(patches: [Float], progress: (Int, Int) throws -> Void) throws -> any Matrix {
        let width = 3 * configuration.patchSize * configuration.patchSize
        precondition(patches.count == configuration.patches * width, "VisionTower: wrong number of patch values")
        let pass = backend.begin(.vision(rows: configuration.patches + 1))
        // A row of zeros in front makes the class token's row: its embedding comes in with the positions.
        let pixels = pass.load([Float](repeating: 0, count: width) + patches, columns: width)
        let positions = pass.load(places, columns: configuration.hidden)
        var x = pass.normalize(pass.linear(pixels, patchEmbedding, residual: positions), by: preNorm)
        for (index, block) in blocks.enumerated() {
            x = block.forward(x, in: pass)
            try progress(index + 1, blocks.count)
        }
        return pass.gather(Array(1...configuration.patches), of: x)
    }

    /// The features of a tiled picture's squares as rows of one matrix, in the order in which they are read; zeros at the
    /// end of a line. Shape: squares of [patches, hidden] in, [layout.count, hidden] out.
    func pack(_ squares: [any Matrix], as layout: PictureLayout) throws -> any Matrix {
        precondition(squares.count == layout.squares, "VisionTower: \(squares.count) squares for \(layout.squares)")
        let pass = backend.begin(.vision(rows: layout.count))
        let width = configuration.hidden
        let numbers = try squares.map { try pass.read($0) }
        var packed: [Float] = []
        packed.reserveCapacity(layout.count * width)
        for place in layout.order {
            guard let place else {
                packed += [Float](repeating: 0, count: width)
                continue
            }
            let row = place % configuration.patches * width
            packed += numbers[place / configuration.patches][row..<row + width]
        }
        return pass.load(packed, columns: width)
    }

    private static func places(loader: WeightLoader, backend: any Backend, rows: Int) throws -> [Float] {
        let pass = backend.begin(.vision(rows: rows))
        let positions = try loader.weight("v.position_embd.weight", for: .table)
        let classEmbedding = try loader.weight("v.class_embd", for: .table)
        var places = try pass.read(pass.embed((0..<Int32(rows)).map { $0 }, from: positions))
        for (column, value) in try pass.read(pass.embed([0], from: classEmbedding)).enumerated() {
            places[column] += value
        }
        return places
    }
}

/// One block of the tower: layer norms, attention of every row to every row, a quick-GELU feed-forward.
private struct VisionBlock {
    let attentionNorm: Normalization
    let query: BiasedProduct
    let key: BiasedProduct
    let value: BiasedProduct
    let output: BiasedProduct
    let feedForwardNorm: Normalization
    let expand: BiasedProduct
    let contract: BiasedProduct
    let activation: Activation
    let heads: AttentionHeads

    init(_ index: Int, of configuration: VisionConfiguration, loader: WeightLoader) throws {
        let prefix = "v.blk.\(index)"
        attentionNorm = try loader.layerNorm("\(prefix).ln1", epsilon: configuration.epsilon)
        query = try loader.biased("\(prefix).attn_q")
        key = try loader.biased("\(prefix).attn_k")
        value = try loader.biased("\(prefix).attn_v")
        output = try loader.biased("\(prefix).attn_out")
        feedForwardNorm = try loader.layerNorm("\(prefix).ln2", epsilon: configuration.epsilon)
        let names = configuration.feedForwardNames(block: index)
        expand = try loader.biased(names.first)
        contract = try loader.biased(names.second)
        activation = configuration.useGELU ? .gelu : .quickGELU
        heads = AttentionHeads(
            queries: configuration.heads, keys: configuration.heads, width: configuration.headWidth)
    }

    func forward(_ x: any Matrix, in pass: any ForwardPass) -> any Matrix {
        let normalized = pass.normalize(x, by: attentionNorm)
        let attended = pass.attend(
            queries: query(normalized, in: pass), keys: key(normalized, in: pass), values: value(normalized, in: pass),
            heads: heads, cache: nil)
        let withAttention = output(attended, in: pass, residual: x)
        let inner = expand(pass.normalize(withAttention, by: feedForwardNorm), in: pass, activation: activation)
        return contract(inner, in: pass, residual: withAttention)
    }
}
