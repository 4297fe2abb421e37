// HuggingFaceModelConfiguration.swift — the sizes of a language model from a Hugging Face folder's config.json.

internal import Foundation

extension LanguageModelConfiguration {
    /// Reads config.json (its `text_config`, where there is one), and checks that every tensor that it asks for is there
    /// in the shape that it asks for. What is left out has the value that transformers gives it.
    init(_ folder: HuggingFaceFolder) throws(HuggingFaceError) {
        guard folder.kind != .tower else {
            throw HuggingFaceError(
                folder.path, .wrongKind(found: folder.kind.name, wanted: "a language model"))
        }
        let text = try folder.configuration.object("text_config") ?? folder.configuration
        let isMistral = try Self.isMistral(text, of: folder)
        let hidden = try text.count("hidden_size", in: 1...65_536, or: 4_096)
        let heads = try text.count("num_attention_heads", in: 1...1_024, or: 32)
        let headWidth = try text.count("head_dim", in: 2...1_024, or: hidden / heads)
        let (rows, columns) = try folder.folded("token_embd.weight")
        guard columns == hidden else {
            throw HuggingFaceError(
                folder.path,
                .wrongShape(tensor: "embed_tokens.weight", found: [rows, columns], wanted: [rows, hidden]))
        }
        let context = try text.count(
            "max_position_embeddings", in: 1...16_777_216, or: isMistral ? 131_072 : 2_048)
        guard headWidth % 2 == 0 else { throw text.absurd("head_dim", "\(headWidth)", allowed: "an even number") }
        self.init(
            name: URL(filePath: folder.path).standardizedFileURL.lastPathComponent,
            // The embedding knows best: early revisions of LLaVA carried a wrong vocabulary size beside it.
            vocabulary: rows,
            hidden: hidden,
            blocks: try text.count("num_hidden_layers", in: 1...1_024, or: 32),
            heads: heads,
            keyHeads: try text.count("num_key_value_heads", in: 1...heads, or: isMistral ? min(8, heads) : heads),
            headWidth: headWidth,
            feedForward: try text.count("intermediate_size", in: 1...1_048_576, or: isMistral ? 14_336 : 11_008),
            epsilon: try text.positive("rms_norm_eps", or: 1e-6),
            rotary: try Rotary(text, headWidth: headWidth, context: context),
            contextLength: context,
            slidingWindow: try text["sliding_window"].map { _ throws(HuggingFaceError) in
                try text.count("sliding_window", in: 1...16_777_216)
            },
            // A head beside a tied embedding is not used, as in transformers.
            isOutputTied: try text.bool("tie_word_embeddings") ?? !folder.hasTensor("output.weight"))
        try checkDivisions(text)
        try Self.refuseUnsupported(text, folder)
        try folder.expect(shapes)
    }

    private static func isMistral(
        _ text: HuggingFaceConfiguration, of folder: HuggingFaceFolder
    ) throws(HuggingFaceError) -> Bool {
        switch try text.string("model_type") ?? "llama" {
        case "llama", "llava", "llava_llama": return false
        case "mistral", "llava_mistral": return true
        case let other:
            throw HuggingFaceError(folder.path, .unsupported("a language model of type '\(other)'"))
        }
    }

    private func checkDivisions(_ text: HuggingFaceConfiguration) throws(HuggingFaceError) {
        guard heads % keyHeads == 0 else {
            let allowed = "a divisor of the \(heads) query heads"
            throw text.absurd("num_key_value_heads", "\(keyHeads)", allowed: allowed)
        }
    }

    /// What a folder may ask for that would make the answers wrong if it were left out in silence.
    private static func refuseUnsupported(
        _ text: HuggingFaceConfiguration, _ folder: HuggingFaceFolder
    ) throws(HuggingFaceError) {
        let activation = try text.string("hidden_act") ?? "silu"
        guard activation == "silu" else { throw text.fault(.unsupported("the activation '\(activation)'")) }
        if let share = try text.number("partial_rotary_factor"), share != 1 {
            throw text.fault(.unsupported("rotary positions in a part of each head"))
        }
        for part in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
        where folder.hasTensor("blk.0.\(part).bias") {
            throw HuggingFaceError(folder.path, .unsupported("a bias in '\(part)'"))
        }
    }
}
