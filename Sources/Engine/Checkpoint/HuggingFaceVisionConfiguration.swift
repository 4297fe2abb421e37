// HuggingFaceVisionConfiguration.swift — the sizes of a CLIP tower and of a projector from Hugging Face folders.

internal import Foundation

extension ProjectorConfiguration {
    /// The projector of a LLaVA's folder.
    init(_ folder: HuggingFaceFolder) throws(HuggingFaceError) {
        guard folder.hasTensor("mm.0.weight") || folder.kind == .llava || folder.kind == .originalLlava else {
            throw HuggingFaceError(folder.path, .wrongKind(found: "no projector", wanted: "a LLaVA"))
        }
        let configuration = folder.configuration
        let activation = try configuration.string("projector_hidden_act") ?? "gelu"
        let original =
            try configuration.string("mm_projector_type") ?? (folder.kind == .llava ? "mlp2x_gelu" : "linear")
        guard activation == "gelu", original == "mlp2x_gelu" else {
            let type = activation == "gelu" ? original : activation
            throw HuggingFaceError(folder.path, .unsupported("a projector of type '\(type)'"))
        }
        let first = try folder.folded("mm.0.weight")
        self.init(
            inputs: first.columns, hidden: first.rows, outputs: try folder.folded("mm.2.weight").rows,
            hasLineEnd: folder.hasTensor(ProjectorConfiguration.lineEnd))
        try folder.expect(shapes)
    }
}

extension VisionConfiguration {
    /// Reads the configurations of tower and model, and checks that every tensor that they ask for is there in the shape
    /// that they ask for.
    init(_ vision: HuggingFaceVision) throws(HuggingFaceError) {
        let sizes = try HuggingFaceTowerSizes(vision)
        let pictures = try HuggingFacePictures(vision, imageSize: sizes.imageSize)
        let projector = try ProjectorConfiguration(vision.model)
        self.init(
            name: URL(filePath: vision.tower.path).standardizedFileURL.lastPathComponent, imageSize: sizes.imageSize,
            patchSize: sizes.patchSize, hidden: sizes.hidden,
            blocks: try Self.blocksToRun(of: sizes.layers, vision.model), heads: sizes.heads,
            feedForward: sizes.feedForward, epsilon: sizes.epsilon, mean: pictures.mean,
            standardDeviation: pictures.standardDeviation, useGELU: sizes.useGELU, feedForwardNamesSwapped: false,
            imageAspectRatio: pictures.aspectRatio, tiling: pictures.tiling, shorterSide: pictures.shorterSide,
            pixelScale: pictures.scale, projector: projector)
        guard projector.inputs == hidden else {
            throw vision.model.configuration.fault(
                .wrongShape(
                    tensor: "mm.0.weight", found: [projector.hidden, projector.inputs],
                    wanted: [projector.hidden, hidden]))
        }
        try Self.refuseUnsupported(vision)
        try vision.expect(shapes)
    }

    /// Layer k is the output of k blocks, layer -1 that of the last one; LLaVA-1.5 reads layer -2.
    private static func blocksToRun(of layers: Int, _ model: HuggingFaceFolder) throws(HuggingFaceError) -> Int {
        let key = model.kind == .originalLlava ? "mm_vision_select_layer" : "vision_feature_layer"
        let named = try model.configuration.integers(key) ?? [-2]
        guard named.count == 1 else {
            throw model.configuration.fault(.unsupported("features of \(named.count) layers at once"))
        }
        let layer = named[0]
        guard (-layers...layers).contains(layer), layer != 0 else {
            throw model.configuration.absurd(key, "\(layer)", allowed: "from -\(layers) to \(layers), and not 0")
        }
        let blocks = layer < 0 ? layers + 1 + layer : layer
        return blocks
    }

