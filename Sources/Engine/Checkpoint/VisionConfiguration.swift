// VisionConfiguration.swift — the sizes of a CLIP tower and of a projector, from llama.cpp's `mmproj` files. Read by Model.

/// Two linear layers with an exact GELU between them: `mm.0`, then `mm.2`.
struct ProjectorConfiguration: Sendable, Equatable {
    /// Width of the vision features.
    let inputs: Int
    let hidden: Int
    /// Width of the language model that it serves.
    let outputs: Int

    /// From a vision file, or from a file that holds nothing but a projector (a draft's).
    init(_ file: GGUF) throws(GGUFError) {
        try expectVisionFile(file)
        let visionType = try file.string("clip.vision.projector_type")
        let type = try file.string("clip.projector_type") ?? visionType ?? "mlp"
        guard type == "mlp" else { throw file.fault(.unsupported("a projector of type '\(type)'")) }
        let first = try file.entry("mm.0.weight")
        let last = try file.entry("mm.2.weight")
        inputs = first.dimensions[0]
        hidden = first.count / first.dimensions[0]
        outputs = last.count / last.dimensions[0]
        try file.expect("mm.0.bias", rows: 1, columns: hidden)
        try file.expect("mm.2.weight", rows: outputs, columns: hidden)
        try file.expect("mm.2.bias", rows: 1, columns: outputs)
    }
}

/// A CLIP vision transformer as an `mmproj` file describes it.
struct VisionConfiguration: Sendable, Equatable {
    let name: String?
    /// Width and height of the picture that the tower sees, in pixels.
    let imageSize: Int
    let patchSize: Int
    let hidden: Int
    /// Blocks to run; their output is what the projector reads.
    let blocks: Int
    let heads: Int
    let feedForward: Int
    /// Of the layer norms.
    let epsilon: Float
    /// Of red, green and blue, on the scale 0...1.
    let mean: [Float]
    let standardDeviation: [Float]
    /// GELU in place of CLIP's quick GELU.
    let useGELU: Bool
    /// The file calls the first layer of the feed-forward part `ffn_down` and the second `ffn_up`, as old converters did.
    let feedForwardNamesSwapped: Bool
    /// How pictures were brought to a square when the model was trained: "pad" or another word of LLaVA's; often absent.
    let imageAspectRatio: String?
    let projector: ProjectorConfiguration

    /// Patches along one side of the picture; the tower's output has the square of it as rows.
    var patchesPerSide: Int { imageSize / patchSize }
    var patches: Int { patchesPerSide * patchesPerSide }
    var headWidth: Int { hidden / heads }
    /// Tensor names of the feed-forward part's first layer (hidden to feedForward) and of its second, in `block`.
    func feedForwardNames(block: Int) -> (first: String, second: String) {
        let names = ("v.blk.\(block).ffn_up", "v.blk.\(block).ffn_down")
        return feedForwardNamesSwapped ? (names.1, names.0) : names
    }

    /// Reads the keys, and checks that every tensor that they ask for is there in the shape that they ask for.
    init(_ file: GGUF) throws(GGUFError) {
        try expectVisionFile(file)
        guard file.hasTensor("v.patch_embd.weight") else {
            throw file.fault(.wrongKind(found: "a projector alone", wanted: "a vision model"))
        }
        name = try file.string("general.name")
        imageSize = try file.count("clip.vision.image_size", in: 1...8_192)
        patchSize = try file.count("clip.vision.patch_size", in: 1...imageSize)
        hidden = try file.count("clip.vision.embedding_length", in: 1...65_536)
        let stored = try file.count("clip.vision.block_count", in: 1...1_024)
        blocks = try Self.blocksToRun(of: stored, file)
        heads = try file.count("clip.vision.attention.head_count", in: 1...1_024)
        feedForward = try file.count("clip.vision.feed_forward_length", in: 1...1_048_576)
        epsilon = try file.positive("clip.vision.attention.layer_norm_epsilon", or: 1e-5)
        mean = try Self.channels("clip.vision.image_mean", file) { $0.isFinite }
        standardDeviation = try Self.channels("clip.vision.image_std", file) { $0.isFinite && $0 > 0 }
        useGELU = try file.bool("clip.use_gelu") ?? false
        imageAspectRatio = try file.string("clip.vision.image_aspect_ratio")
        projector = try ProjectorConfiguration(file)
        let down = try file.entry("v.blk.0.ffn_down.weight")
        feedForwardNamesSwapped = down.dimensions[0] == hidden && hidden != feedForward
        try refuseUnsupported(file)
        try checkTensors(file)
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
        if file.hasTensor("model.image_newline") { throw file.fault(.unsupported("LLaVA-1.6's picture tiles")) }
        guard hidden % heads == 0 else {
            let key = "clip.vision.attention.head_count"
            throw file.fault(.absurdValue(key: key, value: "\(heads)", allowed: "a divisor of \(hidden)"))
        }
    }

    private func checkTensors(_ file: GGUF) throws(GGUFError) {
        try file.expect("v.class_embd", rows: 1, columns: hidden)
        try file.expect("v.patch_embd.weight", rows: hidden, columns: 3 * patchSize * patchSize)
        try file.expect("v.position_embd.weight", rows: patches + 1, columns: hidden)
        try file.expect("v.pre_ln.weight", rows: 1, columns: hidden)
        try file.expect("v.pre_ln.bias", rows: 1, columns: hidden)
        guard projector.inputs == hidden else {
            let found = [projector.inputs, projector.hidden]
            throw file.fault(.wrongShape(tensor: "mm.0.weight", found: found, wanted: [hidden, projector.hidden]))
        }
        for block in 0..<blocks {
            let (first, second) = feedForwardNames(block: block)
            for part in ["ln1", "ln2"] {
                try file.expect("v.blk.\(block).\(part).weight", rows: 1, columns: hidden)
                try file.expect("v.blk.\(block).\(part).bias", rows: 1, columns: hidden)
            }
            let products =
                ["attn_q", "attn_k", "attn_v", "attn_out"].map { ("v.blk.\(block).\($0)", hidden, hidden) }
                + [(first, feedForward, hidden), (second, hidden, feedForward)]
            for (name, rows, columns) in products {
                try file.expect("\(name).weight", rows: rows, columns: columns)
                try file.expect("\(name).bias", rows: 1, columns: rows)
            }
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
