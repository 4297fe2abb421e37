// GGUFModelConfiguration.swift — the sizes of a language model from the keys of a GGUF file.

extension LanguageModelConfiguration {
    /// Reads the keys, and checks that every tensor that they ask for is there in the shape that they ask for.
    init(_ file: GGUF) throws(GGUFError) {
        try Self.expectLanguageModel(file)
        let hidden = try file.count("llama.embedding_length", in: 1...65_536)
        let heads = try file.count("llama.attention.head_count", in: 1...1_024)
        let headWidth = try file.count("llama.attention.key_length", in: 2...1_024, or: hidden / heads)
        self.init(
            name: try file.string("general.name"),
            // The embedding knows best: early revisions of LLaVA carried a wrong vocabulary size beside it.
            vocabulary: try file.entry("token_embd.weight").count / hidden,
            hidden: hidden,
            blocks: try file.count("llama.block_count", in: 1...1_024),
            heads: heads,
            keyHeads: try file.count("llama.attention.head_count_kv", in: 1...heads, or: heads),
            headWidth: headWidth,
            feedForward: try file.count("llama.feed_forward_length", in: 1...1_048_576),
            epsilon: try file.positive("llama.attention.layer_norm_rms_epsilon"),
            rotary: try Rotary(file, headWidth: headWidth),
            contextLength: try file.count("llama.context_length", in: 1...16_777_216),
            slidingWindow: try file.window("llama.attention.sliding_window"),
            isOutputTied: !file.hasTensor("output.weight"))
        try checkDivisions(file)
        try Self.refuseUnsupported(file)
        try file.expect(shapes)
    }

    private static func expectLanguageModel(_ file: GGUF) throws(GGUFError) {
        let wanted = "a language model of architecture 'llama'"
        guard let architecture = try file.string("general.architecture") else {
            throw file.fault(.missingKey("general.architecture"))
        }
        if architecture == "clip" { throw file.fault(.wrongKind(found: "a vision model", wanted: wanted)) }
        // An adapter names the architecture that it is for.
        if try file.string("general.type") == "adapter" {
            throw file.fault(.wrongKind(found: "an adapter (LoRA)", wanted: wanted))
        }
        guard architecture == "llama" else {
            throw file.fault(.wrongKind(found: "a model of architecture '\(architecture)'", wanted: wanted))
        }
    }

    private func checkDivisions(_ file: GGUF) throws(GGUFError) {
        guard heads % keyHeads == 0 else {
            let allowed = "a divisor of the \(heads) query heads"
            let key = "llama.attention.head_count_kv"
            throw file.fault(.absurdValue(key: key, value: "\(keyHeads)", allowed: allowed))
        }
        let values = try file.count("llama.attention.value_length", in: 1...1_024, or: headWidth)
        guard values == headWidth else {
            let allowed = "\(headWidth), the width of the keys"
            throw file.fault(.absurdValue(key: "llama.attention.value_length", value: "\(values)", allowed: allowed))
        }
    }

    /// What a `llama` file may ask for that would make the answers wrong if it were left out in silence.
    private static func refuseUnsupported(_ file: GGUF) throws(GGUFError) {
        if try file.integer("llama.expert_count") ?? 0 > 0 { throw file.fault(.unsupported("a mixture of experts")) }
        for part in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
        where file.hasTensor("blk.0.\(part).bias") {
            throw file.fault(.unsupported("a bias in '\(part)'"))
        }
    }
}
