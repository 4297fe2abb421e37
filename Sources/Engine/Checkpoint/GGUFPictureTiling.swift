// GGUFPictureTiling.swift — LLaVA-1.6's tiles from the keys of a GGUF vision file. Read by GGUFVisionConfiguration.

extension PictureTiling {
    /// How the file wants large pictures cut; nil where it wants none cut.
    ///
    /// - Parameter side: of the tower's input, in pixels.
    static func read(_ file: GGUF, side: Int) throws(GGUFError) -> PictureTiling? {
        let key = "clip.vision.image_grid_pinpoints"
        let aspectRatio = try file.string("clip.vision.image_aspect_ratio")
        let hasLineEnd = file.hasTensor(ProjectorConfiguration.lineEnd)
        // A word for another way comes first: some files carry the sizes all the same.
        guard aspectRatio ?? "anyres" == "anyres" else {
            guard !hasLineEnd else {
                let word = aspectRatio ?? ""
                throw file.fault(.unsupported("line ends in pictures that are brought to a square by '\(word)'"))
            }
            return nil
        }
        guard let numbers = try file.numbers(key), !numbers.isEmpty else {
            guard aspectRatio == nil, !hasLineEnd else { throw file.fault(.missingKey(key)) }
            return nil
        }
        guard let sizes = sheets(numbers, side: side) else {
            let shown = numbers.prefix(4).map { "\($0)" }.joined(separator: ", ") + (numbers.count > 4 ? ", …" : "")
            let allowed = "widths and heights that are multiples of \(side), up to \(mostTiles) tiles in each"
            throw file.fault(.absurdValue(key: key, value: shown, allowed: allowed))
        }
        return PictureTiling(sheets: sizes, merge: try merge(file, hasLineEnd: hasLineEnd))
    }

    private static func merge(_ file: GGUF, hasLineEnd: Bool) throws(GGUFError) -> Merge {
        guard let word = try file.string("clip.vision.mm_patch_merge_type") else {
            return hasLineEnd ? .spatialUnpad : .flat
        }
        guard let merge = Merge(rawValue: word) else {
            throw file.fault(.unsupported("tiles merged by '\(word)'"))
        }
        if merge == .spatialUnpad && !hasLineEnd { throw file.fault(.missingTensor(ProjectorConfiguration.lineEnd)) }
        return merge
    }

    /// Tiles of one picture at most: what any published model asks for, and a bound on what a file can make us compute.
    static let mostTiles = 64
    private static let mostSheets = 256

    /// Widths and heights in turn, in pixels; nil where one is no whole number of tiles.
    static func sheets(_ sizes: [Float], side: Int) -> [Sheet]? {
        guard sizes.count % 2 == 0, (2...2 * mostSheets).contains(sizes.count) else { return nil }
        var sheets: [Sheet] = []
        for pair in stride(from: 0, to: sizes.count, by: 2) {
            guard let width = Int(exactly: sizes[pair]), let height = Int(exactly: sizes[pair + 1]),
                width > 0, height > 0, width % side == 0, height % side == 0,
                width / side <= mostTiles, height / side <= mostTiles,
                width / side * (height / side) <= mostTiles
            else { return nil }
            sheets.append(Sheet(columns: width / side, rows: height / side))
        }
        return sheets
    }
}
