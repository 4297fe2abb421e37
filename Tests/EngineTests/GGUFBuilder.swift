// GGUFBuilder.swift — writes small GGUF files for the tests of the readers, right ones and wrong ones.

@testable import Engine

/// A GGUF file put together part by part; `bytes` lays it out as llama.cpp does.
struct GGUFBuilder {
    enum Value {
        case uint8(UInt8), int8(Int8), uint16(UInt16), int16(Int16), uint32(UInt32), int32(Int32)
        case uint64(UInt64), int64(Int64), float32(Float), float64(Double), bool(Bool), string(String)
        case strings([String]), floats([Float]), ints([Int32]), bools([Bool])
        case lists([[Int32]])
        /// Type code and bytes as they are.
        case raw(UInt32, [UInt8])
    }

    struct Tensor {
        var name: String
        var type: UInt32
        var dimensions: [UInt64]
        var data: [UInt8]
        /// Where the directory says it is, if not where it is.
        var claimedOffset: UInt64?
    }

    var magic: [UInt8] = Array("GGUF".utf8)
    var version: UInt32 = 3
    var alignment = 32
    var claimedKeys: UInt64?
    var claimedTensors: UInt64?
    var keys: [(String, Value)] = []
    var tensors: [Tensor] = []

    mutating func set(_ key: String, _ value: Value?) {
        keys.removeAll { $0.0 == key }
        if let value { keys.append((key, value)) }
    }

    /// Adds a float32 tensor whose numbers are small and differ.
    mutating func add(_ name: String, _ dimensions: Int...) {
        let count = dimensions.reduce(1, *)
        let data = (0..<count).flatMap { Self.bytes(Float($0 % 17) / 16 - 0.5) }
        tensors.append(Tensor(name: name, type: 0, dimensions: dimensions.map { UInt64($0) }, data: data))
    }

    mutating func remove(_ name: String) { tensors.removeAll { $0.name == name } }

    /// Everything before the numbers.
    var header: [UInt8] {
        var out = magic + Self.bytes(version)
        out += Self.bytes(claimedTensors ?? UInt64(tensors.count)) + Self.bytes(claimedKeys ?? UInt64(keys.count))
        for (key, value) in keys { out += Self.text(key) + Self.typed(value) }
        var offset: UInt64 = 0
        for tensor in tensors {
            out += Self.text(tensor.name) + Self.bytes(UInt32(tensor.dimensions.count))
            out += tensor.dimensions.flatMap { Self.bytes($0) } + Self.bytes(tensor.type)
            out += Self.bytes(tensor.claimedOffset ?? offset)
            offset += UInt64((tensor.data.count + alignment - 1) / alignment * alignment)
        }
        return out
    }

    var bytes: [UInt8] {
        tensors.reduce(into: padded(header)) { $0 = padded($0 + $1.data) }
    }

