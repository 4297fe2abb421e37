// HuggingFaceKind.swift — what a folder is for, by its config.json; what cannot be run is named and refused.

/// The kinds of folders that are read.
enum HuggingFaceKind: Sendable, Equatable {
    /// LLaMA's architecture, alone.
    case language
    /// Language model, tower and projector, as transformers has them.
    case llava
    /// The original LLaVA: language model and projector; the tower is often in a folder of its own.
    case originalLlava
    /// CLIP's vision tower, with or without the rest of CLIP.
    case tower

    /// What messages call it.
    var name: String {
        switch self {
        case .language: "a language model without eyes"
        case .llava, .originalLlava: "a LLaVA"
        case .tower: "a CLIP vision tower"
        }
    }

    init(_ configuration: HuggingFaceConfiguration, folder: String) throws(HuggingFaceError) {
        try Self.refuseQuantised(configuration, folder: folder)
        let type = try configuration.string("model_type") ?? ""
        // The original LLaVA says "llava" too, but keeps the sizes of its language model beside its own.
        let hasParts = configuration["text_config"] != nil || configuration["vision_config"] != nil
        switch type {
        case "llava" where hasParts, "llava_next": self = .llava
        case "llava", "llava_llama", "llava_mistral": self = .originalLlava
        case "llama", "mistral": self = .language
        case "clip", "clip_vision_model": self = .tower
        default: throw HuggingFaceError(folder, Self.refusal(type, configuration))
        }
    }

    private static func refuseQuantised(
        _ configuration: HuggingFaceConfiguration, folder: String
    ) throws(HuggingFaceError) {
        let inner = try configuration.object("text_config")?.object("quantization_config")
        guard let method = try configuration.object("quantization_config") ?? inner else { return }
        let name = try method.string("quant_method") ?? "an unnamed method"
        let known = ["gptq": "GPTQ", "awq": "AWQ", "bitsandbytes": "bitsandbytes", "fp8": "FP8"]
        throw HuggingFaceError(folder, .quantised(method: known[name] ?? name))
    }

    private static func refusal(
        _ type: String, _ configuration: HuggingFaceConfiguration
    ) -> HuggingFaceError.Fault {
        let wanted = "a LLaVA or LLaMA model"
        let encoders = ["bert", "roberta", "xlm-roberta", "distilbert", "deberta", "deberta-v2", "electra", "mpnet"]
        if type.isEmpty { return .missingKey("model_type") }
        if encoders.contains(type) { return .wrongKind(found: "a text encoder ('\(type)')", wanted: wanted) }
        if ["t5", "bart", "whisper", "mt5"].contains(type) {
            return .wrongKind(found: "an encoder with a decoder ('\(type)')", wanted: wanted)
        }
        if ["siglip", "siglip_vision_model", "dinov2", "vit"].contains(type) {
            return .wrongKind(found: "a vision encoder ('\(type)')", wanted: "\(wanted), or CLIP's tower for one")
        }
        if type == "mixtral" { return .unsupported("a mixture of experts") }
        return .wrongKind(found: "a model of type '\(type)'", wanted: wanted)
    }
}
