import Foundation
import Testing

@testable import Engine

/// A model whose file is sound but says what cannot be.
struct HostileModel: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: GGUFError.Fault
    let builder: GGUFBuilder

    init(_ name: String, _ fault: GGUFError.Fault, _ base: GGUFBuilder, _ change: (inout GGUFBuilder) -> Void) {
        var builder = base
        change(&builder)
        (testDescription, self.fault, self.builder) = (name, fault, builder)
    }

    private static func absurd(_ key: String, _ value: String, _ allowed: String) -> GGUFError.Fault {
        .absurdValue(key: key, value: value, allowed: allowed)
    }
    private static func pinpoints(_ shown: String) -> GGUFError.Fault {
        absurd(
            "clip.vision.image_grid_pinpoints", shown,
            "widths and heights that are multiples of 28, up to 64 tiles in each")
    }
    private static func language(
        _ name: String, _ fault: GGUFError.Fault, _ change: (inout GGUFBuilder) -> Void
    ) -> HostileModel { HostileModel(name, fault, .language(), change) }
    private static func vision(
        _ name: String, _ fault: GGUFError.Fault, _ change: (inout GGUFBuilder) -> Void
    ) -> HostileModel { HostileModel(name, fault, .vision(), change) }

    private static let wantsLanguage = "a language model of architecture 'llama'"
    private static let wantsVision = "a vision model (llama.cpp's mmproj)"

    static let languageModels = [
        HostileModel("a vision file", .wrongKind(found: "a vision model", wanted: wantsLanguage), .vision()) { _ in },
        language("another architecture", .wrongKind(found: "a model of architecture 'qwen2'", wanted: wantsLanguage)) {
            $0.set("general.architecture", .string("qwen2"))
        },
        language("an adapter", .wrongKind(found: "an adapter (LoRA)", wanted: wantsLanguage)) {
            $0.set("general.type", .string("adapter"))
        },
        language("no architecture", .missingKey("general.architecture")) { $0.set("general.architecture", nil) },
        language("no block count", .missingKey("llama.block_count")) { $0.set("llama.block_count", nil) },
        language(
            "a block count in text", .wrongKeyType(key: "llama.block_count", found: "text", wanted: "a whole number")
        ) { $0.set("llama.block_count", .string("1")) },
        language("a hidden size of 0", absurd("llama.embedding_length", "0", "from 1 to 65536")) {
            $0.set("llama.embedding_length", .uint32(0))
        },
        language("four billion blocks", absurd("llama.block_count", "4294967295", "from 1 to 1024")) {
            $0.set("llama.block_count", .uint32(.max))
        },
        language("a negative number of heads", absurd("llama.attention.head_count", "-2", "from 1 to 1024")) {
            $0.set("llama.attention.head_count", .int32(-2))
        },
        language("more key heads than heads", absurd("llama.attention.head_count_kv", "3", "from 1 to 2")) {
            $0.set("llama.attention.head_count_kv", .uint32(3))
        },
        language(
            "key heads that do not divide the heads",
            absurd("llama.attention.head_count_kv", "2", "a divisor of the 3 query heads")
        ) {
            $0.set("llama.attention.head_count", .uint32(3))
            $0.set("llama.attention.head_count_kv", .uint32(2))
            $0.set("llama.attention.key_length", .uint32(4))
        },
        language("an odd rotary width", absurd("llama.rope.dimension_count", "3", "an even number")) {
            $0.set("llama.rope.dimension_count", .uint32(3))
        },
        language("a context without end", absurd("llama.context_length", "\(Int.max)", "from 1 to 16777216")) {
            $0.set("llama.context_length", .uint64(.max))
        },
        language(
            "an epsilon that is no number", absurd("llama.attention.layer_norm_rms_epsilon", "nan", "a number above 0")
        ) { $0.set("llama.attention.layer_norm_rms_epsilon", .float32(.nan)) },
        language("values of another width", absurd("llama.attention.value_length", "2", "4, the width of the keys")) {
            $0.set("llama.attention.value_length", .uint32(2))
        },
        language("no embedding", .missingTensor("token_embd.weight")) { $0.remove("token_embd.weight") },
        language("a block without a tensor", .missingTensor("blk.0.attn_v.weight")) {
            $0.remove("blk.0.attn_v.weight")
        },
        language(
            "a tensor of another shape", .wrongShape(tensor: "blk.0.attn_v.weight", found: [8, 5], wanted: [8, 4])
        ) {
            $0.remove("blk.0.attn_v.weight")
            $0.add("blk.0.attn_v.weight", 8, 5)
        },
        language("experts", .unsupported("a mixture of experts")) { $0.set("llama.expert_count", .uint32(8)) },
        language("rotary scaling", .unsupported("rotary scaling of type 'longrope'")) {
            $0.set("llama.rope.scaling.type", .string("longrope"))
        },
        language("a rotary factor below 0", absurd("llama.rope.scaling.factor", "-4.0", "a number above 0")) {
            $0.set("llama.rope.scaling.factor", .float32(-4))
        },
        language("a window without end", absurd("llama.attention.sliding_window", "-1", "from 1 to 16777216")) {
            $0.set("llama.attention.sliding_window", .int32(-1))
        },
        language(
            "rotary divisors of another width", .wrongShape(tensor: "rope_freqs.weight", found: [3], wanted: [2])
        ) { $0.add("rope_freqs.weight", 3) },
        language("a bias", .unsupported("a bias in 'attn_q'")) { $0.add("blk.0.attn_q.bias", 8) },
    ]

    static let visionModels = [
        HostileModel("a language file", .wrongKind(found: "a language model", wanted: wantsVision), .language()) { _ in
        },
        vision("another architecture", .wrongKind(found: "a model of architecture 'bert'", wanted: wantsVision)) {
            $0.set("general.architecture", .string("bert"))
        },
        HostileModel(
            "a projector alone", .wrongKind(found: "a projector alone", wanted: "a vision model"), .projector()
        ) { _ in },
        vision("a patch larger than the picture", absurd("clip.vision.patch_size", "29", "from 1 to 28")) {
            $0.set("clip.vision.patch_size", .uint32(29))
        },
        vision("heads that do not divide", absurd("clip.vision.attention.head_count", "4", "a divisor of 6")) {
            $0.set("clip.vision.attention.head_count", .uint32(4))
        },
        vision("a size that is no whole number of tiles", pinpoints("28.0, 42.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 42]))
        },
        vision("an odd number of sizes", pinpoints("28.0, 56.0, 28.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56, 28]))
        },
        vision("more tiles than anyone wants", pinpoints("28.0, 1820.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 1820]))
        },
        vision("tiles of no size", pinpoints("0.0, 28.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([0, 28]))
        },
        vision("tiles without sizes", .missingKey("clip.vision.image_grid_pinpoints")) {
            $0.set("clip.vision.image_aspect_ratio", .string("anyres"))
        },
        vision("line ends without tiles", .missingKey("clip.vision.image_grid_pinpoints")) {
            $0.add("model.image_newline", 8)
        },
        vision(
            "a line end of another width", .wrongShape(tensor: "model.image_newline", found: [7], wanted: [8])
        ) {
            $0.add("model.image_newline", 7)
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
        },
        vision("no line end", .missingTensor("model.image_newline")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
            $0.set("clip.vision.mm_patch_merge_type", .string("spatial_unpad"))
        },
        vision("another order of tiles", .unsupported("tiles merged by 'perceiver'")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
            $0.set("clip.vision.mm_patch_merge_type", .string("perceiver"))
        },
        vision(
            "line ends in padded pictures", .unsupported("line ends in pictures that are brought to a square by 'pad'")
        ) {
            $0.add("model.image_newline", 8)
            $0.set("clip.vision.image_aspect_ratio", .string("pad"))
        },
        vision("no mean", .missingKey("clip.vision.image_mean")) { $0.set("clip.vision.image_mean", nil) },
        vision(
            "a deviation of 0",
            absurd("clip.vision.image_std", "0.5, 0.0, 0.5", "one sensible number for each of three colours")
        ) { $0.set("clip.vision.image_std", .floats([0.5, 0, 0.5])) },
        vision(
            "a mean of two colours",
            absurd("clip.vision.image_mean", "0.5, 0.5", "one sensible number for each of three colours")
        ) { $0.set("clip.vision.image_mean", .floats([0.5, 0.5])) },
        vision("a feature layer past the last", absurd("clip.vision.feature_layer", "3", "from 1 to 2")) {
            $0.set("clip.vision.feature_layer", .uint32(3))
        },
        vision("a feature layer past the last, in a list", absurd("clip.vision.feature_layer", "-2.0", "from 1 to 2")) {
            $0.set("clip.vision.feature_layer", .ints([-2]))
        },
        vision("several feature layers", .unsupported("features of 2 layers at once")) {
            $0.set("clip.vision.feature_layer", .ints([1, 2]))
        },
        vision("another projector", .unsupported("a projector of type 'ldp'")) {
            $0.set("clip.projector_type", .string("ldp"))
        },
        vision("SiLU", .unsupported("SiLU in the vision tower")) { $0.set("clip.use_silu", .bool(true)) },
        vision(
            "positions of another picture size",
            .wrongShape(tensor: "v.position_embd.weight", found: [6, 5], wanted: [6, 17])
        ) { $0.set("clip.vision.image_size", .uint32(56)) },
        vision(
            "a projector of another width", .wrongShape(tensor: "mm.0.weight", found: [5, 8], wanted: [6, 8])
        ) {
            $0.remove("mm.0.weight")
            $0.add("mm.0.weight", 5, 8)
        },
    ]

    static let vocabularies = [
        language("no tokenizer", .missingKey("tokenizer.ggml.model")) { $0.set("tokenizer.ggml.model", nil) },
        language("another tokenizer", .unsupported("a tokenizer of type 'gpt2'")) {
            $0.set("tokenizer.ggml.model", .string("gpt2"))
        },
        language(
            "tokens that are no text",
            .wrongKeyType(key: "tokenizer.ggml.tokens", found: "a list", wanted: "a list of text")
        ) { $0.set("tokenizer.ggml.tokens", .ints([1])) },
        language("no tokens", .badVocabulary("it has no tokens")) { $0.set("tokenizer.ggml.tokens", .strings([])) },
        language("too few scores", .badVocabulary("it has 8 tokens and 2 scores")) {
            $0.set("tokenizer.ggml.scores", .floats([1, 2]))
        },
        language("a score that is no number", .badVocabulary("the score of token 1 is no number")) {
            $0.set("tokenizer.ggml.scores", .floats([0, .nan, 0, 0, 0, 0, 0, 0]))
        },
        language("too few kinds", .badVocabulary("it has 8 tokens and 1 kinds")) {
            $0.set("tokenizer.ggml.token_type", .ints([1]))
        },
        language("a kind that there is not", .badVocabulary("the kind of token 0 is 9.0")) {
            $0.set("tokenizer.ggml.token_type", .ints([9, 3, 3, 6, 1, 1, 1, 1]))
        },
        language("a byte without a value", .badVocabulary("token 5, 'a', is to be a byte but names none")) {
            $0.set("tokenizer.ggml.token_type", .ints([2, 3, 3, 6, 1, 6, 1, 1]))
        },
        language("an end token out of range", absurd("tokenizer.ggml.eos_token_id", "8", "from 0 to 7")) {
            $0.set("tokenizer.ggml.eos_token_id", .uint32(8))
        },
        language("more tokens than rows", .badVocabulary("it has 8 tokens and the embedding 7 rows")) {
            $0.remove("token_embd.weight")
            $0.add("token_embd.weight", 8, 7)
        },
    ]
}

@Suite struct `Hostile models` {
    @Test(arguments: HostileModel.languageModels)
    func `a language model that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) {
            try LanguageModelConfiguration(model.builder.open())
        }
    }

    @Test(arguments: HostileModel.visionModels)
    func `a vision model that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) { try VisionConfiguration(model.builder.open()) }
    }

    @Test(arguments: HostileModel.vocabularies)
    func `a vocabulary that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) { try Vocabulary(model.builder.open()) }
    }

    @Test func `a projector's layers must fit together`() {
        var builder = GGUFBuilder.projector()
        builder.remove("mm.2.weight")
        builder.add("mm.2.weight", 7, 8)
        #expect(
            throws: GGUFError(file: "model.gguf", .wrongShape(tensor: "mm.2.weight", found: [7, 8], wanted: [8, 8]))
        ) { try ProjectorConfiguration(builder.open()) }
    }
}
