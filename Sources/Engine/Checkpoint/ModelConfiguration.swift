// ModelConfiguration.swift — the sizes of a language model, whatever the format of its checkpoint. Read by Model.

/// A LLaMA decoder. Each format reads its own keys: GGUFModelConfiguration.swift and its like.
struct LanguageModelConfiguration: Sendable, Equatable {
    /// What the checkpoint calls itself.
    let name: String?
    /// Rows of the embedding and of the output head.
    let vocabulary: Int
    let hidden: Int
    let blocks: Int
    let heads: Int
    /// Heads of keys and values; divides `heads`.
    let keyHeads: Int
    let headWidth: Int
    let feedForward: Int
    /// Of the root-mean-square norms.
    let epsilon: Float
    let rotary: Rotary
    /// Positions that the model was trained for.
    let contextLength: Int
    /// How many positions back each row may look, itself included; absent where it may look back to the beginning. Only
    /// texts that fit into it are read, which look the same either way.
    var slidingWindow: Int?
    /// There is no `output.weight`: the embedding is the output head too.
    let isOutputTied: Bool

    /// The longest text that the model reads as it was trained to.
    var longestText: Int { min(contextLength, slidingWindow ?? contextLength) }
    var attention: AttentionHeads { AttentionHeads(queries: heads, keys: keyHeads, width: headWidth) }
    /// The tensor that turns the last hidden state into logits.
    var outputTensor: String { isOutputTied ? "token_embd.weight" : "output.weight" }

    /// Every tensor that a model of these sizes needs.
    var shapes: [TensorShape] {
        let blocks = (0..<blocks).flatMap { block in
            [
                ("attn_norm", 1, hidden), ("attn_q", heads * headWidth, hidden),
                ("attn_k", keyHeads * headWidth, hidden), ("attn_v", keyHeads * headWidth, hidden),
                ("attn_output", hidden, heads * headWidth), ("ffn_norm", 1, hidden),
                ("ffn_gate", feedForward, hidden), ("ffn_up", feedForward, hidden), ("ffn_down", hidden, feedForward),
            ].map { TensorShape("blk.\(block).\($0.0).weight", $0.1, $0.2) }
        }
        return [
            TensorShape("token_embd.weight", vocabulary, hidden), TensorShape("output_norm.weight", 1, hidden),
            TensorShape(outputTensor, vocabulary, hidden),
        ] + blocks
    }
}
