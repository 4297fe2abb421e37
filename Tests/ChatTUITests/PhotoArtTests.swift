import Engine
import Testing

@testable import ChatTUI

/// A picture drawn by a formula of x and y.
private func picture(
    _ width: Int, _ height: Int, _ colour: (Int, Int) -> (Int, Int, Int)
) -> PixelImage {
    let pixels = (0..<width * height).flatMap { index in
        let (red, green, blue) = colour(index % width, index / width)
        return [UInt8(red), UInt8(green), UInt8(blue)]
    }
    return PixelImage(
        width: width, height: height, pixels: pixels,
        source: PixelImage.Source(name: "drawn", width: width, height: height))
}

@Suite struct `Photo art` {
    @Test(arguments: [
        (100, 100, 10, 40, 10, 20), (400, 100, 10, 40, 5, 40), (100, 400, 10, 40, 10, 5), (30000, 1, 10, 40, 1, 40),
        (1, 30000, 10, 40, 10, 1), (3, 2, 10, 40, 10, 30), (100, 100, 1, 1, 1, 1), (100, 100, 0, 9, 0, 0),
    ])
    func `fits its box and keeps its proportions`(
        width: Int, height: Int, rows: Int, columns: Int, fitRows: Int, fitColumns: Int
    ) {
        let art = PhotoArt(halfBlocks: picture(width, height) { _, _ in (9, 9, 9) }, rows: rows, columns: columns)
        #expect(art.rows == fitRows)
        #expect(art.columns == fitColumns)
        #expect(art.cells.count == fitRows * fitColumns)
    }

    @Test func `takes the shape of the terminal's cells into account`() {
        let square = picture(60, 60) { _, _ in (9, 9, 9) }
        let art = PhotoArt(halfBlocks: square, rows: 10, columns: 40, cellWidth: 10, cellHeight: 10)
        #expect(art.rows == 10)
        #expect(art.columns == 10)
    }

    @Test func `has the upper pixel before the lower one in every cell`() {
        let stripes = picture(4, 4) { x, y in y % 2 == 0 ? (255, 0, 0) : (0, 0, x < 2 ? 255 : 0) }
        let art = PhotoArt(halfBlocks: stripes, rows: 2, columns: 4)
        for row in 0..<2 {
            #expect(art[row, 0] == PhotoArt.Cell(text: "▀", foreground: 196, background: 21))
            #expect(art[row, 3] == PhotoArt.Cell(text: "▀", foreground: 196, background: 16))
        }
    }

    @Test func `without colours goes from dark to light`() {
        let ramp = picture(10, 2) { x, _ in (x * 28, x * 28, x * 28) }
        let art = PhotoArt(signs: ramp, rows: 1, columns: 10)
        #expect(String(art.cells.map(\.text)) == " .:-=+*#%@")
        #expect(art.cells.allSatisfy { $0.foreground == nil && $0.background == nil })
    }
}

@Suite struct `Palette of 256` {
    @Test func `maps each of its own colours to itself, or to its equal`() {
        let levels = [0, 95, 135, 175, 215, 255]
        for red in 0..<6 {
            for green in 0..<6 {
                for blue in 0..<6 {
                    let colour = PixelColour(red: levels[red], green: levels[green], blue: levels[blue])
                    #expect(Palette256.nearest(to: colour) == UInt8(16 + 36 * red + 6 * green + blue))
                }
            }
        }
        for step in 0..<24 {
            let value = 8 + 10 * step
            let entry = Palette256.nearest(to: PixelColour(red: value, green: value, blue: value))
            #expect(entry == UInt8(232 + step))
        }
    }

    @Test func `keeps greys grey and near colours near`() {
        #expect(Palette256.nearest(to: PixelColour(red: 0, green: 0, blue: 0)) == 16)
        #expect(Palette256.nearest(to: PixelColour(red: 255, green: 255, blue: 255)) == 231)
        #expect(Palette256.nearest(to: PixelColour(red: 52, green: 50, blue: 49)) == 236)
        #expect(Palette256.nearest(to: PixelColour(red: 250, green: 130, blue: 10)) == 208)
    }
}
