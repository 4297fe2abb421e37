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

    /// Shape: [rows, hidden] in, [wanted rows, hidden] out; writes all rows' keys and values into `cache` at the plan's
    /// slots.
    fileprivate func forward(
        _ x: any Matrix, in pass: any ForwardPass, cache: any CacheLayer, wanted: WantedRows
    ) -> any Matrix {
        let normalized = pass.normalize(x, by: attentionNorm)
        let queries = pass.rotate(pass.linear(normalized, query), heads: heads.queries, by: rotary)
        let keys = pass.rotate(pass.linear(normalized, key), heads: heads.keys, by: rotary)
        let values = pass.linear(normalized, value)
        let attended = pass.attend(queries: queries, keys: keys, values: values, heads: heads, cache: cache)
        // From here on no row meets another one.
        let withAttention = pass.linear(
            pass.rows(wanted, of: attended), output, residual: pass.rows(wanted, of: x))
        let inner = pass.gated(pass.normalize(withAttention, by: feedForwardNorm), gate: gate, up: up)
        return pass.linear(inner, down, residual: withAttention)
    }
}

extension ForwardPass {
    func decode(
        _ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer], wanted: WantedRows
    ) -> any Matrix {
        decodeByOperations(x, through: layers, caches: caches, wanted: wanted)
    }

    /// What `decode` means: the blocks one after the other, operation by operation.
    func decodeByOperations(
        _ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer], wanted: WantedRows
    ) -> any Matrix {
        guard let last = layers.indices.last else { return rows(wanted, of: x) }
        var hidden = x
        for (index, (layer, cache)) in zip(layers, caches).enumerated() {
            hidden = layer.forward(hidden, in: self, cache: cache, wanted: index == last ? wanted : .all)
        }
        return hidden
    }

    /// The wanted ones of a pass's rows.
    func rows(_ wanted: WantedRows, of x: any Matrix) -> any Matrix {
        switch wanted {
        case .last where x.rows > 1: gather([x.rows - 1], of: x)
        case .all, .last: x
        }
    }
}
