import Foundation
import Testing

@testable import Engine

/// The pictures that Goldens/README.md describes: files of Pillow's, read and resized by us.
@Suite struct `Picture goldens` {
    struct Resize: Decodable, CustomStringConvertible {
        let source: String
        let width: Int
        let height: Int
        let expected: String
        var description: String { expected }
    }

    struct Square: Decodable, CustomStringConvertible {
        let source: String
        let preprocessing: ImagePreprocessor.Framing
        let size: Int
        let expected: String
        var description: String { expected }
    }

    private static let folder = Golden.folder.appendingPathComponent("pictures")

    private static func list<Entry: Decodable>(_ name: String) throws -> [Entry] {
        try JSONDecoder().decode([Entry].self, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    private func read(_ name: String) throws -> PixelImage {
        try PixelImage.read(Self.folder.appendingPathComponent(name).path)
    }

    @Test(arguments: try list("resize.json") as [Resize])
    func `are resized to Pillow's bytes`(golden: Resize) throws {
        let resized = try read(golden.source).resized(width: golden.width, height: golden.height)
        #expect(resized.pixels == (try read(golden.expected).pixels))
    }

    @Test(arguments: try list("preprocess.json") as [Square])
    func `are made the square that CLIP's processor makes`(golden: Square) throws {
        let preprocessor = ImagePreprocessor(size: golden.size, patch: 14, framing: golden.preprocessing)
        let square = preprocessor.framed(try read(golden.source))
        #expect(square.pixels == (try read(golden.expected).pixels))
    }

    @Test(arguments: Golden.all, [ImagePreprocessor.Framing.pad, .crop])
    func `have transformers' pixel values`(name: String, framing: ImagePreprocessor.Framing) throws {
        let golden = try Golden(name)
        let expected = try golden.array("pixels.\(framing.rawValue)")
        let size = Int(Double(expected.count / 3).squareRoot())
        let image = try PixelImage.read(golden.path("picture.png"))
        let values = ImagePreprocessor(size: size, patch: 7, framing: framing).pixelValues(of: image)
        #expect(values.count == expected.count)
        let difference = zip(values, expected).map { abs($0 - $1) }.max() ?? 1
        #expect(difference <= 0.02 / 255)
    }
}
