import Foundation
import Testing

@testable import Engine

/// One tensor under every name that files give it.
private struct Spellings: Sendable, CustomTestStringConvertible {
    let ours: String
    let theirs: [String]
    var testDescription: String { ours }

    static let all = [
        Spellings(
            ours: "token_embd.weight",
            theirs: [
                "language_model.model.embed_tokens.weight", "model.language_model.embed_tokens.weight",
                "model.embed_tokens.weight", "embed_tokens.weight",
            ]),
        Spellings(ours: "output.weight", theirs: ["language_model.lm_head.weight", "lm_head.weight"]),
        Spellings(
            ours: "blk.31.ffn_norm.weight",
            theirs: [
                "language_model.model.layers.31.post_attention_layernorm.weight",
                "model.language_model.layers.31.post_attention_layernorm.weight",
                "model.layers.31.post_attention_layernorm.weight", "layers.31.post_attention_layernorm.weight",
            ]),
        Spellings(
            ours: "v.blk.4.ffn_down.bias",
            theirs: [
                "vision_tower.vision_model.encoder.layers.4.mlp.fc2.bias",
                "model.vision_tower.vision_model.encoder.layers.4.mlp.fc2.bias",
                "model.vision_tower.vision_tower.vision_model.encoder.layers.4.mlp.fc2.bias",
                "model.vision_tower.encoder.layers.4.mlp.fc2.bias", "vision_tower.encoder.layers.4.mlp.fc2.bias",
                "vision_model.encoder.layers.4.mlp.fc2.bias", "encoder.layers.4.mlp.fc2.bias",
            ]),
        Spellings(
            ours: "mm.2.weight",
            theirs: [
                "multi_modal_projector.linear_2.weight", "model.multi_modal_projector.linear_2.weight",
                "model.mm_projector.2.weight",
            ]),
        Spellings(ours: "model.image_newline", theirs: ["image_newline", "model.image_newline"]),
    ]

    static let unused = [
        "text_model.embeddings.position_ids", "logit_scale", "visual_projection.weight",
        "model.layers.0.self_attn.rotary_emb.inv_freq", "vision_model.embeddings.position_ids",
        "text_model.encoder.layers.0.mlp.fc1.weight", "model.layers.x.mlp.up_proj.weight",
        "model.layers.01.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.scales", "fc.weight", "",
    ]
}

@Suite struct `Hugging Face folder` {
    @Test(arguments: Spellings.all)
    fileprivate func `a tensor goes by one name, however it is spelt`(spellings: Spellings) {
        for name in spellings.theirs { #expect(HuggingFaceNames.canonical(name) == spellings.ours, "\(name)") }
    }

    @Test(arguments: Spellings.unused)
    func `what is not used has no name`(name: String) {
        #expect(HuggingFaceNames.canonical(name) == nil)
    }

    @Test func `what config.json leaves out has the value that transformers gives it`() throws {
        let scratch = try ScratchFolder()
        for (type, feedForward, keyHeads) in [("llama", 11_008, 32), ("mistral", 14_336, 8)] {
            try scratch.write("{\"model_type\":\"\(type)\",\"num_hidden_layers\":1}", to: "config.json")
            // A tensor's header says as much as the tensor would: the numbers are never read.
            var builder = SafetensorsBuilder()
            builder.add("model.embed_tokens.weight", 3, 4_096, type: "BF16")
            builder.add("lm_head.weight", 3, 4_096, type: "BF16")
            builder.add("model.norm.weight", 4_096, type: "BF16")
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                builder.add("model.layers.0.\(norm).weight", 4_096, type: "BF16")
            }
            let shapes = [
                ("self_attn.q_proj", 4_096, 4_096), ("self_attn.k_proj", keyHeads * 128, 4_096),
                ("self_attn.v_proj", keyHeads * 128, 4_096), ("self_attn.o_proj", 4_096, 4_096),
                ("mlp.gate_proj", feedForward, 4_096), ("mlp.up_proj", feedForward, 4_096),
                ("mlp.down_proj", 4_096, feedForward),
            ]
            var places = builder.tensors.reduce(0) { $0 + $1.bytes.count }
            var entries: [String] = []
            for (name, rows, columns) in shapes {
                let end = places + rows * columns * 2
                let offsets = "\"data_offsets\":[\(places),\(end)]"
                entries.append(
                    "\"model.layers.0.\(name).weight\":{\"dtype\":\"BF16\",\"shape\":[\(rows),\(columns)],\(offsets)}")
                places = end
            }
            builder.header = builder.ownHeader.dropLast() + "," + entries.joined(separator: ",") + "}"
            try scratch.write(builder.bytes, to: "model.safetensors")
            let file = try FileHandle(forWritingTo: scratch.url.appending(path: "model.safetensors"))
            let begun = builder.bytes.count - builder.tensors.reduce(0) { $0 + $1.bytes.count }
            try file.truncate(atOffset: UInt64(begun + places))
            try file.close()
            let model = try LanguageCheckpoint(path: scratch.path).configuration
            #expect(model.hidden == 4_096 && model.heads == 32 && model.headWidth == 128)
            #expect(model.keyHeads == keyHeads && model.feedForward == feedForward)
            #expect(model.epsilon == 1e-6 && model.rotary == Rotary(base: 10_000, width: 128, pairing: .halves))
            #expect(model.vocabulary == 3 && !model.isOutputTied)
        }
    }

