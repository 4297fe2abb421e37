import Foundation
import Testing

@testable import Engine

/// What a folder's preprocessor_config.json and config.json ask for.
@Suite struct `Preparation of pictures` {
    /// A tower of 4 pixels in patches of 2, with these files; `preprocessor` is JSON.
    private static func configuration(
        _ preprocessor: String, _ change: (inout TinyFolder) -> Void = { _ in }
    ) throws -> VisionConfiguration {
        let scratch = try ScratchFolder()
        var tiny = TinyFolder()
        change(&tiny)
        try tiny.write(to: scratch)
        try Data(preprocessor.utf8).write(
            to: URL(filePath: scratch.path).appendingPathComponent("preprocessor_config.json"))
        return try VisionCheckpoint(path: scratch.path).configuration
    }

    private static func becomeTiled(_ tiny: inout TinyFolder) {
        tiny.set("llava_next", for: "model_type")
        tiny.set([[4, 8], [12, 4]], for: "image_grid_pinpoints")
        tiny.weights.add("image_newline", 8)
    }

    private static func message(_ preprocessor: String, _ change: (inout TinyFolder) -> Void = { _ in }) -> String {
        do {
            _ = try configuration(preprocessor, change)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func `follows size, crop, scale, mean and deviation`() throws {
        let found = try Self.configuration(
            #"{"size": {"shortest_edge": 5}, "crop_size": 4, "rescale_factor": 0.5, "image_mean": [1, 2, 3], "image_std": [4, 5, 6]}"#
        )
        #expect(found.shorterSide == 5 && found.pixelScale == 0.5)
        #expect(found.mean == [1, 2, 3] && found.standardDeviation == [4, 5, 6])
        let preprocessor = ImagePreprocessor(found, framing: nil)
        #expect(preprocessor.framing == .crop && preprocessor.shorterSide == 5 && preprocessor.size == 4)
        // Bytes 8 everywhere: 8 · 0.5 = 4, then each channel's own.
        let source = PixelImage.Source(name: "plain", width: 9, height: 5)
        let image = PixelImage(width: 9, height: 5, pixels: [UInt8](repeating: 8, count: 135), source: source)
        let values = preprocessor.pixelValues(of: image)
        #expect(Set(values) == [0.75, 0.4, Float(4 - 3) / 6])
    }

    @Test func `is CLIP's where nothing is said, and the bundle's word for framing comes first`() throws {
        let plain = try Self.configuration("{}")
        #expect(plain.shorterSide == nil && plain.pixelScale == 1.0 / 255.0 && plain.tiling == nil)
        #expect(plain.mean == ImagePreprocessor.clipMean)
        #expect(ImagePreprocessor(plain, framing: nil).framing == .crop)
        #expect(ImagePreprocessor(plain, framing: .pad).framing == .pad)
        let padded = try Self.configuration(#"{"do_pad": true, "do_normalize": false}"#)
        #expect(ImagePreprocessor(padded, framing: nil).framing == .pad)
        #expect(padded.mean == [0, 0, 0] && padded.standardDeviation == [1, 1, 1])
    }

    @Test func `in tiles is read with height before width`() throws {
        let tiled = try Self.configuration("{}", Self.becomeTiled)
        #expect(tiled.tiling?.sheets == [.init(columns: 2, rows: 1), .init(columns: 1, rows: 3)])
        #expect(tiled.tiling?.merge == .spatialUnpad && tiled.projector.hasLineEnd)
    }

    @Test func `that cannot be done is refused with the fact`() {
        #expect(Self.message(#"{"crop_size": {"height": 3, "width": 4}}"#).contains("'crop_size' is 3; it must be 4"))
        #expect(Self.message(#"{"size": {"shortest_edge": 3}}"#).contains("'size' is 3; it must be from 4 to 64"))
        #expect(Self.message(#"{"size": {"height": 4, "width": 4}}"#).contains("stretched to a square"))
        #expect(Self.message(#"{"resample": 2}"#).contains("the resampling filter 2"))
        #expect(Self.message(#"{"do_rescale": false}"#).contains("pictures without 'do_rescale'"))
        #expect(Self.message(#"{"rescale_factor": -1}"#).contains("'rescale_factor' is -1.0"))
        let ragged = Self.message("{}") {
            Self.becomeTiled(&$0)
            $0.set([[4, 6]], for: "image_grid_pinpoints")
        }
        #expect(ragged.contains("pairs of sides that are multiples of 4"))
        let missing = Self.message("{}") {
            Self.becomeTiled(&$0)
            $0.set(nil, for: "image_grid_pinpoints")
        }
        #expect(missing.contains("has no 'image_grid_pinpoints'"))
        let endless = Self.message("{}") {
            Self.becomeTiled(&$0)
            $0.weights.tensors.removeAll { $0.name == "image_newline" }
        }
        #expect(endless.contains("'image_newline'"))
        let lone = Self.message("{}") { $0.weights.add("image_newline", 8) }
        #expect(lone.contains("line ends in pictures prepared by 'square'"))
    }
}
