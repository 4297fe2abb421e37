// VisionConfiguration.swift — the sizes of a CLIP tower and of a projector, whatever the format. Read by Model.

/// Two linear layers with an exact GELU between them: `mm.0`, then `mm.2`.
struct ProjectorConfiguration: Sendable, Equatable {
    /// Width of the vision features.
    let inputs: Int
    let hidden: Int
    /// Width of the language model that it serves.
    let outputs: Int
    /// Whether it has learned a row for the end of a line of patches, as LLaVA-1.6 has.
    var hasLineEnd = false

    /// The tensor that holds this row.
    static let lineEnd = "model.image_newline"

    /// Every tensor that a projector of these sizes needs.
    var shapes: [TensorShape] {
        [
            TensorShape("mm.0.weight", hidden, inputs), TensorShape("mm.0.bias", 1, hidden),
            TensorShape("mm.2.weight", outputs, hidden), TensorShape("mm.2.bias", 1, outputs),
        ] + (hasLineEnd ? [TensorShape(Self.lineEnd, 1, outputs)] : [])
    }
}

/// A CLIP vision transformer. Each format reads its own keys: GGUFVisionConfiguration.swift and its like.
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
    /// How large pictures are cut into tiles; absent where every picture becomes one square.
    var tiling: PictureTiling?
    /// Side to which the shorter side of a picture is resized before its middle is cut out; absent: `imageSize`.
    var shorterSide: Int?
    /// What a byte is multiplied by before the mean is taken off.
    var pixelScale = 1.0 / 255.0
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

    /// Whether pictures that are not tiled lose their sides: the original LLaVA calls a middle that is cut out a square.
    var cutsOutMiddle: Bool { ["square", "crop"].contains(imageAspectRatio) }

    /// Every tensor that a tower of these sizes needs.
    var shapes: [TensorShape] {
        let beginning = [
            TensorShape("v.class_embd", 1, hidden),
            TensorShape("v.patch_embd.weight", hidden, 3 * patchSize * patchSize),
            TensorShape("v.position_embd.weight", patches + 1, hidden), TensorShape("v.pre_ln.weight", 1, hidden),
            TensorShape("v.pre_ln.bias", 1, hidden),
        ]
        return beginning + (0..<blocks).flatMap(shapes(ofBlock:))
    }

    private func shapes(ofBlock block: Int) -> [TensorShape] {
        let (first, second) = feedForwardNames(block: block)
        let norms = ["ln1", "ln2"].flatMap { part in
            ["weight", "bias"].map { TensorShape("v.blk.\(block).\(part).\($0)", 1, hidden) }
        }
        let products =
            ["attn_q", "attn_k", "attn_v", "attn_out"].map { ("v.blk.\(block).\($0)", hidden, hidden) }
            + [(first, feedForward, hidden), (second, hidden, feedForward)]
        return norms
            + products.flatMap { name, rows, columns in
                [TensorShape("\(name).weight", rows, columns), TensorShape("\(name).bias", 1, rows)]
            }
    }
}
