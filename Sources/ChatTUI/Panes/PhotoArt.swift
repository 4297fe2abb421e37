// PhotoArt.swift — a PixelImage as character cells, for terminals that cannot draw pixels. Pure; PhotoPane places it.

import Engine

/// A picture in cells, no larger than the box that it was made for and in its own proportions.
///
/// Making one resizes the picture, so keep it for as long as picture and box stay the same.
struct PhotoArt: Sendable, Equatable {
    struct Cell: Sendable, Equatable {
        let text: Character
        /// Entries 16...255 of the 256-colour palette; absent where the art has no colours.
        let foreground: UInt8?
        let background: UInt8?
    }

    let rows: Int
    let columns: Int
    /// Layout: [rows, columns].
    let cells: [Cell]

    subscript(row: Int, column: Int) -> Cell { cells[row * columns + column] }

    /// Half blocks: two pixels a cell, the upper one in the foreground of ▀ and the lower one behind it.
    ///
    /// The box is in cells; `cellWidth` and `cellHeight` say what shape a cell has, in any unit.
    init(halfBlocks image: PixelImage, rows: Int, columns: Int, cellWidth: Int = 1, cellHeight: Int = 2) {
        let fit = Self.fit(image, rows: rows, columns: columns, cellWidth: cellWidth, cellHeight: cellHeight)
        (self.rows, self.columns) = fit
        guard fit.rows > 0 else {
            cells = []
            return
        }
        let small = image.resized(width: fit.columns, height: fit.rows * 2)
        cells = (0..<fit.rows * fit.columns).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: fit.columns)
            return Cell(
                text: "▀", foreground: Palette256.nearest(to: small[column, row * 2]),
                background: Palette256.nearest(to: small[column, row * 2 + 1]))
        }
    }

    /// ASCII signs by brightness, light on dark: a rough hint of the picture where there are no colours.
    init(signs image: PixelImage, rows: Int, columns: Int, cellWidth: Int = 1, cellHeight: Int = 2) {
        let fit = Self.fit(image, rows: rows, columns: columns, cellWidth: cellWidth, cellHeight: cellHeight)
        (self.rows, self.columns) = fit
        guard fit.rows > 0 else {
            cells = []
            return
        }
        let small = image.resized(width: fit.columns, height: fit.rows)
        cells = (0..<fit.rows * fit.columns).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: fit.columns)
            let brightness = small[column, row].brightness
            return Cell(
                text: Self.signs[min(Self.signs.count - 1, brightness * Self.signs.count / 256)], foreground: nil,
                background: nil)
        }
    }

    /// Rows and columns of the largest picture in the box that keeps its proportions; 0×0 where there is no room.
    static func fit(
        _ image: PixelImage, rows: Int, columns: Int, cellWidth: Int, cellHeight: Int
    ) -> (rows: Int, columns: Int) {
        precondition(cellWidth > 0 && cellHeight > 0, "PhotoArt: a cell of \(cellWidth)×\(cellHeight)")
        guard rows > 0, columns > 0 else { return (0, 0) }
        let widthLimit = Double(columns * cellWidth) / Double(image.width)
        let heightLimit = Double(rows * cellHeight) / Double(image.height)
        let scale = min(widthLimit, heightLimit)
        let fitColumns = (Double(image.width) * scale / Double(cellWidth)).rounded()
        let fitRows = (Double(image.height) * scale / Double(cellHeight)).rounded()
        return (min(rows, max(1, Int(fitRows))), min(columns, max(1, Int(fitColumns))))
    }

    /// From dark to light, evenly inked in common fonts.
    private static let signs: [Character] = Array(" .:-=+*#%@")
}

/// One pixel's red, green and blue.
struct PixelColour: Sendable, Equatable {
    let red: Int
    let green: Int
    let blue: Int

    /// Luma 0...255 as television weighs it.
    var brightness: Int { (299 * red + 587 * green + 114 * blue) / 1000 }
}

extension PixelImage {
    fileprivate subscript(x: Int, y: Int) -> PixelColour {
        let at = (y * width + x) * 3
        return PixelColour(red: Int(pixels[at]), green: Int(pixels[at + 1]), blue: Int(pixels[at + 2]))
    }
}

/// The fixed part of the 256-colour palette: a 6×6×6 cube and 24 greys. Entries 0...15 are the user's own colours.
enum Palette256 {
    private static let levels = [0, 95, 135, 175, 215, 255]

    static func nearest(to colour: PixelColour) -> UInt8 {
        let (red, green, blue) = (level(colour.red), level(colour.green), level(colour.blue))
        let cube = PixelColour(red: levels[red], green: levels[green], blue: levels[blue])
        let step = max(0, min(23, (colour.brightness - 3) / 10))
        let grey = PixelColour(red: 8 + step * 10, green: 8 + step * 10, blue: 8 + step * 10)
        return distance(colour, cube) <= distance(colour, grey)
            ? UInt8(16 + 36 * red + 6 * green + blue) : UInt8(232 + step)
    }

    private static func level(_ value: Int) -> Int {
        levels.indices.min { abs(levels[$0] - value) < abs(levels[$1] - value) } ?? 0
    }

    /// Squared, weighted as the eye weighs the channels at this redness.
    private static func distance(_ a: PixelColour, _ b: PixelColour) -> Int {
        let redness = (a.red + b.red) / 2
        let (red, green, blue) = (a.red - b.red, a.green - b.green, a.blue - b.blue)
        return (512 + redness) * red * red + 1024 * green * green + (767 - redness) * blue * blue
    }
}
