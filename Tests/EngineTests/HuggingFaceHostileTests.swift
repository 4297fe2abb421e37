import Foundation
import Testing

@testable import Engine

/// A folder that must be refused, and the message without the folder's own path.
struct HostileFolder: Sendable, CustomTestStringConvertible {
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

    static let copyAgain = "The file is damaged: copy or download it again."
    static let ownFile = "Copy the model's own file again."
    static let ownFiles = "Copy the model's own files again."
    static let without = "which this version does not have. Use a LLaVA or LLaMA model without it."

    // MARK: What many cases share

    /// A configuration of this type, which is no model of ours.
    static func foreign(_ name: String, _ type: String, is what: String) -> HostileFolder {
        .init(name, " holds \(what), not a LLaVA or LLaMA model. Name another folder.") {
            $0.configuration = ["model_type": type]
        }
    }

    /// A value that a key cannot have, in the configuration's part for this use.
    static func absurd(
        _ name: String, as use: Use = .language, _ key: String, inPart: Bool = true, is value: any Sendable,
        shown: String? = nil, _ allowed: String
    ) -> HostileFolder {
        let part = inPart ? (use == .language ? "text_config" : "vision_config") : nil
        let path = part.map { "\($0).\(key)" } ?? key
        return .init(
            name, as: use,
            "/config.json says '\(path)' is \(shown ?? "\(value)"); it must be \(allowed). \(ownFile)"
        ) { $0.set(value, for: key, in: part) }
    }

    /// A model with something that we do not have.
    static func unsupported(
        _ name: String, as use: Use = .language, ofFolder: Bool = false, _ what: String,
        _ change: @escaping @Sendable (inout TinyFolder) -> Void
    ) -> HostileFolder {
        .init(name, as: use, "\(ofFolder ? " " : "/config.json ")needs \(what), \(without)", change)
    }

    // MARK: Folders of another kind

    static let kinds: [HostileFolder] = [
        .init("a CLIP tower", " holds a CLIP vision tower, not a language model. Name another folder.") { tiny in
            tiny.configuration = ["model_type": "clip_vision_model", "hidden_size": 8]
        },
        foreign("a text encoder", "bert", is: "a text encoder ('bert')"),
        foreign("an encoder with a decoder", "t5", is: "an encoder with a decoder ('t5')"),
        .init(
            "another vision encoder",
            " holds a vision encoder ('siglip'), not a LLaVA or LLaMA model, or CLIP's tower for one. Name another folder."
        ) {
            $0.configuration = ["model_type": "siglip"]
        },
        foreign("another language model", "qwen2", is: "a model of type 'qwen2'"),
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

    static let all = kinds + files + shards + languages + towers
}

@Suite struct `Hostile Hugging Face folders` {
    @Test(arguments: HostileFolder.all)
    func `are refused in one sentence`(folder: HostileFolder) throws {
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
