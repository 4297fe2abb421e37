import Foundation
import Testing

@testable import Engine

@Suite struct `Image preprocessor` {
    @Test(arguments: try ImageFixtures.goldens().resizes)
    func `resizes to the same bytes as Pillow`(golden: PreprocessingGoldens.Resize) {
        let picture = ImageFixtures.noise(width: golden.width, height: golden.height, seed: golden.seed)
        let resized = picture.resized(width: golden.toWidth, height: golden.toHeight)
        #expect(ImageFixtures.hash(resized.pixels) == golden.hash)
    }

    @Test(arguments: try ImageFixtures.goldens().frames)
    func `gives the same floats as transformers, bit for bit`(golden: PreprocessingGoldens.Frame) {
        let picture = ImageFixtures.noise(width: golden.width, height: golden.height, seed: golden.seed)
        let preprocessor = ImagePreprocessor(size: golden.size, patch: 14, framing: golden.framing)
        let values = preprocessor.pixelValues(of: picture)
        #expect(values.count == 3 * golden.size * golden.size)
        let bytes = values.lazy.flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
        }
        #expect(ImageFixtures.hash(bytes) == golden.hash)
    }

    @Test func `lays patches out as the patch convolution's weight`() {
        let picture = ImageFixtures.noise(width: 31, height: 23, seed: 5)
        // 30 is not a multiple of 7: four patches a side, and two columns and rows that no patch sees.
        let preprocessor = ImagePreprocessor(size: 30, patch: 7, framing: .pad)
        let values = preprocessor.pixelValues(of: picture)
        let patches = preprocessor.patches(of: picture)
        #expect(preprocessor.patchCount == 16)
        #expect(patches.count == 16 * 3 * 49)
        for patch in 0..<16 {
            for channel in 0..<3 {
                for y in 0..<7 {
                    for x in 0..<7 {
                        let value = values[channel * 900 + (patch / 4 * 7 + y) * 30 + patch % 4 * 7 + x]
                        #expect(patches[((patch * 3 + channel) * 7 + y) * 7 + x] == value)
                    }
                }
            }
        }
    }

    @Test func `pads with the mean colour, truncated`() {
        let white = PixelImage(
            width: 40, height: 10, pixels: [UInt8](repeating: 255, count: 1200),
            source: PixelImage.Source(name: "white", width: 40, height: 10))
        let square = ImagePreprocessor(size: 40, patch: 10, framing: .pad).framed(white)
        #expect(Array(square.pixels[0..<3]) == [122, 116, 104])
        #expect(Array(square.pixels[(14 * 40) * 3..<(14 * 40) * 3 + 3]) == [122, 116, 104])
        #expect(Array(square.pixels[(15 * 40) * 3..<(15 * 40) * 3 + 3]) == [255, 255, 255])
    }

    @Test(arguments: [ImagePreprocessor.Framing.pad, .crop], [(ImageLimits.side, 1), (1, ImageLimits.side)])
    func `takes the longest and thinnest picture without building it`(
        framing: ImagePreprocessor.Framing, shape: (Int, Int)
    ) {
        let line = PixelImage(
            width: shape.0, height: shape.1, pixels: [UInt8](repeating: 90, count: ImageLimits.side * 3),
            source: PixelImage.Source(name: "line", width: shape.0, height: shape.1))
        let square = ImagePreprocessor(size: 28, patch: 14, framing: framing).framed(line)
        #expect(square.pixels.count == 28 * 28 * 3)
        if framing == .crop { #expect(square.pixels.allSatisfy { $0 == 90 }) }
    }

    @Test(arguments: 1...20)
    func `never changes a picture of one colour`(step: Int) {
        let colour = [UInt8(step * 12), UInt8(255 - step * 12), UInt8(step)]
        let plain = PixelImage(
            width: step * 13, height: 7, pixels: (0..<step * 13 * 7).flatMap { _ in colour },
            source: PixelImage.Source(name: "plain", width: step * 13, height: 7))
        let resized = plain.resized(width: 10 + step, height: 11)
        for pixel in 0..<(10 + step) * 11 { #expect(Array(resized.pixels[pixel * 3..<pixel * 3 + 3]) == colour) }
    }
}
