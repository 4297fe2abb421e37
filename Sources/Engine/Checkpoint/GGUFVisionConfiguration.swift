// GGUFVisionConfiguration.swift — the sizes of a CLIP tower and of a projector from the keys of llama.cpp's `mmproj` files.

extension ProjectorConfiguration {
    /// From a vision file, or from a file that holds nothing but a projector (a draft's).
    init(_ file: GGUF) throws(GGUFError) {
        try expectVisionFile(file)
        let visionType = try file.string("clip.vision.projector_type")
        let type = try file.string("clip.projector_type") ?? visionType ?? "mlp"
        guard type == "mlp" else { throw file.fault(.unsupported("a projector of type '\(type)'")) }
        let first = try file.folded("mm.0.weight")
        self.init(
            inputs: first.columns, hidden: first.rows, outputs: try file.folded("mm.2.weight").rows,
            hasLineEnd: file.hasTensor(ProjectorConfiguration.lineEnd))
        try file.expect(shapes)
    }
}

extension VisionConfiguration {
    /// Reads the keys, and checks that every tensor that they ask for is there in the shape that they ask for.
    init(_ file: GGUF) throws(GGUFError) {
        try expectVisionFile(file)
        guard file.hasTensor("v.patch_embd.weight") else {
            throw file.fault(.wrongKind(found: "a projector alone", wanted: "a vision model"))
        }
        let imageSize = try file.count("clip.vision.image_size", in: 1...8_192)
        let patchSize = try file.count("clip.vision.patch_size", in: 1...imageSize)
        let hidden = try file.count("clip.vision.embedding_length", in: 1...65_536)
        let stored = try file.count("clip.vision.block_count", in: 1...1_024)
        let blocks = try Self.blocksToRun(of: stored, file)
        let heads = try file.count("clip.vision.attention.head_count", in: 1...1_024)
        let feedForward = try file.count("clip.vision.feed_forward_length", in: 1...1_048_576)
        let down = try file.folded("v.blk.0.ffn_down.weight")
        self.init(
            name: try file.string("general.name"), imageSize: imageSize, patchSize: patchSize, hidden: hidden,
            blocks: blocks, heads: heads, feedForward: feedForward,
            epsilon: try file.positive("clip.vision.attention.layer_norm_epsilon", or: 1e-5),
            mean: try Self.channels("clip.vision.image_mean", file) { $0.isFinite },
            standardDeviation: try Self.channels("clip.vision.image_std", file) { $0.isFinite && $0 > 0 },
            useGELU: try file.bool("clip.use_gelu") ?? false,
            feedForwardNamesSwapped: down.columns == hidden && hidden != feedForward,
            imageAspectRatio: try file.string("clip.vision.image_aspect_ratio"),
            tiling: try PictureTiling.read(file, side: imageSize),
            projector: try ProjectorConfiguration(file))
        try refuseUnsupported(file)
        try file.expect(shapes)
    }

    /// The rule: the file's feature layer if it names one; else every stored block where the norm after the last one was
    /// dropped with it (llama.cpp's converter stores up to the feature layer), all but the last where it was not.
    ///
    /// Source: LLaVA-1.5 reads the penultimate hidden state; layer k is the output of k blocks.
    private static func blocksToRun(of stored: Int, _ file: GGUF) throws(GGUFError) -> Int {
        let key = "clip.vision.feature_layer"
        guard let value = file[key] else {
            let skipsLast = file.hasTensor("v.post_ln.weight") && stored > 1
            return skipsLast ? stored - 1 : stored
        }
        if case .array(let list) = value {
            guard list.count == 1, let layer = try file.numbers(key)?.first else {
                throw file.fault(.unsupported("features of \(list.count) layers at once"))
            }
            guard let layer = Int(exactly: layer), (1...stored).contains(layer) else {
                throw file.fault(.absurdValue(key: key, value: "\(layer)", allowed: "from 1 to \(stored)"))
            }
            return layer
        }
        return try file.count(key, in: 1...stored)
    }

    private static func channels(
        _ key: String, _ file: GGUF, _ isAllowed: (Float) -> Bool
    ) throws(GGUFError) -> [Float] {
        guard let values = try file.numbers(key) else { throw file.fault(.missingKey(key)) }
        guard values.count == 3, values.allSatisfy(isAllowed) else {
            let shown = values.prefix(4).map { "\($0)" }.joined(separator: ", ")
            throw file.fault(
                .absurdValue(key: key, value: shown, allowed: "one sensible number for each of three colours"))
        }
        return values
    }

    private func refuseUnsupported(_ file: GGUF) throws(GGUFError) {
        if try file.bool("clip.use_silu") ?? false { throw file.fault(.unsupported("SiLU in the vision tower")) }
        if file.hasTensor("v.patch_embd.bias") { throw file.fault(.unsupported("a bias in 'v.patch_embd'")) }
        guard projector.inputs == hidden else {
            let found = [projector.inputs, projector.hidden]
            throw file.fault(.wrongShape(tensor: "mm.0.weight", found: found, wanted: [hidden, projector.hidden]))
        }
        guard hidden % heads == 0 else {
            let key = "clip.vision.attention.head_count"
            throw file.fault(.absurdValue(key: key, value: "\(heads)", allowed: "a divisor of \(hidden)"))
        }
    }
}

private func expectVisionFile(_ file: GGUF) throws(GGUFError) {
    guard let architecture = try file.string("general.architecture") else {
        throw file.fault(.missingKey("general.architecture"))
    }
    guard architecture == "clip" else {
        let found = architecture == "llama" ? "a language model" : "a model of architecture '\(architecture)'"
        throw file.fault(.wrongKind(found: found, wanted: "a vision model (llama.cpp's mmproj)"))
    }
}