    @Test func `rope_theta is read from either place, and a window of null is none`() throws {
        let scratch = try ScratchFolder()
        var tiny = TinyFolder()
        tiny.becomeText()
        tiny.configuration["sliding_window"] = NSNull()
        tiny.configuration["rope_theta"] = 1e6
        try tiny.write(to: scratch)
        let old = try LanguageCheckpoint(path: scratch.path).configuration
        #expect(old.rotary.base == 1e6 && old.slidingWindow == nil)
        tiny.configuration["rope_theta"] = nil
        tiny.configuration["rope_parameters"] = ["rope_type": "default", "rope_theta": 5e5]
        tiny.configuration["sliding_window"] = 16
        try tiny.write(to: scratch)
        let new = try LanguageCheckpoint(path: scratch.path).configuration
        #expect(new.rotary.base == 5e5 && new.slidingWindow == 16)
    }

    @Test(arguments: Golden.folders)
    func `its tokenizer cuts the prompts as the original does`(name: String) throws {
        let golden = try Golden(name)
        let vocabulary = try LanguageCheckpoint(path: golden.language).vocabulary()
        #expect(vocabulary.stops == [2, 7])
        let tokenizer = Tokenizer(vocabulary)
        #expect(try tokenizer.encode(#require(golden.text.prompt)) == Array(golden.text.idsBefore.dropFirst()))
        #expect(try tokenizer.encode(#require(golden.picture.before)) == Array(golden.picture.idsBefore.dropFirst()))
        #expect(try tokenizer.encode(#require(golden.picture.after)) == golden.picture.idsAfter)
    }

    @Test func `an original LLaVA's folder has the original's prompts`() throws {
        let golden = try Golden("folders/original")
        #expect(try LanguageCheckpoint(path: golden.language).template() == "vicuna_v1")
    }

    @Test func `config.json names the stop tokens where nothing else does`() throws {
        let scratch = try ScratchFolder.copy(of: Golden("folders/original"))
        try scratch.remove("model/generation_config.json")
        let path = scratch.url.appending(path: "model").path
        let text = try String(contentsOfFile: "\(path)/config.json", encoding: .utf8)
        let changed = text.replacingOccurrences(of: "\"eos_token_id\": 2", with: "\"eos_token_id\": [2, 9, 100000]")
        try scratch.write(changed, to: "model/config.json")
        #expect(try LanguageCheckpoint(path: path).vocabulary().stops == [2, 9])
    }

    @Test func `a numbered set needs no index`() throws {
        let scratch = try ScratchFolder.copy(of: Golden("folders/saved"))
        try scratch.remove("model/model.safetensors.index.json")
        let whole = try HuggingFaceFolder(path: Golden("folders/saved").language)
        let numbered = try HuggingFaceFolder(path: scratch.url.appending(path: "model").path)
        #expect(numbered.hasTensor("blk.1.ffn_up.weight") && numbered.hasTensor("v.blk.1.ffn_up.weight"))
        for name in ["output.weight", "blk.0.attn_q.weight", "mm.2.bias"] {
            #expect(try numbered.tensor(named: name).floats() == whole.tensor(named: name).floats())
        }
    }

