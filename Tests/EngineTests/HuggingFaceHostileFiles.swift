// HuggingFaceHostileFiles.swift — folders whose files are missing, damaged or elsewhere. Tried by HuggingFaceHostileTests.

import Foundation

@testable import Engine

extension HostileFolder {
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

}
