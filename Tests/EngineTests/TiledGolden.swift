// TiledGolden.swift — a small random LLaVA-1.6 with what transformers computes for it: Goldens/README.md says how it was made.

import Foundation
import Testing

@testable import Engine

/// `Goldens/anyres`: a small random LLaVA-1.6 and what transformers makes of pictures of twenty sizes.
struct TiledGolden: Decodable {
    struct Picture: Decodable {
        let width: Int
        let height: Int
        let squares: Int
        let sha256: String
        let tokens: Int
        let rows: [Int]
        let tokensOfTrueSize: Int

        var name: String { "\(width)x\(height)" }
    }
    struct Prompt: Decodable {
        let size: [Int]
        let before: [Int32]
        let after: [Int32]
    }
    private struct Place: Decodable {
        let offset: Int
        let shape: [Int]
    }
    private enum CodingKeys: String, CodingKey { case pictures, prompt, arrays }

    static let folder = Golden.folder.appendingPathComponent("anyres")

    let pictures: [Picture]
    let prompt: Prompt
    private let arrays: [String: Place]
    private let numbers: [Float]

    static func open() throws -> TiledGolden {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            TiledGolden.self, from: Data(contentsOf: folder.appendingPathComponent("golden.json")))
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        pictures = try values.decode([Picture].self, forKey: .pictures)
        prompt = try values.decode(Prompt.self, forKey: .prompt)
        arrays = try values.decode([String: Place].self, forKey: .arrays)
        let data = try Data(contentsOf: Self.folder.appendingPathComponent("arrays.bin"))
        numbers = data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    func array(_ name: String) throws -> [Float] {
        let place = try #require(arrays[name])
        return Array(numbers[place.offset..<place.offset + place.shape.reduce(1, *)])
    }

    static func path(_ file: String) -> String { folder.appendingPathComponent(file).path }

    /// The model alone, or with itself as a draft that sees the picture.
    static func bundle(isDrafting: Bool = false) throws -> ModelBundle {
        try ModelBundle.open(
            model: path("language.gguf"), mmproj: path("vision.gguf"),
            draft: isDrafting ? path("language.gguf") : "none", draftProjector: isDrafting ? path("vision.gguf") : nil)
    }

    static func engine(
        context: Int = 1024, isDrafting: Bool = false, pictures: PictureCacheOptions? = nil
    ) throws -> ChatEngine {
        var options = EngineOptions()
        (options.threads, options.contextLength, options.pictureCache) = (1, context, pictures)
        return ChatEngine(bundle: try bundle(isDrafting: isDrafting), options: options)
    }

    /// The formula of the script that made the reference data.
    static func pattern(width: Int, height: Int) -> PixelImage {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                for colour in 0..<3 {
                    let slope = x * (3 + colour) + y * (5 - colour) + colour * 40
                    let value = slope + (x / 11 + y / 7) % 2 * 90 + x * y / 64
                    pixels.append(UInt8(value % 256))
                }
            }
        }
        let source = PixelImage.Source(name: "pattern", width: width, height: height)
        return PixelImage(width: width, height: height, pixels: pixels, source: source)
    }
}
