import Engine
import Foundation
import Testing

@testable import ChatTUI

@Suite struct `Sixel encoder` {
    private func plain(_ width: Int, _ height: Int, _ colour: [UInt8]) -> PixelImage {
        PixelImage(
            width: width, height: height, pixels: (0..<width * height).flatMap { _ in colour },
            source: PixelImage.Source(name: "plain", width: width, height: height))
    }

    @Test(arguments: [(1, 1, 1), (1, 6, 6), (20, 12, 12), (20, 13, 12), (7, 5, 5), (300, 200, 198)])
    func `writes one sequence of the picture's size in whole bands`(width: Int, height: Int, drawn: Int) throws {
        let text = String(decoding: try SixelEncoder.encode(plain(width, height, [200, 100, 0])), as: UTF8.self)
        #expect(text.hasPrefix("\u{1B}P"))
        #expect(text.hasSuffix("\u{1B}\\"))
        // Raster attributes: aspect 1:1, then width and height.
        #expect(text.contains("\"1;1;\(width);\(drawn)"))
        #expect(text.unicodeScalars.allSatisfy { $0.value < 0x80 })
    }

    @Test func `paints every pixel: one colour fills every band`() throws {
        let text = String(decoding: try SixelEncoder.encode(plain(10, 12, [255, 0, 0])), as: UTF8.self)
        #expect(text.contains(";2;100;0;0"))
        // Ten columns of six set pixels are !10~, in each of the two bands.
        #expect(text.components(separatedBy: "!10~").count == 3)
    }

    @Test(arguments: [[0, 0, 0], [255, 255, 255], [130, 60, 200]])
    func `keeps a plain colour within the palette's steps`(colour: [UInt8]) throws {
        let text = String(decoding: try SixelEncoder.encode(plain(6, 6, colour)), as: UTF8.self)
        let entry = try #require(text.firstMatch(of: /#0;2;([0-9]+);([0-9]+);([0-9]+)/)).output
        for (percent, wanted) in zip([entry.1, entry.2, entry.3], colour) {
            #expect(abs((Double(percent) ?? -1) - Double(wanted) / 2.55) <= 3.2)
        }
        if colour == [255, 255, 255] { #expect(entry.0 == "#0;2;100;100;100") }
    }

    @Test func `holds as many colours as the picture has`() throws {
        let pixels = (0..<64 * 60).flatMap { (index: Int) -> [UInt8] in
            [UInt8(index % 64 * 4), UInt8(index / 64 * 4), UInt8(index * 7 % 256)]
        }
        let image = PixelImage(
            width: 64, height: 60, pixels: pixels, source: PixelImage.Source(name: "many", width: 64, height: 60))
        let text = String(decoding: try SixelEncoder.encode(image), as: UTF8.self)
        let colours = text.matches(of: /#[0-9]+;2;/).count
        #expect((200...256).contains(colours))
    }

    @Test func `refuses what no terminal takes`() {
        #expect(throws: SixelError.tooLarge(width: 8193, height: 1)) {
            try SixelEncoder.encode(plain(8193, 1, [0, 0, 0]))
        }
    }

    @Test func `says what went wrong and what to do`() {
        let messages: [(SixelError, String)] = [
            (
                .tooLarge(width: 9000, height: 6),
                "A sixel picture of 9000×6 pixels is more than a terminal takes. "
                    + "Make the window smaller, or use --image-protocol blocks."
            ),
            (
                .failed(step: "colours", status: 0x1101),
                "libsixel could not draw the picture (colours, status 0x1101). Use --image-protocol blocks."
            ),
        ]
        for (error, message) in messages { #expect(error.description == message) }
    }
}