    @Test func `folders that differ in one number, or in a word of config.json, are told apart`() throws {
        let scratch = try ScratchFolder()
        try TinyFolder().write(to: scratch)
        let first = try HuggingFaceFolder(path: scratch.path).identity()
        var other = TinyFolder()
        other.set(2e4, for: "rope_theta", in: "text_config")
        try other.write(to: scratch)
        #expect(try HuggingFaceFolder(path: scratch.path).identity() != first)
    }
}

@Suite struct `Towers of the original LLaVA` {
    private let golden: Golden
    private let scratch: ScratchFolder
    private var model: String { scratch.url.appending(path: "model").path }
    private var tower: String { scratch.url.appending(path: "clip-vit-tiny").path }

    init() throws {
        golden = try Golden("folders/original")
        scratch = try ScratchFolder.copy(of: golden)
    }

    private func features(_ checkpoint: VisionCheckpoint) throws -> [Float] {
        let backend = ReferenceBackend()
        let tower = try VisionTower(checkpoint, backend: backend)
        let width = 3 * 14 * 14
        let patches = SafetensorsBuilder.numbers(4 * width)
        return try backend.begin(.vision(rows: 1)).read(tower.encode(patches: patches) { _, _ in })
    }

    @Test func `a tower is found beside the model, in it, among its weights, or where it is named`() throws {
        let beside = try VisionCheckpoint(path: model)
        #expect(beside.configuration.imageAspectRatio == "pad" && beside.configuration.heads == 1)
        let expected = try features(beside)
        let named = try VisionCheckpoint(path: tower, language: model)
        #expect(named.configuration.imageAspectRatio == "pad")
        #expect(try features(named) == expected)

        let inside = scratch.url.appending(path: "model/openai/clip-vit-tiny")
        try FileManager.default.createDirectory(
            at: inside.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: tower, toPath: inside.path)
        #expect(try features(VisionCheckpoint(path: model)) == expected)

        // Among its weights, as LLaVA-1.6 and some of its kin have it: by name a part of the model.
        let file = try SafetensorsFile(path: "\(inside.path)/model.safetensors")
        var builder = SafetensorsBuilder()
        for tensor in try SafetensorsFile(path: "\(model)/model.safetensors").tensors {
            builder.tensors.append(try bytes(of: tensor, in: "\(model)/model.safetensors", as: tensor.name))
        }
        for tensor in file.tensors {
            let name = tensor.name.hasPrefix("vision_model.") ? tensor.name : "vision_model.\(tensor.name)"
            builder.tensors.append(
                try bytes(
                    of: tensor, in: "\(inside.path)/model.safetensors", as: "model.vision_tower.vision_tower.\(name)"))
        }
        try scratch.write(builder.bytes, to: "model/model.safetensors")
        try FileManager.default.removeItem(at: inside)
        #expect(try features(VisionCheckpoint(path: model)) == expected)
    }

    private func bytes(
        of tensor: SafetensorsFile.Tensor, in path: String, as name: String
    ) throws -> SafetensorsBuilder.Tensor {
        let data = try Data(contentsOf: URL(filePath: path))
        let bytes = Array(data[tensor.offset..<tensor.offset + tensor.byteCount])
        return SafetensorsBuilder.Tensor(name: name, type: tensor.type, shape: tensor.shape, bytes: bytes)
    }

    @Test func `a name that leads elsewhere is not followed`() throws {
        for name in ["\(scratch.path)/clip-vit-tiny/..", "../../../../../../etc", "/"] {
            let config = try String(contentsOfFile: "\(model)/config.json", encoding: .utf8)
                .replacingOccurrences(of: "openai/clip-vit-tiny", with: name)
            let folder = try ScratchFolder()
            // Deep enough that nothing of the other folder is beside it.
            try folder.write(config, to: "a/b/c/config.json")
            try folder.write(
                Array(Data(contentsOf: URL(filePath: "\(model)/model.safetensors"))), to: "a/b/c/model.safetensors")
            let searched = ["a/b/c", "a/b", "a", "none/huggingface/hub"].map { "\(folder.path)/\($0)" }
            let nowhere = ModelPlaces(environment: ["XDG_CACHE_HOME": "\(folder.path)/none"], home: folder.url)
            #expect(throws: HuggingFaceError("\(folder.path)/a/b/c", .missingTower(name, searched: searched))) {
                try VisionCheckpoint(path: "\(folder.path)/a/b/c", places: nowhere)
            }
        }
    }
}
