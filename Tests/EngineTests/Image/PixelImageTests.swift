import Foundation
import Testing

@testable import Engine

@Suite struct `Pixel image` {
    @Test(arguments: [
        "plain.png", "sixteen.png", "plain.bmp", "plain.tif", "lzw.tif", "lossless.webp", "animated.webp",
        "oriented-5.png", "oriented-6.png", "oriented-5.webp", "oriented-6.webp", "oriented-5.tif", "oriented-6.tif",
    ])
    func `of a lossless file holds its exact pixels, upright`(name: String) throws {
        let image = try PixelImage.read(ImageFixtures.path(name))
        #expect(image.width == ImageFixtures.width)
        #expect(image.height == ImageFixtures.height)
        #expect(image.pixels == ImageFixtures.scene)
        #expect(image.source == PixelImage.Source(name: name, width: 32, height: 20))
    }

    @Test(
        arguments: [
            ("plain.jpg", 12), ("progressive.jpg", 12), ("cmyk.jpg", 12), ("plain.gif", 8),
            ("animated.gif", 8), ("palette.png", 8),
        ] + (1...8).map { ("oriented-\($0).jpg", 12) })
    func `of a lossy file is close to what was drawn, upright`(name: String, tolerance: Int) throws {
        let image = try PixelImage.read(ImageFixtures.path(name))
        #expect(image.width == ImageFixtures.width)
        #expect(image.height == ImageFixtures.height)
        #expect(ImageFixtures.largestDifference(image.pixels, ImageFixtures.scene) <= tolerance)
    }

    @Test func `of a lossy WebP is close to what was drawn, but for colours along the edges`() throws {
        let image = try PixelImage.read(ImageFixtures.path("lossy.webp"))
        #expect(image.width == ImageFixtures.width)
        #expect(image.height == ImageFixtures.height)
        let differences = zip(image.pixels, ImageFixtures.scene).map { abs(Int($0) - Int($1)) }
        #expect(differences.filter { $0 > 12 }.count < differences.count / 5)
    }

    @Test(arguments: ["grey.jpg", "grey.png"])
    func `of a grey file has three equal channels`(name: String) throws {
        let image = try PixelImage.read(ImageFixtures.path(name))
        for pixel in 0..<image.width * image.height {
            let grey = image.pixels[pixel * 3]
            #expect(image.pixels[pixel * 3 + 1] == grey && image.pixels[pixel * 3 + 2] == grey)
        }
        // The luma weights of the first pixel of the scene, (200, 180, 20).
        #expect(abs(Int(image.pixels[0]) - 168) <= 2)
    }

    @Test(arguments: ["alpha.png", "alpha.webp"])
    func `of a transparent file lies on white, rounded as Pillow rounds`(name: String) throws {
        let image = try PixelImage.read(ImageFixtures.path(name))
        #expect(image.pixels == (try ImageFixtures.bytes("alpha.rgb")))
    }

    @Test func `of a palette file has the palette's colours`() throws {
        let image = try PixelImage.read(ImageFixtures.path("palette.png"))
        #expect(image.pixels == (try ImageFixtures.bytes("palette.rgb")))
    }

    @Test func `does not depend on the file's name`() throws {
        try ImageFixtures.withTemporaryFolder { folder in
            let path = folder.appending(path: "photo of \"us\" \u{1B}[31m.txt").path
            try Data(ImageFixtures.bytes("plain.png")).write(to: URL(filePath: path))
            #expect(try PixelImage.read(path).pixels == ImageFixtures.scene)
        }
    }

    @Test func `resized to its own size is itself`() throws {
        let image = try PixelImage.read(ImageFixtures.path("plain.png"))
        #expect(image.resized(width: 32, height: 20) == image)
    }
}
