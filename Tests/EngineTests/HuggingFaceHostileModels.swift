// HuggingFaceHostileModels.swift — folders whose config.json and tensors do not go together. Tried by
// HuggingFaceHostileTests.

import Foundation

@testable import Engine

extension HostileFolder {
    // MARK: What config.json asks for

    static let languages: [HostileFolder] = [
        .init(
            "a width of text",
            "/config.json holds text in 'text_config.hidden_size' where it must hold a number. \(ownFile)"
        ) {
            $0.set("8", for: "hidden_size", in: "text_config")
        },
        absurd("half a layer", "num_hidden_layers", is: 1.5, "from 1 to 1024"),
        absurd("a million layers", "num_hidden_layers", is: 1_000_000, shown: "1000000", "from 1 to 1024"),
        absurd("more key heads than heads", "num_key_value_heads", is: 3, "from 1 to 2"),
        .init(
            "key heads that do not divide",
            "/config.json says 'text_config.num_key_value_heads' is 3; it must be a divisor of the 4 query heads. \(ownFile)"
        ) {
            $0.set(4, for: "num_attention_heads", in: "text_config")
            $0.set(2, for: "head_dim", in: "text_config")
            $0.set(3, for: "num_key_value_heads", in: "text_config")
        },
        absurd("an odd head", "head_dim", is: 3, "an even number"),
        absurd("an epsilon of 0", "rms_norm_eps", is: 0, shown: "0.0", "a number above 0"),
        absurd("an endless rotary base", "rope_theta", is: 1e200, shown: "inf", "a number above 0"),
        .init(
            "a text_config that is a list",
            "/config.json holds a list in 'text_config' where it must hold an object. \(ownFile)"
        ) {
            $0.configuration["text_config"] = [1]
        },
        unsupported("another activation", "the activation 'gelu'") {
            $0.set("gelu", for: "hidden_act", in: "text_config")
        },
        unsupported("another language model inside", ofFolder: true, "a language model of type 'qwen2'") {
            $0.set("qwen2", for: "model_type", in: "text_config")
        },
        unsupported("a bias", ofFolder: true, "a bias in 'attn_q'") {
            $0.weights.add("language_model.model.layers.0.self_attn.q_proj.bias", 8)
        },
        .init(
            "an embedding of another width",
            " gives the tensor 'embed_tokens.weight' the shape 16 × 4 where config.json asks for 16 × 8. \(ownFiles)"
        ) {
            $0.reshape("language_model.model.embed_tokens.weight", to: 16, 4)
        },
        .init(
            "a tensor of another shape",
            "/model.safetensors gives the tensor 'language_model.model.layers.0.mlp.down_proj.weight' the shape 12 × 8 where "
                + "config.json asks for 8 × 12. \(ownFiles)"
        ) {
            $0.reshape("language_model.model.layers.0.mlp.down_proj.weight", to: 12, 8)
        },
        .init(
            "a tensor without numbers",
            "/model.safetensors gives the tensor 'language_model.model.norm.weight' the shape 0 where config.json asks for 8. \(ownFiles)"
        ) {
            $0.reshape("language_model.model.norm.weight", to: 0)
        },
        .init(
            "a tensor that is missing",
            " has no tensor 'blk.0.ffn_up.weight'. Is it a whole LLaVA or LLaMA model? Copy or download it again."
        ) {
            $0.weights.tensors.removeAll { $0.name.hasSuffix("up_proj.weight") }
        },
    ]

    static let towers: [HostileFolder] = [
        absurd("heads that do not divide", as: .vision, "num_attention_heads", is: 3, "a divisor of 8"),
        absurd("a patch wider than the picture", as: .vision, "patch_size", is: 5, "from 1 to 4"),
        .init("no picture size", as: .vision, "/config.json has no 'vision_config.image_size'. \(ownFile)") {
            $0.set(nil, for: "image_size", in: "vision_config")
        },
        absurd(
            "a layer that is not there", as: .vision, "vision_feature_layer", inPart: false, is: -7,
            "from -2 to 2, and not 0"),
        unsupported("several layers", as: .vision, "features of 2 layers at once") {
            $0.configuration["vision_feature_layer"] = [-2, -1]
        },
        .init(
            "the class token too", as: .vision,
            "/config.json needs the class token among the picture's features, \(without)"
        ) {
            $0.configuration["vision_feature_select_strategy"] = "full"
        },
        unsupported("another tower", as: .vision, ofFolder: true, "a vision tower of type 'siglip_vision_model'") {
            $0.set("siglip_vision_model", for: "model_type", in: "vision_config")
        },
        unsupported("another projector", as: .vision, ofFolder: true, "a projector of type 'relu'") {
            $0.configuration["projector_hidden_act"] = "relu"
        },
        .init(
            "a projector for another tower", as: .vision,
            "/config.json gives the tensor 'mm.0.weight' the shape 8 × 6 where config.json asks for 8 × 8. \(ownFiles)"
        ) {
            $0.reshape("multi_modal_projector.linear_1.weight", to: 8, 6)
        },
        .init(
            "two colours", as: .vision,
            "/preprocessor_config.json says 'image_mean' is 0.5, 0.5; it must be one sensible number for each of three colours. \(ownFile)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.write("{\"image_mean\":[0.5,0.5]}", to: "preprocessor_config.json")
            }),
    ]

}
