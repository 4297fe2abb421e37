// HuggingFacePictures.swift — how pictures are to be prepared, by a Hugging Face folder's files. Read by
// HuggingFaceVisionConfiguration.

/// preprocessor_config.json, or the part of processor_config.json that has taken its place; CLIP's own numbers where
/// neither is there. The original LLaVA and LLaVA-1.6 say more in config.json.
struct HuggingFacePictures {
    let mean: [Float]
    let standardDeviation: [Float]
    /// In LLaVA's words: "pad", "anyres", or "square" for a middle that is cut out.
    let aspectRatio: String
    let tiling: PictureTiling?
    /// Side to which a picture's shorter side is resized before its middle is cut out; absent: the tower's own.
    let shorterSide: Int?
    /// What a byte is multiplied by.
    let scale: Double

    init(_ vision: HuggingFaceVision, imageSize: Int) throws(HuggingFaceError) {
        let ofTower = try Self.document(vision.tower)
        let found = try Self.document(vision.model) ?? ofTower
        let isNormalised = try found?.bool("do_normalize") ?? true
        let means = try Self.channels("image_mean", found, or: [0.48145466, 0.4578275, 0.40821073]) { $0.isFinite }
        let deviations = try Self.channels("image_std", found, or: [0.26862954, 0.26130258, 0.27577711]) {
            $0.isFinite && $0 > 0
        }
        mean = isNormalised ? means : [0, 0, 0]
        standardDeviation = isNormalised ? deviations : [1, 1, 1]
        let configuration = vision.model.configuration
        if vision.model.kind == .originalLlava {
            aspectRatio = try configuration.string("image_aspect_ratio") ?? "square"
        } else if try configuration.string("model_type") == "llava_next" {
            aspectRatio = "anyres"
        } else {
            aspectRatio = try found?.bool("do_pad") ?? false ? "pad" : "square"
        }
        guard ["anyres", "pad", "square"].contains(aspectRatio) else {
            throw configuration.fault(.unsupported("pictures prepared by '\(aspectRatio)'"))
        }
        tiling = aspectRatio == "anyres" ? try PictureTiling.read(vision, found, side: imageSize) : nil
        if tiling?.merge != .spatialUnpad, vision.hasTensor(ProjectorConfiguration.lineEnd) {
            throw configuration.fault(.unsupported("line ends in pictures prepared by '\(aspectRatio)'"))
        }
        (shorterSide, scale) = try Self.sizes(found, aspectRatio: aspectRatio, imageSize: imageSize)
    }

    private static func document(_ folder: HuggingFaceFolder) throws(HuggingFaceError) -> HuggingFaceConfiguration? {
        if let found = try folder.document("preprocessor_config.json") { return found }
        return try folder.document("processor_config.json")?.object("image_processor")
    }

    private static func sizes(
        _ found: HuggingFaceConfiguration?, aspectRatio: String, imageSize: Int
    ) throws(HuggingFaceError) -> (shorterSide: Int?, scale: Double) {
        guard let found else { return (nil, 1.0 / 255.0) }
        for step in ["do_resize", "do_center_crop", "do_rescale"] {
            guard try found.bool(step) ?? true else { throw found.fault(.unsupported("pictures without '\(step)'")) }
        }
        let filter = try found.count("resample", in: 0...5, or: 3)
        guard filter == 3 else { throw found.fault(.unsupported("the resampling filter \(filter)")) }
        for side in ["height", "width"] {
            guard let crop = try found.side("crop_size", side) else { continue }
            guard crop == imageSize else {
                throw found.absurd("crop_size", "\(crop)", allowed: "\(imageSize), which the vision tower reads")
            }
        }
        let scale = try found.number("rescale_factor") ?? 1.0 / 255.0
        guard scale.isFinite, scale > 0 else {
            throw found.absurd("rescale_factor", "\(scale)", allowed: "a number above 0")
        }
        guard let shorter = try found.side("size", "shortest_edge") else {
            // Both sides given: the picture is stretched, which a square picture does not notice.
            guard aspectRatio != "square" || found["size"] == nil else {
                throw found.fault(.unsupported("pictures that are stretched to a square"))
            }
            return (nil, scale)
        }
        guard (imageSize...16 * imageSize).contains(shorter) else {
            throw found.absurd("size", "\(shorter)", allowed: "from \(imageSize) to \(16 * imageSize)")
        }
        return (shorter == imageSize ? nil : shorter, scale)
    }

    private static func channels(
        _ key: String, _ file: HuggingFaceConfiguration?, or fallback: [Float], _ isAllowed: (Float) -> Bool
    ) throws(HuggingFaceError) -> [Float] {
        guard let file, let values = try file.numbers(key)?.map({ Float($0) }) else { return fallback }
        guard values.count == 3, values.allSatisfy(isAllowed) else {
            let shown = values.prefix(4).map { "\($0)" }.joined(separator: ", ")
            throw file.absurd(key, shown, allowed: "one sensible number for each of three colours")
        }
        return values
    }
}

extension HuggingFaceConfiguration {
    /// One side of a size, which is an object of sides or one number for all.
    fileprivate func side(_ key: String, _ side: String) throws(HuggingFaceError) -> Int? {
        if self[key]?.number != nil { return try count(key, in: 1...131_072) }
        guard let sides = try object(key), sides[side] != nil else { return nil }
        return try sides.count(side, in: 1...131_072)
    }
}

extension PictureTiling {
    /// LLaVA-1.6's tiles: the sizes of config.json, or of the preprocessor beside it.
    fileprivate static func read(
        _ vision: HuggingFaceVision, _ preprocessor: HuggingFaceConfiguration?, side: Int
    ) throws(HuggingFaceError) -> PictureTiling {
        let key = "image_grid_pinpoints"
        let configuration = vision.model.configuration
        let isOriginal = vision.model.kind == .originalLlava
        guard let value = configuration[key] ?? preprocessor?[key] else {
            throw configuration.fault(.missingKey(key))
        }
        let pairs = (value.list ?? []).map { pair in (pair.list ?? []).compactMap(\.number).map { Float($0) } }
        // transformers says height before width, the original LLaVA width before height.
        let sizes = pairs.flatMap { isOriginal ? $0 : $0.reversed() }
        guard pairs.allSatisfy({ $0.count == 2 }), let sheets = sheets(sizes, side: side) else {
            let allowed = "pairs of sides that are multiples of \(side), up to \(mostTiles) tiles in each"
            throw configuration.absurd(key, "\(pairs.count) entries", allowed: allowed)
        }
        let word = isOriginal ? try configuration.string("mm_patch_merge_type") ?? "flat" : Merge.spatialUnpad.rawValue
        guard let merge = Merge(rawValue: word) else {
            throw configuration.fault(.unsupported("tiles merged by '\(word)'"))
        }
        if merge == .spatialUnpad, !vision.hasTensor(ProjectorConfiguration.lineEnd) {
            throw configuration.fault(.missingTensor("image_newline"))
        }
        return PictureTiling(sheets: sheets, merge: merge)
    }
}
