import Foundation
import Testing

@testable import Engine

/// A folder that must be refused, and the message without the folder's own path.
private struct HostileFolder: Sendable, CustomTestStringConvertible {
    enum Use: Sendable { case language, vision }

    let testDescription: String
    let use: Use
    let message: String
    let make: @Sendable (ScratchFolder) throws -> Void

    /// A whole LLaVA with one change.
    init(
        _ name: String, as use: Use = .language, _ message: String,
        _ change: @escaping @Sendable (inout TinyFolder) -> Void
    ) {
        self.init(
            name, as: use, message,
            make: { folder in
                var tiny = TinyFolder()
                change(&tiny)
                try tiny.write(to: folder)
            })
    }

    init(
        _ name: String, as use: Use = .language, _ message: String,
        make: @escaping @Sendable (ScratchFolder) throws -> Void
    ) {
        (testDescription, self.use, self.message, self.make) = (name, use, message, make)
    }

    private static let copyAgain = "The file is damaged: copy or download it again."
    private static let ownFile = "Copy the model's own file again."
    private static let ownFiles = "Copy the model's own files again."
    private static let without = "which this version does not have. Use a LLaVA or LLaMA model without it."

    // MARK: Folders of another kind

    static let kinds: [HostileFolder] = [
        .init("a CLIP tower", " holds a CLIP vision tower, not a language model. Name another folder.") { tiny in
            tiny.configuration = ["model_type": "clip_vision_model", "hidden_size": 8]
        },
        .init("a text encoder", " holds a text encoder ('bert'), not a LLaVA or LLaMA model. Name another folder.") {
            $0.configuration = ["model_type": "bert"]
        },
        .init(
            "an encoder with a decoder",
            " holds an encoder with a decoder ('t5'), not a LLaVA or LLaMA model. Name another folder."
        ) {
            $0.configuration = ["model_type": "t5"]
        },
        .init(
            "another vision encoder",
            " holds a vision encoder ('siglip'), not a LLaVA or LLaMA model, or CLIP's tower for one. Name another folder."
        ) {
            $0.configuration = ["model_type": "siglip"]
        },
        .init(
            "another language model", " holds a model of type 'qwen2', not a LLaVA or LLaMA model. Name another folder."
        ) {
            $0.configuration = ["model_type": "qwen2"]
        },
        .init("a mixture of experts", " needs a mixture of experts, \(without)") {
            $0.configuration = ["model_type": "mixtral"]
        },
        .init("no type", " has no 'model_type'. \(ownFile)") { $0.configuration = ["hidden_size": 8] },
        .init(
            "GPTQ",
            " is quantised by GPTQ, whose files are not read here. Use the unquantised model, or a GGUF file of it."
        ) {
            $0.set(["quant_method": "gptq", "bits": 4], for: "quantization_config")
        },
        .init(
            "AWQ in the language model",
            " is quantised by AWQ, whose files are not read here. Use the unquantised model, or a GGUF file of it."
        ) {
            $0.set(["quant_method": "awq"], for: "quantization_config", in: "text_config")
        },
        .init("a feature head", " holds a feature head (EAGLE's kind), not a language model. Name another folder.") {
            tiny in
            tiny.becomeText()
            tiny.weights.tensors.removeAll { $0.name == "model.norm.weight" }
            tiny.weights.add("fc.weight", 8, 16)
        },
        .init(
            "an adapter",
            " holds an adapter, not a model. Merge it into its base model 'lmsys/vicuna-7b-v1.5' and use the result.",
            make: { folder in
                try folder.write("{\"base_model_name_or_path\":\"lmsys/vicuna-7b-v1.5\"}", to: "adapter_config.json")
                try folder.write([0], to: "adapter_model.safetensors")
            }),
        .init(
            "an adapter that names no base",
            " holds an adapter, not a model. Merge it into its base model and use the result.",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
                try folder.write("{}", to: "adapter_config.json")
            }),
        .init(
            "a language model as a vision model", as: .vision,
            " holds a language model without eyes, not a vision tower or a LLaVA. Name another folder."
        ) {
            $0.becomeText()
        },
        .init(
            "a tower without a model", as: .vision,
            " holds a vision tower without a projector. Use it with a LLaVA folder as --model, whose projector it needs."
        ) {
            $0.configuration = ["model_type": "clip_vision_model"]
        },
    ]

    // MARK: Files that are not there, or elsewhere

    static let files: [HostileFolder] = [
        .init(
            "no configuration",
            "/config.json cannot be read: too many levels of symbolic links. Check the path and its permissions.",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("config.json")
                try folder.link("config.json", to: "config.json")
            }),
        .init(
            "no weights", " holds no .safetensors files. Copy or download the model's weights into it.",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
            }),
        .init(
            "weights of PyTorch",
            " holds its weights as pytorch_model-00001-of-00002.bin only. PyTorch's files can run programs and are never "
                + "opened here. Convert them once, in that folder: python3 -c \"import glob,torch as t,safetensors.torch "
                + "as s;[s.save_file({k:v.clone().contiguous() for k,v in t.load(f,weights_only=True,map_location='cpu')"
                + ".items()},f.replace('pytorch_','').replace('.bin','.safetensors')) for f in "
                + "glob.glob('pytorch_model*.bin')]\"",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
                try folder.write([1], to: "pytorch_model-00001-of-00002.bin")
                try folder.write([1], to: "pytorch_model-00002-of-00002.bin")
            }),
        .init(
            "weights that are a loop of links",
            "/model.safetensors cannot be read: too many levels of symbolic links. Check the path and its permissions.",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
                try folder.link("model.safetensors", to: "other")
                try folder.link("other", to: "model.safetensors")
            }),
        .init(
            "weights that are a folder", "/model.safetensors is not a regular file. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
                try folder.write("", to: "model.safetensors/x")
            }),
        .init(
            "weights without a byte", "/model.safetensors is empty. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.write("", to: "model.safetensors")
            }),
        .init(
            "a configuration that is a device", "/config.json is not a regular file. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("config.json")
                try folder.link("config.json", to: "/dev/zero")
            }),
        .init(
            "a configuration of 5 MB",
            "/config.json holds 5000000 bytes of JSON, more than the 4194304 that are read. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.write([UInt8](repeating: 32, count: 5_000_000), to: "config.json")
            }),
        .init(
            "a configuration of brackets", "/config.json nests more than 16 lists and objects at byte 16. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.write([UInt8](repeating: UInt8(ascii: "["), count: 100_000), to: "config.json")
            }),
        .init(
            "a configuration that is a list", "/config.json holds JSON that is no object. \(copyAgain)",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.write("[]", to: "config.json")
            }),
    ]

    // MARK: Weights in several files

    private static func sharded(
        _ index: String, _ change: @escaping @Sendable (ScratchFolder) throws -> Void = { _ in }
    ) -> @Sendable (ScratchFolder) throws -> Void {
        { folder in
            try TinyFolder().write(to: folder)
            try folder.remove("model.safetensors")
            try folder.write(index, to: "model.safetensors.index.json")
            for name in ["a", "b"] {
                var builder = SafetensorsBuilder()
                builder.add("language_model.model.\(name).weight", 2)
                try folder.write(builder.bytes, to: "model-\(name).safetensors")
            }
            try change(folder)
        }
    }

    static let shards: [HostileFolder] = [
        .init(
            "a shard that is missing",
            "/model.safetensors.index.json names 'model-c.safetensors', which is not there. Copy or download it too.",
            make: sharded("{\"weight_map\":{\"x\":\"model-c.safetensors\"}}")),
        .init(
            "a shard outside",
            "/model.safetensors.index.json names '../x.safetensors', but only files in its own folder may be named. \(copyAgain)",
            make: sharded("{\"weight_map\":{\"x\":\"../x.safetensors\"}}")),
        .init(
            "a shard by an absolute path",
            "/model.safetensors.index.json names '/etc/passwd', but only files in its own folder may be named. \(copyAgain)",
            make: sharded("{\"weight_map\":{\"x\":\"/etc/passwd\"}}")),
        .init(
            "a shard that is the folder above",
            "/model.safetensors.index.json names '..', but only files in its own folder may be named. \(copyAgain)",
            make: sharded("{\"weight_map\":{\"x\":\"..\"}}")),
        .init(
            "shards that changed places",
            "/model.safetensors.index.json places the tensor 'language_model.model.a.weight' in model-b.safetensors, which does "
                + "not have it: the files are of different models, or have changed places. \(copyAgain)",
            make: sharded("{\"weight_map\":{\"language_model.model.a.weight\":\"model-b.safetensors\"}}")),
        .init(
            "an index without a map",
            "/model.safetensors.index.json lacks a value at 'weight_map', or has one of the wrong type. \(copyAgain)",
            make: sharded("{}")),
        .init(
            "a map to a number",
            "/model.safetensors.index.json lacks a value at 'x', or has one of the wrong type. \(copyAgain)",
            make: sharded("{\"weight_map\":{\"x\":1}}")),
        .init(
            "a tensor in two shards",
            "/model-b.safetensors holds the same tensor as 'language_model.model.norm.weight' and as "
                + "'language_model.model.norm.weight'. \(copyAgain)",
            make: sharded(
                "{\"weight_map\":{\"language_model.model.norm.weight\":\"model-a.safetensors\",\"x\":\"model-b.safetensors\"}}"
            ) { folder in
                var builder = SafetensorsBuilder()
                builder.add("language_model.model.norm.weight", 8)
                try folder.write(builder.bytes, to: "model-a.safetensors")
                builder.add("x", 8)
                try folder.write(builder.bytes, to: "model-b.safetensors")
            }),
        .init(
            "a numbered set with a gap",
            " names 'model-00002-of-00003.safetensors', which is not there. Copy or download it too.",
            make: { folder in
                try TinyFolder().write(to: folder)
                try folder.remove("model.safetensors")
                for number in [1, 3] {
                    try folder.write(TinyFolder().weights.bytes, to: "model-0000\(number)-of-00003.safetensors")
                }
            }),
        .init(
            "a tensor in two spellings",
            "/model.safetensors holds the same tensor as 'language_model.lm_head.weight' and as 'lm_head.weight'. \(copyAgain)"
        ) {
            $0.weights.add("lm_head.weight", 16, 8)
        },
    ]

    // MARK: What config.json asks for

    static let languages: [HostileFolder] = [
        .init(
            "a width of text",
            "/config.json holds text in 'text_config.hidden_size' where it must hold a number. \(ownFile)"
        ) {
            $0.set("8", for: "hidden_size", in: "text_config")
        },
        .init(
            "half a layer",
            "/config.json says 'text_config.num_hidden_layers' is 1.5; it must be from 1 to 1024. \(ownFile)"
        ) {
            $0.set(1.5, for: "num_hidden_layers", in: "text_config")
        },
        .init(
            "a million layers",
            "/config.json says 'text_config.num_hidden_layers' is 1000000; it must be from 1 to 1024. \(ownFile)"
        ) {
            $0.set(1_000_000, for: "num_hidden_layers", in: "text_config")
        },
        .init(
            "more key heads than heads",
            "/config.json says 'text_config.num_key_value_heads' is 3; it must be from 1 to 2. \(ownFile)"
        ) {
            $0.set(3, for: "num_key_value_heads", in: "text_config")
        },
        .init(
            "key heads that do not divide",
            "/config.json says 'text_config.num_key_value_heads' is 3; it must be a divisor of the 4 query heads. \(ownFile)"
        ) {
            $0.set(4, for: "num_attention_heads", in: "text_config")
            $0.set(2, for: "head_dim", in: "text_config")
            $0.set(3, for: "num_key_value_heads", in: "text_config")
        },
        .init("an odd head", "/config.json says 'text_config.head_dim' is 3; it must be an even number. \(ownFile)") {
            $0.set(3, for: "head_dim", in: "text_config")
        },
        .init(
            "an epsilon of 0",
            "/config.json says 'text_config.rms_norm_eps' is 0.0; it must be a number above 0. \(ownFile)"
        ) {
            $0.set(0, for: "rms_norm_eps", in: "text_config")
        },
        .init(
            "an endless rotary base",
            "/config.json says 'text_config.rope_theta' is inf; it must be a number above 0. \(ownFile)"
        ) {
            $0.set(1e200, for: "rope_theta", in: "text_config")
        },
        .init(
            "a text_config that is a list",
            "/config.json holds a list in 'text_config' where it must hold an object. \(ownFile)"
        ) {
            $0.configuration["text_config"] = [1]
        },
        .init("another activation", "/config.json needs the activation 'gelu', \(without)") {
            $0.set("gelu", for: "hidden_act", in: "text_config")
        },
        .init("another language model inside", " needs a language model of type 'qwen2', \(without)") {
            $0.set("qwen2", for: "model_type", in: "text_config")
        },
        .init("a bias", " needs a bias in 'attn_q', \(without)") {
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
        .init(
            "heads that do not divide", as: .vision,
            "/config.json says 'vision_config.num_attention_heads' is 3; it must be a divisor of 8. \(ownFile)"
        ) {
            $0.set(3, for: "num_attention_heads", in: "vision_config")
        },
        .init(
            "a patch wider than the picture", as: .vision,
            "/config.json says 'vision_config.patch_size' is 5; it must be from 1 to 4. \(ownFile)"
        ) {
            $0.set(5, for: "patch_size", in: "vision_config")
        },
        .init("no picture size", as: .vision, "/config.json has no 'vision_config.image_size'. \(ownFile)") {
            $0.set(nil, for: "image_size", in: "vision_config")
        },
        .init(
            "a layer that is not there", as: .vision,
            "/config.json says 'vision_feature_layer' is -7; it must be from -2 to 2, and not 0. \(ownFile)"
        ) {
            $0.configuration["vision_feature_layer"] = -7
        },
        .init("several layers", as: .vision, "/config.json needs features of 2 layers at once, \(without)") {
            $0.configuration["vision_feature_layer"] = [-2, -1]
        },
        .init(
            "the class token too", as: .vision,
            "/config.json needs the class token among the picture's features, \(without)"
        ) {
            $0.configuration["vision_feature_select_strategy"] = "full"
        },
        .init("another tower", as: .vision, " needs a vision tower of type 'siglip_vision_model', \(without)") {
            $0.set("siglip_vision_model", for: "model_type", in: "vision_config")
        },
        .init("another projector", as: .vision, " needs a projector of type 'relu', \(without)") {
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

    static let all = kinds + files + shards + languages + towers
}

@Suite struct `Hostile Hugging Face folders` {
    @Test(arguments: HostileFolder.all)
    fileprivate func `are refused in one sentence`(folder: HostileFolder) throws {
        let scratch = try ScratchFolder()
        try folder.make(scratch)
        let error = #expect(throws: HuggingFaceError.self) {
            switch folder.use {
            case .language: _ = try LanguageCheckpoint(path: scratch.path)
            case .vision: _ = try VisionCheckpoint(path: scratch.path)
            }
        }
        #expect(error?.description == "\(scratch.path)\(folder.message)")
    }

    @Test func `the folder that the others are made from is whole`() throws {
        let scratch = try ScratchFolder()
        try TinyFolder().write(to: scratch)
        #expect(try LanguageCheckpoint(path: scratch.path).configuration.vocabulary == 16)
        let vision = try VisionCheckpoint(path: scratch.path).configuration
        #expect(vision.blocks == 1 && vision.projector.outputs == 8 && vision.imageAspectRatio == "square")
    }

    @Test func `a random change of any file never stops the program`() throws {
        var generator = SeededGenerator(seed: 5)
        let scratch = try ScratchFolder()
        try TinyFolder().write(to: scratch)
        for name in ["config.json", "model.safetensors"] {
            let whole = Array(try Data(contentsOf: scratch.url.appending(path: name)))
            for _ in 0..<300 {
                var broken = whole
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let place = Int.random(in: 0..<min(broken.count, 3_000), using: &generator)
                    broken[place] = UInt8.random(in: 0...127, using: &generator)
                }
                try scratch.write(broken, to: name)
                do { _ = try LanguageCheckpoint(path: scratch.path) } catch let error as HuggingFaceError {
                    #expect(error.description.count < 2_000)
                }
                do { _ = try VisionCheckpoint(path: scratch.path) } catch let error as HuggingFaceError {
                    #expect(error.description.count < 2_000)
                }
            }
            try scratch.write(whole, to: name)
        }
    }
}
