// PictureTiling.swift — LLaVA-1.6's way with large pictures: the whole picture once, then tiles of it on a sheet. Read by
// ImagePreprocessor, which cuts the tiles, and by Model, which puts their rows in order.

/// How a picture is cut into squares as large as the vision tower's input, and how their rows are merged.
///
/// Source: LLaVA-1.6 (`anyres`), as transformers' LlavaNext does it.
public struct PictureTiling: Sendable, Equatable {
    /// What a picture may be laid on, measured in tiles.
    public struct Sheet: Sendable, Equatable {
        public let columns: Int
        public let rows: Int

        public init(columns: Int, rows: Int) {
            precondition(columns > 0 && rows > 0, "PictureTiling: a sheet of \(columns) × \(rows) tiles")
            self.columns = columns
            self.rows = rows
        }
    }

    /// The order of the rows, by the words of LLaVA's `mm_patch_merge_type`.
    public enum Merge: String, Sendable, Equatable {
        /// Tile after tile.
        case flat
        /// Line by line over the whole sheet.
        case spatial
        /// Line by line over the part of the sheet that the picture covers, each line with a learned row at its end.
        case spatialUnpad = "spatial_unpad"
    }

    /// Where two serve a picture equally well, the first is taken.
    public let sheets: [Sheet]
    public let merge: Merge

    public init(sheets: [Sheet], merge: Merge) {
        precondition(!sheets.isEmpty, "PictureTiling: no sheets")
        self.sheets = sheets
        self.merge = merge
    }

    /// The sheet on which most of a picture's pixels remain; among equals the one that wastes least.
    ///
    /// - Parameter side: of a tile, in pixels.
    func sheet(width: Int, height: Int, side: Int) -> Sheet {
        var best: (sheet: Sheet, kept: Int, wasted: Int)?
        for sheet in sheets {
            let (wide, high) = (sheet.columns * side, sheet.rows * side)
            let scale = min(Double(wide) / Double(width), Double(high) / Double(height))
            let kept = min(Int(Double(width) * scale) * Int(Double(height) * scale), width * height)
            let wasted = wide * high - kept
            // A picture so thin that nothing of it would remain still needs a sheet: the smallest.
            if let best, kept < best.kept || (kept == best.kept && wasted >= best.wasted) { continue }
            best = (sheet, kept, wasted)
        }
        return best?.sheet ?? sheets[0]
    }

    /// A picture's size on a sheet: as large as fits, in its own proportions, the shorter side rounded up.
    func size(width: Int, height: Int, on sheet: Sheet, side: Int) -> (width: Int, height: Int) {
        let (wide, high) = (sheet.columns * side, sheet.rows * side)
        let (across, down) = (Double(wide) / Double(width), Double(high) / Double(height))
        if across < down { return (wide, min(Int((Double(height) * across).rounded(.up)), high)) }
        return (min(Int((Double(width) * down).rounded(.up)), wide), high)
    }

    /// The rows of a picture.
    ///
    /// - Parameters:
    ///   - side: of a tile, in pixels.
    ///   - patches: along one side of a tile.
    func layout(width: Int, height: Int, side: Int, patches: Int) -> PictureLayout {
        let sheet = sheet(width: width, height: height, side: side)
        let whole = patches * patches
        var order: [Int?] = (0..<whole).map { $0 }
        guard merge != .flat else {
            order += (whole..<whole * (1 + sheet.columns * sheet.rows)).map { $0 }
            return PictureLayout(sheet: sheet, order: order)
        }
        let (lines, columns) =
            merge == .spatial
            ? (0..<sheet.rows * patches, 0..<sheet.columns * patches)
            : Self.covered(width: width, height: height, columns: sheet.columns * patches, rows: sheet.rows * patches)
        for line in lines {
            for column in columns {
                let tile = 1 + line / patches * sheet.columns + column / patches
                order.append(tile * whole + line % patches * patches + column % patches)
            }
            if merge == .spatialUnpad { order.append(nil) }
        }
        return PictureLayout(sheet: sheet, order: order)
    }

    /// The lines and columns of patches that a picture covers in the middle of a sheet of so many.
    private static func covered(width: Int, height: Int, columns: Int, rows: Int) -> (Range<Int>, Range<Int>) {
        // As transformers rounds, so that 23.99999999 is 24 patches and not 23.
        func whole(_ value: Double) -> Int { Int((value * 1e7).rounded(.toNearestOrEven) / 1e7) }
        if Double(width) / Double(height) > Double(columns) / Double(rows) {
            let padding = (rows - whole(Double(height) * (Double(columns) / Double(width)))) / 2
            return (padding..<rows - padding, 0..<columns)
        }
        let padding = (columns - whole(Double(width) * (Double(rows) / Double(height)))) / 2
        return (0..<rows, padding..<columns - padding)
    }
}

/// Where the rows that a language model reads of one picture come from.
struct PictureLayout: Sendable, Equatable {
    /// What the tiles lie on that follow the whole picture; absent where the picture is one square and nothing else.
    let sheet: PictureTiling.Sheet?
    /// For each row its place among the patches of all squares, one square after the other; absent at the end of a line.
    let order: [Int?]

    /// Rows of the text that the picture takes.
    var count: Int { order.count }
    /// Squares that go through the tower.
    var squares: Int { 1 + (sheet.map { $0.columns * $0.rows } ?? 0) }
    /// Rows at which a line ends.
    var lineEnds: [Int] { order.indices.filter { order[$0] == nil } }
}
