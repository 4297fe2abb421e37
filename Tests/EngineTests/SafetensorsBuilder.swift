// SafetensorsBuilder.swift — writes small safetensors files and Hugging Face folders, right ones and wrong ones.

import Foundation

@testable import Engine

/// A safetensors file put together tensor by tensor; `bytes` lays it out as the safetensors package does.
struct SafetensorsBuilder {
    struct Tensor {
        var name: String
        var type = "F32"
        var shape: [Int]
        /// Of the numbers; those of the builder's own tensors follow each other.
        var bytes: [UInt8]
    }

    var tensors: [Tensor] = []
    /// The header in place of the tensors' own.
    var header: String?
    /// The length that the file claims for its header, in place of the true one.
    var claimedLength: UInt64?
    /// Bytes cut off the end.
    var missing = 0

    /// The numbers of a tensor that `add` makes: small ones that differ from each other.
    static func numbers(_ count: Int) -> [Float] {
        var numbers: [Float] = []
        for number in 0..<count { numbers.append(Float(number % 7 - 3) / 16) }
        return numbers
    }

    /// Adds a tensor of `numbers`; of zeros where the type is no F32 or BF16.
    mutating func add(_ name: String, _ shape: Int..., type: String = "F32") {
        let count = shape.reduce(1, *), width = ["F32": 4, "F16": 2, "BF16": 2, "I64": 8][type] ?? 1
        var bytes: [UInt8] = []
        for value in Self.numbers(count) {
            switch type {
            case "F32": bytes += withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
            case "BF16": bytes += withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian, Array.init)
            default: bytes += [UInt8](repeating: 0, count: width)
            }
        }
        tensors.append(Tensor(name: name, type: type, shape: shape, bytes: bytes))
    }

    var ownHeader: String {
        var place = 0
        var entries = ["\"__metadata__\":{\"format\":\"pt\"}"]
        for tensor in tensors {
            let end = place + tensor.bytes.count
            let kind = "\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape)"
            entries.append("\"\(tensor.name)\":{\(kind),\"data_offsets\":[\(place),\(end)]}")
            place = end
        }
        return "{\(entries.joined(separator: ","))}"
    }

    var bytes: [UInt8] {
        let header = Array((header ?? ownHeader).utf8)
        let length = claimedLength ?? UInt64(header.count)
        var all: [UInt8] = withUnsafeBytes(of: length.littleEndian, Array.init)
        all += header
        for tensor in tensors { all += tensor.bytes }
        return Array(all.dropLast(missing))
    }

    func open(_ name: String = "f") throws(HuggingFaceError) -> SafetensorsFile {
        try SafetensorsFile(FileBytes(copying: bytes), path: name)
    }
}

/// A folder in the temporary directory that goes with the test.
final class ScratchFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "specchat-\(UUID().uuidString)")
    var path: String { url.path }

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appending(path: name)) }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: url.appending(path: name).path, withDestinationPath: target)
    }

    /// A copy of a golden model's folder.
    static func copy(of golden: Golden) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try FileManager.default.removeItem(at: scratch.url)
        try FileManager.default.copyItem(at: golden.directory, to: scratch.url)
        return scratch
    }
}

/// A whole LLaVA of a few numbers, in the spelling of the published files: what a test breaks in one place.
struct TinyFolder {
    var configuration: [String: Any] = [
        "model_type": "llava", "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
        "projector_hidden_act": "gelu",
        "text_config": [
            "model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 1, "intermediate_size": 12, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        ],
        "vision_config": [
            "model_type": "clip_vision_model", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 12, "image_size": 4, "patch_size": 2,
        ],
    ]
    var weights = SafetensorsBuilder()

    init() {
        addLanguageModel()
        let tower = "vision_tower.vision_model"
        weights.add("\(tower).embeddings.class_embedding", 8)
        weights.add("\(tower).embeddings.patch_embedding.weight", 8, 3, 2, 2)
        weights.add("\(tower).embeddings.position_embedding.weight", 5, 8)
        for norm in ["pre_layrnorm", "encoder.layers.0.layer_norm1", "encoder.layers.0.layer_norm2"] {
            weights.add("\(tower).\(norm).weight", 8)
            weights.add("\(tower).\(norm).bias", 8)
        }
        for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            weights.add("\(tower).encoder.layers.0.self_attn.\(part).weight", 8, 8)
            weights.add("\(tower).encoder.layers.0.self_attn.\(part).bias", 8)
        }
        for (part, rows, columns) in [("fc1", 12, 8), ("fc2", 8, 12)] {
            weights.add("\(tower).encoder.layers.0.mlp.\(part).weight", rows, columns)
            weights.add("\(tower).encoder.layers.0.mlp.\(part).bias", rows)
        }
        for part in ["linear_1", "linear_2"] {
            weights.add("multi_modal_projector.\(part).weight", 8, 8)
            weights.add("multi_modal_projector.\(part).bias", 8)
        }
    }

    private mutating func addLanguageModel() {
        let root = "language_model.model"
        weights.add("\(root).embed_tokens.weight", 16, 8)
        weights.add("\(root).norm.weight", 8)
        weights.add("language_model.lm_head.weight", 16, 8)
        let block = "\(root).layers.0"
        for norm in ["input_layernorm", "post_attention_layernorm"] { weights.add("\(block).\(norm).weight", 8) }
        for (part, rows, columns) in [("q_proj", 8, 8), ("k_proj", 4, 8), ("v_proj", 4, 8), ("o_proj", 8, 8)] {
            weights.add("\(block).self_attn.\(part).weight", rows, columns)
        }
        for (part, rows, columns) in [("gate_proj", 12, 8), ("up_proj", 12, 8), ("down_proj", 8, 12)] {
            weights.add("\(block).mlp.\(part).weight", rows, columns)
        }
    }

    /// Makes it a language model alone, in transformers' spelling.
    mutating func becomeText() {
        let text = configuration["text_config"] as? [String: Any] ?? [:]
        configuration = text.merging(["model_type": "llama"]) { $1 }
        weights.tensors = weights.tensors.compactMap { tensor in
            guard tensor.name.hasPrefix("language_model.") else { return nil }
            var tensor = tensor
            tensor.name.removeFirst("language_model.".count)
            return tensor
        }
    }

    mutating func set(_ value: Any?, for key: String, in part: String? = nil) {
        guard let part else { return configuration[key] = value }
        var inner = configuration[part] as? [String: Any] ?? [:]
        inner[key] = value
        configuration[part] = inner
    }

    mutating func reshape(_ name: String, to shape: Int..., type: String = "F32") {
        weights.tensors.removeAll { $0.name == name }
        var one = SafetensorsBuilder()
        one.add(name, 0)
        one.tensors[0].shape = shape
        one.tensors[0].type = type
        one.tensors[0].bytes = [UInt8](repeating: 0, count: shape.reduce(type == "F32" ? 4 : type == "I64" ? 8 : 2, *))
        weights.tensors += one.tensors
    }

    func write(to folder: ScratchFolder, under prefix: String = "") throws {
        let json = try JSONSerialization.data(withJSONObject: configuration, options: [.sortedKeys])
        try folder.write(Array(json), to: "\(prefix)config.json")
        try folder.write(weights.bytes, to: "\(prefix)model.safetensors")
    }
}