    func open(_ name: String = "model.gguf") throws(GGUFError) -> GGUF {
        try GGUF(FileBytes(copying: bytes), file: name)
    }

    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    static func bytes(_ value: Float) -> [UInt8] { bytes(value.bitPattern) }
    static func text(_ text: String) -> [UInt8] { bytes(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func list(_ type: UInt32, _ count: Int, _ elements: [UInt8]) -> [UInt8] {
        bytes(UInt32(9)) + bytes(type) + bytes(UInt64(count)) + elements
    }

    private static func typed(_ value: Value) -> [UInt8] {
        switch value {
        case .uint8(let value): bytes(UInt32(0)) + bytes(value)
        case .int8(let value): bytes(UInt32(1)) + bytes(value)
        case .uint16(let value): bytes(UInt32(2)) + bytes(value)
        case .int16(let value): bytes(UInt32(3)) + bytes(value)
        case .uint32(let value): bytes(UInt32(4)) + bytes(value)
        case .int32(let value): bytes(UInt32(5)) + bytes(value)
        case .float32(let value): bytes(UInt32(6)) + bytes(value)
        case .bool(let value): bytes(UInt32(7)) + [value ? 1 : 0]
        case .string(let value): bytes(UInt32(8)) + text(value)
        case .uint64(let value): bytes(UInt32(10)) + bytes(value)
        case .int64(let value): bytes(UInt32(11)) + bytes(value)
        case .float64(let value): bytes(UInt32(12)) + bytes(value.bitPattern)
        case .strings(let values): list(8, values.count, values.flatMap { text($0) })
        case .floats(let values): list(6, values.count, values.flatMap { bytes($0) })
        case .ints(let values): list(5, values.count, values.flatMap { bytes($0) })
        case .bools(let values): list(7, values.count, values.map { $0 ? 1 : 0 })
        case .lists(let values):
            list(
                9, values.count,
                values.flatMap { bytes(UInt32(5)) + bytes(UInt64($0.count)) + $0.flatMap { bytes($0) } })
        case .raw(let type, let value): bytes(type) + value
        }
    }
}

extension GGUFBuilder {
    /// A language model of 8 tokens, hidden size 8, one block, two heads on one key head.
    static func language() -> GGUFBuilder {
        var file = GGUFBuilder()
        file.keys = [
            ("general.architecture", .string("llama")), ("general.name", .string("tiny")),
            ("llama.block_count", .uint32(1)), ("llama.context_length", .uint32(64)),
            ("llama.embedding_length", .uint32(8)), ("llama.feed_forward_length", .uint32(12)),
            ("llama.attention.head_count", .uint32(2)), ("llama.attention.head_count_kv", .uint32(1)),
            ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)), ("llama.rope.dimension_count", .uint32(4)),
            ("tokenizer.ggml.model", .string("llama")),
            ("tokenizer.ggml.tokens", .strings(["<unk>", "<s>", "</s>", "<0x41>", "▁", "a", "b", "▁a"])),
            ("tokenizer.ggml.scores", .floats([0, 0, 0, 0, -2, -3, -4, -1])),
            ("tokenizer.ggml.token_type", .ints([2, 3, 3, 6, 1, 1, 1, 1])),
            ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
            ("tokenizer.ggml.unknown_token_id", .uint32(0)),
        ]
        file.add("token_embd.weight", 8, 8)
        file.add("output_norm.weight", 8)
        file.add("output.weight", 8, 8)
        file.add("blk.0.attn_norm.weight", 8)
        file.add("blk.0.attn_q.weight", 8, 8)
        file.add("blk.0.attn_k.weight", 8, 4)
        file.add("blk.0.attn_v.weight", 8, 4)
        file.add("blk.0.attn_output.weight", 8, 8)
        file.add("blk.0.ffn_norm.weight", 8)
        file.add("blk.0.ffn_gate.weight", 8, 12)
        file.add("blk.0.ffn_up.weight", 8, 12)
        file.add("blk.0.ffn_down.weight", 12, 8)
        return file
    }

    /// A vision tower of 28 × 28 pixels, patch 14, hidden size 6, two blocks, and its projector to 8.
    static func vision(swapped: Bool = false) -> GGUFBuilder {
        var file = projector()
        file.set("general.name", .string("eye"))
        file.keys += [
            ("clip.use_gelu", .bool(false)), ("clip.vision.image_size", .uint32(28)),
            ("clip.vision.patch_size", .uint32(14)), ("clip.vision.embedding_length", .uint32(6)),
            ("clip.vision.feed_forward_length", .uint32(10)), ("clip.vision.block_count", .uint32(2)),
            ("clip.vision.attention.head_count", .uint32(3)),
            ("clip.vision.attention.layer_norm_epsilon", .float32(1e-5)),
            ("clip.vision.image_mean", .floats([0.5, 0.25, 0.125])),
            ("clip.vision.image_std", .floats([0.5, 0.5, 0.5])),
        ]
        file.add("v.class_embd", 6)
        file.add("v.patch_embd.weight", 14, 14, 3, 6)
        file.add("v.position_embd.weight", 6, 5)
        file.add("v.pre_ln.weight", 6)
        file.add("v.pre_ln.bias", 6)
        for block in 0..<2 {
            for part in ["attn_q", "attn_k", "attn_v", "attn_out"] {
                file.add("v.blk.\(block).\(part).weight", 6, 6)
                file.add("v.blk.\(block).\(part).bias", 6)
            }
            for part in ["ln1", "ln2"] {
                file.add("v.blk.\(block).\(part).weight", 6)
                file.add("v.blk.\(block).\(part).bias", 6)
            }
            let (first, second) = swapped ? ("ffn_down", "ffn_up") : ("ffn_up", "ffn_down")
            file.add("v.blk.\(block).\(first).weight", 6, 10)
            file.add("v.blk.\(block).\(first).bias", 10)
            file.add("v.blk.\(block).\(second).weight", 10, 6)
            file.add("v.blk.\(block).\(second).bias", 6)
        }
        return file
    }

    /// A projector alone, from 6 to 8.
    static func projector() -> GGUFBuilder {
        var file = GGUFBuilder()
        file.keys = [("general.architecture", .string("clip")), ("clip.projector_type", .string("mlp"))]
        file.add("mm.0.weight", 6, 8)
        file.add("mm.0.bias", 8)
        file.add("mm.2.weight", 8, 8)
        file.add("mm.2.bias", 8)
        return file
    }
}
