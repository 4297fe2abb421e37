import Foundation
import Testing

@testable import Engine

/// What `specchat inspect` says of things in a folder that goes with the test.
private struct World {
    let scratch: ScratchFolder
    var places: ModelPlaces { ModelPlaces(environment: [:], home: scratch.url) }

    init() throws { scratch = try ScratchFolder() }

    func description(_ name: String) throws -> CheckpointDescription {
        let isReference = ModelPlaces.isReference(name)
        return try CheckpointDescription(of: isReference ? name : "\(scratch.path)/\(name)", places: places)
    }

    /// The values of the summary under a name.
    func values(_ line: String, of name: String) throws -> [String] {
        try description(name).summary.filter { $0.name == line }.map(\.value)
    }

    /// A copy of the golden LLaVA whose files are Hugging Face's.
    func copy(_ golden: String, to name: String) throws {
        try FileManager.default.createDirectory(
            at: scratch.url.appending(path: name).deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Golden("folders/\(golden)").path("model"), toPath: "\(scratch.path)/\(name)")
    }
}

@Suite struct `The description of a folder` {
    private let world: World

    init() throws { world = try World() }

    @Test func `names kind, sizes, types, shards, words, eyes and the command`() throws {
        try world.copy("saved", to: "llava")
        let description = try world.description("llava")
        let text = description.text
        for fact in [
            "LlavaForConditionalGeneration, type 'llava'", "a LLaVA: language model, vision tower and projector",
            "6 .safetensors files by an index", "blocks 2, hidden 32, feed-forward 56, heads 4 of 8, key heads 2",
            "319 pieces (tokenizer.model), begins with '<s>' (1)", "vicuna_v1, as the folder has none",
            "28 × 28 pixels in 4 patches of 14", "the middle cut out; less the mean 0.48",
            "32 to 32 to 32, GELU between",
            "F32           80 tensors, 81296 numbers, 325.2 kB",
            "yes: specchat --model \(Wording.argument(world.scratch.path + "/llava"))", "text_config.hidden_size",
        ] { #expect(text.contains(fact), "\(fact)\n\(text)") }
        #expect(!description.hasProblem && description.summary.last?.name == "runs here")
        #expect(description.lines(of: "tensors of model-00001-of-00006.safetensors").count == 1)
    }

    @Test func `says what is missing, and describes the rest`() throws {
        try world.copy("saved", to: "llava")
        for (file, problem) in [
            ("model-00003-of-00006.safetensors", "names 'model-00003-of-00006.safetensors', which is not there"),
            ("tokenizer.model", "has neither tokenizer.json nor tokenizer.model"),
        ] {
            let path = "\(world.scratch.path)/llava/\(file)"
            let bytes = try Data(contentsOf: URL(filePath: path))
            try FileManager.default.removeItem(atPath: path)
            #expect(try world.values("problem", of: "llava").first?.contains(problem) == true)
            #expect(try world.values("runs here", of: "llava") == ["no"])
            #expect(try world.values("sizes", of: "llava").first?.contains("blocks 2, hidden 32") == true)
            try bytes.write(to: URL(filePath: path))
        }
        #expect(try world.values("missing", of: "llava").isEmpty)
        try FileManager.default.removeItem(atPath: "\(world.scratch.path)/llava/processor_config.json")
        #expect(try world.values("missing", of: "llava").first?.contains("by CLIP's own numbers") == true)
    }

    @Test func `of a configuration alone gives its sizes`() throws {
        try world.scratch.write(
            #"""
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 768, "num_hidden_layers": 2,
             "vocab_size": 32000}
            """#, to: "draft/config.json")
        #expect(try world.values("sizes", of: "draft") == ["blocks 2, hidden 768, vocabulary 32000, by config.json"])
        #expect(try world.values("problem", of: "draft").first?.contains("holds no .safetensors files") == true)
        #expect(try world.values("kind", of: "draft/config.json").first?.contains("LLaMA's kind") == true)
    }

    @Test(arguments: [
        (#"{"model_type": "bert", "architectures": ["BertModel"]}"#, "config.json", "a text encoder ('bert')"),
        (#"{"model_type": "siglip"}"#, "config.json", "a vision encoder ('siglip')"),
        (
            #"{"base_model_name_or_path": "a/b"}"#, "adapter_config.json",
            "an adapter, not a model. Merge it into its base"
        ),
        (
            #"{"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}"#, "config.json",
            "quantised by GPTQ, whose files are not read here"
        ),
        ("[]", "config.json", "holds JSON that is no object"),
    ])
    func `says what is no model of ours`(json: String, file: String, problem: String) throws {
        try world.scratch.write(json, to: "other/\(file)")
        #expect(try world.values("problem", of: "other").first?.contains(problem) == true)
        #expect(try world.values("runs here", of: "other") == ["no"])
    }

    @Test(arguments: [
        (["pytorch_model.bin"], "It holds its weights as pytorch_model.bin only."),
        (["model.onnx"], "It holds an ONNX graph (model.onnx)"),
        (["model.safetensors"], "It holds weights without a config.json"),
        (["tokenizer.json"], "It holds a tokenizer without a model"),
        (["manifests/x", "blobs/y"], "Name one as ollama:NAME"),
        (["notes.txt"], "holds neither a config.json nor a bundle.json"),
        (["a.gguf", "b.gguf"], "holds several models: a.gguf, b.gguf"),
    ])
    func `without a model says what it holds`(files: [String], problem: String) throws {
        for file in files { try world.scratch.write("x", to: "any/\(file)") }
        let lines = try world.description("any").lines(of: "files")
        #expect(lines.allSatisfy { $0.value == ($0.name.contains(".") ? "1 byte" : "a folder") })
        #expect(try world.values("problem", of: "any").first?.contains(problem) == true)
    }

    @Test func `with many files shows the first hundred, and says how many more there are`() throws {
        for number in 100..<215 { try world.scratch.write("x", to: "many/\(number)") }
        let lines = try world.description("many").lines(of: "files")
        #expect(lines.count == 101 && lines[100] == .init("…", "and 15 more") && lines[0] == .init("100", "1 byte"))
    }

    @Test func `of an original LLaVA says where its tower is, and of the tower what it is for`() throws {
        try world.copy("original", to: "llava")
        let problem = try #require(try world.values("problem", of: "llava").first)
        #expect(
            problem.contains("`hf download openai/clip-vit-tiny` fetches it") && problem.contains("huggingface/hub"))
        let hub = ".cache/huggingface/hub/models--openai--clip-vit-tiny"
        try world.scratch.write("abc1", to: "\(hub)/refs/main")
        try FileManager.default.createDirectory(
            atPath: "\(world.scratch.path)/\(hub)/snapshots", withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Golden("folders/original").path("clip-vit-tiny"),
            toPath: "\(world.scratch.path)/\(hub)/snapshots/abc1")
        #expect(try world.values("problem", of: "llava").isEmpty)
        #expect(try world.values("tower", of: "llava").first?.hasSuffix("snapshots/abc1") == true)
        let tower = try world.description("hf:openai/clip-vit-tiny")
        #expect(tower.summary.last?.value.contains("with an original LLaVA, specchat --model LLAVA --mmproj") == true)
    }

    @Test func `by a reference is that of what the store holds`() throws {
        let snapshot = ".cache/huggingface/hub/models--me--eye/snapshots/ab"
        try world.scratch.write(GGUFBuilder.language().bytes, to: "\(snapshot)/eye-Q4_0.gguf")
        try world.scratch.write(GGUFBuilder.vision().bytes, to: "\(snapshot)/mmproj-eye.gguf")
        let description = try world.description("hf:me/eye")
        #expect(description.summary[0].value.hasPrefix("hf:me/eye, in "))
        #expect(description.sections[0].title == "vision file mmproj-eye.gguf")
        #expect(try world.values("folder", of: snapshot) == ["one model, eye-Q4_0.gguf"])
        #expect(try world.description(".cache/huggingface/hub/models--me--eye").text.contains("Name it hf:me/eye."))
        #expect(throws: ModelPlaceError.self) { try world.description("ollama:none") }
    }

    @Test func `of a bundle describes every part, and names the one that is broken`() throws {
        try world.scratch.write(GGUFBuilder.language().bytes, to: "b/target.gguf")
        try world.scratch.write("GGUF and no more", to: "b/draft.gguf")
        try world.scratch.write(
            #"""
            {"format": 1, "name": "mine", "target": "target.gguf", "drafts": [{"name": "small", "model": "draft.gguf"}],
             "default_draft": "small"}
            """#, to: "b/bundle.json")
        let description = try world.description("b")
        #expect(description.sections.map(\.title) == ["target: target.gguf", "draft small: draft.gguf"])
        #expect(try world.values("problem", of: "b") == ["its draft small cannot be used; see below"])
        #expect(try world.values("drafts by", of: "b/bundle.json") == ["small"])
    }
}

@Suite struct `The description of a file` {
    private let world: World

    init() throws { world = try World() }

    private static let kinds: [(name: String, bytes: [UInt8], what: String, wanted: String)] = [
        ("a.jpg", [0xFF, 0xD8, 0xFF, 0xE0], "a picture (JPEG)", "specchat --image"),
        (
            "pytorch_model.bin", [0x50, 0x4B, 0x03, 0x04, 1], "PyTorch's file",
            "Convert them once, in that folder: python3 -c"
        ),
        ("x", Array("PK\u{3}\u{4}....archive/data.pkl".utf8), "PyTorch's file", "weights_only=True"),
        ("x.pt", [0x80, 0x02, 0x8A], "PyTorch's file", "python3"),
        ("x.zip", [0x50, 0x4B, 0x03, 0x04, 1], "a zip archive", "Unpack it."),
        ("x.onnx", [0x08, 0x07, 0x12, 0x07], "an ONNX graph", "makes a .gguf file"),
        ("x", [0x08, 0x07, 0x12, 0x07, 0x70], "an ONNX graph", "makes a .gguf file"),
        ("x.tflite", Array("....TFL3".utf8), "a TensorFlow Lite graph", "makes a .gguf file"),
        ("x.h5", [0x89, 0x48, 0x44, 0x46, 0x0D], "an HDF5 file", "makes a .gguf file"),
        ("ggml-model.bin", Array("tjgg\u{1}".utf8), "before August 2023", "makes a .gguf file"),
        ("x.npy", [0x93] + Array("NUMPY".utf8), "an array of NumPy's", ".gguf"),
        ("x.tar.gz", [0x1F, 0x8B, 8], "an archive", "Unpack it."),
        (
            "model.safetensors", Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "a pointer of Git LFS",
            "git lfs pull"
        ),
        ("m.gguf", Array("<!DOCTYPE html><html>".utf8), "a web page", "'resolve'"),
        ("chat_template.jinja", Array("{% if x %}".utf8), "a chat template", "the folder"),
        ("generation.json", Array("{\"a\": 1}".utf8), "JSON", ".gguf"),
        ("generation_config.json", Array("{\"a\": 1}".utf8), "one of the small files", "the folder that it lies in"),
        ("x.txt", Array("Grüße".utf8), "text", ".gguf"),
        ("x", [0, 1, 2, 3, 0xFE], "something unknown that begins with 00 01 02 03 fe", ".gguf"),
    ]

    @Test(arguments: kinds.indices)
    func `that is no model says what it is, and what is wanted`(index: Int) throws {
        let kind = Self.kinds[index]
        try world.scratch.write(kind.bytes, to: kind.name)
        #expect(try world.values("kind", of: kind.name).first?.contains(kind.what) == true)
        #expect(try world.values("wanted", of: kind.name).first?.contains(kind.wanted) == true)
        #expect(try world.values("runs here", of: kind.name) == ["no"])
    }

    @Test func `of safetensors says whose numbers they are`() throws {
        var tiny = TinyFolder()
        try world.scratch.write(tiny.weights.bytes, to: "model.safetensors")
        #expect(
            try world.values("holds", of: "model.safetensors") == [
                "1 block of a language model, its embedding, its output head, 1 block of a vision tower, a projector"
            ])
        #expect(
            try world.values("runs here", of: "model.safetensors").first?.hasPrefix("no: put the other files") == true)
        try tiny.write(to: world.scratch, under: "whole/")
        #expect(try world.values("folder", of: "whole/model.safetensors").first?.contains("`specchat inspect ") == true)
        for (tensor, what) in [
            ("base_model.model.x.lora_A.weight", "an adapter (LoRA)"), ("fc.weight", "EAGLE's kind"),
            ("model.diffusion_model.x", "makes pictures"), ("model.layers.0.mlp.up_proj.qweight", "GPTQ's or AWQ's"),
            ("bert.embeddings.x", "no tensor of a LLaVA or LLaMA model"),
        ] {
            tiny.weights = SafetensorsBuilder()
            tiny.weights.add(tensor, 2, 2)
            try world.scratch.write(tiny.weights.bytes, to: "one.safetensors")
            #expect(try world.values("holds", of: "one.safetensors").first?.contains(what) == true)
        }
    }

    @Test func `of a tokenizer counts its pieces`() throws {
        let golden = try Golden("folders/saved").path("model/tokenizer.model")
        let description = try CheckpointDescription(of: golden)
        #expect(description.text.contains("319 pieces (tokenizer.model)"))
        #expect(description.summary.last?.value == "no: a tokenizer alone")
        let folder = try Golden("folders/saved").path("model")
        let ids = try CheckpointDescription.tokenize("a red square", by: folder)
        #expect(!ids.isEmpty)
        #expect(try CheckpointDescription.tokenize("a red square", by: golden) == ids)
    }

    @Test func `that cannot be read or is damaged is an error`() throws {
        try world.scratch.write("", to: "empty")
        try world.scratch.write("GGUF\u{3}", to: "cut.gguf")
        try world.scratch.write([9, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":".utf8), to: "cut.safetensors")
        for name in ["empty", "cut.gguf", "cut.safetensors", "none"] {
            #expect(throws: (any Error).self) { try world.description(name) }
        }
    }

    @Test func `says where weights are larger than the machine's memory`() {
        #expect(
            ModelLines.memory(5_000_000_000, of: 8_000_000_000).value == "5.0 GB of weights; this machine has 8.0 GB")
        #expect(
            ModelLines.memory(14_000_000_000, of: 8_000_000_000).value.contains(
                "a quantised model, or --quantize this one"))
    }
}
