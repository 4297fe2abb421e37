// DecoderLayer.swift — one block of the LLaMA decoder, written once over the backend's operations.

/// Root-mean-square norms, rotary grouped-query attention and a SwiGLU feed-forward, each added to its input
/// (LLaMA, arXiv 2302.13971, section 2.2).
struct DecoderLayer {
    let attentionNorm: Normalization
    let query: any Weight
    let key: any Weight
    let value: any Weight
    let output: any Weight
    let feedForwardNorm: Normalization
    let gate: any Weight
    let up: any Weight
    let down: any Weight
    let heads: AttentionHeads
    let rotary: Rotary

    /// Shape: [rows, hidden] in and out; writes the rows' keys and values into `cache` at the plan's slots.
    fileprivate func forward(_ x: any Matrix, in pass: any ForwardPass, cache: any CacheLayer) -> any Matrix {
        let normalized = pass.normalize(x, by: attentionNorm)
        let queries = pass.rotate(pass.linear(normalized, query), heads: heads.queries, by: rotary)
        let keys = pass.rotate(pass.linear(normalized, key), heads: heads.keys, by: rotary)
        let values = pass.linear(normalized, value)
        let attended = pass.attend(queries: queries, keys: keys, values: values, heads: heads, cache: cache)
        let withAttention = pass.linear(attended, output, residual: x)
        let inner = pass.gated(pass.normalize(withAttention, by: feedForwardNorm), gate: gate, up: up)
        return pass.linear(inner, down, residual: withAttention)
    }
}

extension ForwardPass {
    func decode(_ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer]) -> any Matrix {
        decodeByOperations(x, through: layers, caches: caches)
    }

    /// What `decode` means: the blocks one after the other, operation by operation.
    func decodeByOperations(
        _ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer]
    ) -> any Matrix {
        var hidden = x
        for (layer, cache) in zip(layers, caches) { hidden = layer.forward(hidden, in: self, cache: cache) }
        return hidden
    }
}