    private static func refuseUnsupported(_ vision: HuggingFaceVision) throws(HuggingFaceError) {
        let configuration = vision.model.configuration
        let original = try configuration.string("mm_vision_select_feature") ?? "patch"
        let strategy = try configuration.string("vision_feature_select_strategy") ?? "default"
        guard original == "patch", strategy == "default" else {
            throw configuration.fault(.unsupported("the class token among the picture's features"))
        }
        if vision.hasTensor("v.patch_embd.bias") {
            throw HuggingFaceError(vision.tower.path, .unsupported("a bias in 'patch_embedding'"))
        }
    }
}

/// The sizes of a tower: from its configuration, or from its tensors where the original LLaVA keeps it among its own.
private struct HuggingFaceTowerSizes {
    let imageSize: Int
    let patchSize: Int
    let hidden: Int
    let layers: Int
    let heads: Int
    let feedForward: Int
    let epsilon: Float
    let useGELU: Bool

    init(_ vision: HuggingFaceVision) throws(HuggingFaceError) {
        if vision.tower.kind == .originalLlava {
            try self.init(tensorsOf: vision.tower)
        } else {
            let whole = vision.tower.configuration
            let isFlat = try whole.string("model_type") == "clip_vision_model"
            try self.init(isFlat ? whole : try whole.object("vision_config") ?? whole, of: vision.tower)
        }
    }

    private init(_ tower: HuggingFaceConfiguration, of folder: HuggingFaceFolder) throws(HuggingFaceError) {
        let type = try tower.string("model_type") ?? "clip_vision_model"
        guard type == "clip_vision_model" || type == "clip" || type == "llava" else {
            throw HuggingFaceError(folder.path, .unsupported("a vision tower of type '\(type)'"))
        }
        imageSize = try tower.count("image_size", in: 1...8_192)
        patchSize = try tower.count("patch_size", in: 1...imageSize)
        hidden = try tower.count("hidden_size", in: 1...65_536)
        layers = try tower.count("num_hidden_layers", in: 1...1_024)
        heads = try tower.count("num_attention_heads", in: 1...1_024)
        feedForward = try tower.count("intermediate_size", in: 1...1_048_576)
        epsilon = try tower.positive("layer_norm_eps", or: 1e-5)
        let activation = try tower.string("hidden_act") ?? "quick_gelu"
        guard ["quick_gelu", "gelu"].contains(activation) else {
            throw tower.fault(.unsupported("the activation '\(activation)' in the vision tower"))
        }
        useGELU = activation == "gelu"
        guard hidden % heads == 0 else {
            throw tower.absurd("num_attention_heads", "\(heads)", allowed: "a divisor of \(hidden)")
        }
    }

    /// OpenAI's CLIP, all of whose towers have heads of 64 and a quick GELU.
    private init(tensorsOf folder: HuggingFaceFolder) throws(HuggingFaceError) {
        let name = try folder.configuration.string("mm_vision_tower") ?? "clip"
        guard name.lowercased().contains("clip"), !name.lowercased().contains("siglip") else {
            throw HuggingFaceError(folder.path, .unsupported("the vision tower '\(name)'"))
        }
        let kernel = try folder.shape("v.patch_embd.weight")
        let places = try folder.folded("v.position_embd.weight")
        let side = Int(Double(max(0, places.rows - 1)).squareRoot())
        guard kernel.count == 4, kernel[1] == 3, kernel[2] == kernel[3], (1...8_192).contains(kernel[2]),
            (1...65_536).contains(kernel[0]), kernel[0] % 64 == 0, (1...8_192).contains(side)
        else {
            throw HuggingFaceError(
                folder.path, .wrongShape(tensor: "patch_embedding.weight", found: kernel, wanted: [1_024, 3, 14, 14]))
        }
        (patchSize, hidden, heads, imageSize) = (kernel[2], kernel[0], kernel[0] / 64, side * kernel[2])
        layers = (0..<1_024).first { !folder.hasTensor("v.blk.\($0).ln1.weight") } ?? 1_024
        feedForward = try folder.folded("v.blk.0.ffn_up.weight").rows
        (epsilon, useGELU) = (1e-5, false)
    }
}
