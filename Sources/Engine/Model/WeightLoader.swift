// WeightLoader.swift — from names in a checkpoint to weights in a backend.

/// Looks tensors up by their canonical names (`TensorSource`) and hands them to a backend.
struct WeightLoader {
    let backend: any Backend
    let tensors: any TensorSource
    /// What becomes of the matrices of row-exact products; absent: they are packed as they lie in the file.
    var packing: ProductPacking?

    func weight(_ name: String, for use: WeightUse) throws -> any Weight {
        let tensor: StoredTensor = try tensors.tensor(named: name)
        guard use == .rowExactProduct, let packing else { return try backend.makeWeight(tensor, for: use) }
        return try backend.makeProduct(tensor, as: packing.format(of: tensor), shelf: packing.shelf)
    }

    /// A vector as numbers of the host.
    func numbers(_ name: String) throws -> [Float] {
        let table = try weight(name, for: .table)
        let pass = backend.begin(.vision(rows: 1))
        return try pass.read(pass.embed([0], from: table))
    }

    /// Block `index` of a LLaMA decoder.
    func decoderLayer(
        _ index: Int, heads: AttentionHeads, rotary: Rotary, epsilon: Float
    ) throws -> DecoderLayer {
        func product(_ name: String) throws -> any Weight {
            try weight("blk.\(index).\(name).weight", for: .rowExactProduct)
        }
        func norm(_ name: String) throws -> Normalization {
            .rootMeanSquare(gain: try weight("blk.\(index).\(name).weight", for: .vector), epsilon: epsilon)
        }
        return DecoderLayer(
            attentionNorm: try norm("attn_norm"), query: try product("attn_q"), key: try product("attn_k"),
            value: try product("attn_v"), output: try product("attn_output"),
            feedForwardNorm: try norm("ffn_norm"), gate: try product("ffn_gate"), up: try product("ffn_up"),
            down: try product("ffn_down"), heads: heads, rotary: rotary)
    }

    /// A product with its bias, as the vision tower and the projector have them.
    func biased(_ name: String) throws -> BiasedProduct {
        BiasedProduct(
            weight: try weight("\(name).weight", for: .fixedShapeProduct),
            bias: try weight("\(name).bias", for: .vector))
    }

    func layerNorm(_ name: String, epsilon: Float) throws -> Normalization {
        .layer(
            gain: try weight("\(name).weight", for: .vector), bias: try weight("\(name).bias", for: .vector),
            epsilon: epsilon)
    }
}

/// x · weightᵀ + bias in a fixed-shape pass.
struct BiasedProduct {
    let weight: any Weight
    let bias: any Weight

    func callAsFunction(
        _ x: any Matrix, in pass: any ForwardPass, activation: Activation? = nil, residual: (any Matrix)? = nil
    ) -> any Matrix {
        pass.linear(x, weight, bias: bias, activation: activation, residual: residual)
    }
}
