// HuggingFaceNames.swift — from the tensor names of Hugging Face's and of the original LLaVA's files to our own.

/// Every spelling in use: the published files of `llava-hf`, files that transformers 4.52 and later saved anew, the
/// original LLaVA with or without its tower, plain language models, CLIP's own files.
enum HuggingFaceNames {
    /// The name in GGUF's words (`TensorSource`); absent for a tensor that is not used.
    static func canonical(_ name: String) -> String? {
        if let rest = remainder(of: name, after: towers), let found = tower(rest) { return found }
        if let rest = remainder(of: name, after: projectors) { return projector(rest) }
        if name == "image_newline" || name == "model.image_newline" { return "model.image_newline" }
        if name == "lm_head.weight" || name == "language_model.lm_head.weight" { return "output.weight" }
        return remainder(of: name, after: decoders).flatMap(decoder) ?? tower(name)
    }

    // The longest spelling of each comes first: a shorter one may be its beginning.
    private static let towers = [
        "model.vision_tower.vision_tower.vision_model.", "model.vision_tower.vision_model.",
        "vision_tower.vision_model.", "model.vision_tower.", "vision_tower.", "vision_model.",
    ]
    private static let projectors = [
        "model.multi_modal_projector.", "multi_modal_projector.", "model.mm_projector.", "mm_projector.",
    ]
    private static let decoders = ["language_model.model.", "model.language_model.", "model.", ""]

    private static func remainder(of name: String, after prefixes: [String]) -> String? {
        prefixes.first(where: name.hasPrefix).map { String(name.dropFirst($0.count)) }
    }

    private static func projector(_ rest: String) -> String? {
        // The original counts the activation between its two layers.
        let layers = ["linear_1": "mm.0", "linear_2": "mm.2", "0": "mm.0", "2": "mm.2"]
        return split(rest).flatMap { part, kind in layers[part].map { "\($0).\(kind)" } }
    }

    private static func tower(_ rest: String) -> String? {
        let single = [
            "embeddings.class_embedding": "v.class_embd",
            "embeddings.patch_embedding.weight": "v.patch_embd.weight",
            "embeddings.patch_embedding.bias": "v.patch_embd.bias",
            "embeddings.position_embedding.weight": "v.position_embd.weight",
            "pre_layrnorm.weight": "v.pre_ln.weight", "pre_layrnorm.bias": "v.pre_ln.bias",
            "post_layernorm.weight": "v.post_ln.weight", "post_layernorm.bias": "v.post_ln.bias",
        ]
        if let found = single[rest] { return found }
        let parts = [
            "layer_norm1": "ln1", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out", "layer_norm2": "ln2", "mlp.fc1": "ffn_up",
            "mlp.fc2": "ffn_down",
        ]
        return layer(rest, after: "encoder.layers.", parts: parts).map { "v.blk.\($0)" }
    }

    private static func decoder(_ rest: String) -> String? {
        let single = ["embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"]
        if let found = single[rest] { return found }
        let parts = [
            "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
            "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        ]
        return layer(rest, after: "layers.", parts: parts).map { "blk.\($0)" }
    }

    /// "3.attn_q.weight" from "layers.3.self_attn.q_proj.weight".
    private static func layer(_ rest: String, after prefix: String, parts: [String: String]) -> String? {
        guard rest.hasPrefix(prefix) else { return nil }
        let numbered = rest.dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
        guard numbered.count == 2, let number = Int(numbered[0]), "\(number)" == numbered[0],
            let (part, kind) = split(String(numbered[1])), let ours = parts[part]
        else { return nil }
        return "\(number).\(ours).\(kind)"
    }

    /// A layer's name and "weight" or "bias"; nothing else is a tensor of ours.
    private static func split(_ name: String) -> (part: String, kind: String)? {
        for kind in ["weight", "bias"] where name.hasSuffix(".\(kind)") {
            return (String(name.dropLast(kind.count + 1)), kind)
        }
        return nil
    }
}
