import Foundation
import Testing

@testable import Engine

@Suite struct `Chats with Hugging Face folders` {
    private func answer(_ bundle: ModelBundle, _ policy: SpeculationPolicy, image: String?) async throws -> String {
        var options = EngineOptions()
        options.contextLength = 200
        options.threads = 1
        let engine = ChatEngine(bundle: bundle, options: options)
        if let image { for try await _ in engine.attach(try PixelImage.read(image)) {} }
        var asking = GenerationOptions()
        asking.speculation.policy = policy
        asking.maximumTokens = 24
        var text = ""
        for try await event in engine.ask("What is it?", options: asking) {
            if case .finished(let report) = event { text = report.text }
            if case .notice(let notice) = event { Issue.record("\(notice)") }
        }
        return text
    }

    @Test(arguments: Golden.folders)
    func `a folder is a whole model, and another one drafts for it`(name: String) async throws {
        let golden = try Golden(name)
        // The original has no token for a picture, so its vocabulary is one shorter.
        let draft = try name.hasSuffix("original") ? golden.language : Golden("folders/inner").language
        let bundle = try ModelBundle.open(model: golden.language, mmproj: nil, draft: draft, draftProjector: nil)
        #expect(bundle.vision != nil && bundle.draft?.projector != nil)
        let picture = golden.path("picture.png")
        let plain = try await answer(bundle, .off, image: picture)
        #expect(!plain.isEmpty)
        #expect(try await answer(bundle, .dynamic, image: picture) == plain)
    }

    @Test func `a folder without eyes chats about text, with a file as its draft and without`() async throws {
        let scratch = try ScratchFolder()
        let golden = try Golden("folders/published")
        var builder = SafetensorsBuilder()
        let path = "\(golden.language)/model.safetensors"
        let data = try Data(contentsOf: URL(filePath: path))
        for tensor in try SafetensorsFile(path: path).tensors where tensor.name.hasPrefix("language_model.") {
            let name = String(tensor.name.dropFirst("language_model.".count))
            let bytes = Array(data[tensor.offset..<tensor.offset + tensor.byteCount])
            builder.tensors.append(.init(name: name, type: tensor.type, shape: tensor.shape, bytes: bytes))
        }
        try scratch.write(builder.bytes, to: "model.safetensors")
        let whole = try HuggingFaceConfiguration(path: "\(golden.language)/config.json")
        let text = try #require(try whole.object("text_config"))
        var keys = ["\"model_type\":\"llama\""]
        for key in [
            "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size",
            "max_position_embeddings", "rms_norm_eps", "head_dim",
        ] { keys.append("\"\(key)\":\(try text.number(key) ?? 0)") }
        try scratch.write("{\(keys.joined(separator: ","))}", to: "config.json")
        try FileManager.default.copyItem(
            atPath: "\(golden.language)/tokenizer.model", toPath: "\(scratch.path)/tokenizer.model")
        let bundle = try ModelBundle.open(model: scratch.path, mmproj: nil, draft: nil, draftProjector: nil)
        #expect(bundle.vision == nil)
        let plain = try await answer(bundle, .off, image: nil)
        #expect(!plain.isEmpty)
        // A weight file stands for its folder.
        let byFile = try ModelBundle.open(
            model: "\(scratch.path)/model.safetensors", mmproj: nil, draft: scratch.path, draftProjector: nil)
        #expect(byFile.target == bundle.target && byFile.draft?.projector == nil)
        #expect(try await answer(byFile, .dynamic, image: nil) == plain)
    }
}
