// Golden.swift — a small random LLaVA with what transformers computes for it: Goldens/README.md says how it was made.

import Foundation
import Testing

@testable import Engine

/// One folder of `Goldens`.
struct Golden {
    struct Prompt: Decodable {
        let before: String?
        let after: String?
        let prompt: String?
        let idsBefore: [Int32]
        let idsAfter: [Int32]
        let positions: Int
        let logitsFirstPosition: Int
        let greedy: [Int32]
        let logprobs: [Double]
    }
    private struct Index: Decodable {
        struct Place: Decodable {
            let offset: Int
            let shape: [Int]
        }
        let preprocessing: String
        let picture: Prompt
        let text: Prompt
        let arrays: [String: Place]
    }

    static let all = ["grouped", "tied", "theta"]
    /// The same as Hugging Face folders.
    static let folders = ["saved", "published", "inner", "original"].map { "folders/\($0)" }
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens")

    let directory: URL
    let preprocessing: String
    let picture: Prompt
    let text: Prompt
    private let arrays: [String: Index.Place]
    private let numbers: [Float]

    init(_ name: String) throws {
        directory = Self.folder.appendingPathComponent(name)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let index = try decoder.decode(
            Index.self, from: Data(contentsOf: directory.appendingPathComponent("golden.json")))
        (preprocessing, picture, text, arrays) = (index.preprocessing, index.picture, index.text, index.arrays)
        let data = try Data(contentsOf: directory.appendingPathComponent("arrays.bin"))
        numbers = data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    private var isFolder: Bool { directory.deletingLastPathComponent().lastPathComponent == "folders" }
    /// Language model and vision model, in whichever format they are.
    var language: String { path(isFolder ? "model" : "language.gguf") }
    var vision: String { path(isFolder ? "model" : "vision.gguf") }

    func path(_ file: String) -> String { directory.appendingPathComponent(file).path }

    func array(_ name: String) throws -> [Float] {
        // The decoder's key strategy rewrites dictionary keys too: "visual_tokens" has become "visualTokens".
        let parts = name.split(separator: "_")
        let key = ([parts[0]] + parts.dropFirst().map { Substring($0.capitalized) }).joined()
        let place = try #require(arrays[key] ?? arrays[name])
        return Array(numbers[place.offset..<place.offset + place.shape.reduce(1, *)])
    }

    /// A bundle of this model's two files, with any of the others as drafts.
    func bundle(draft: String? = nil) throws -> ModelBundle {
        try ModelBundle.open(
            model: path("language.gguf"), mmproj: path("vision.gguf"),
            draft: draft.map { Self.folder.appendingPathComponent("\($0)/language.gguf").path } ?? "none",
            draftProjector: nil)
    }
}

/// The largest difference of two arrays as a share of the largest number of the second.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    let scale = b.map(abs).max() ?? 1
    return zip(a, b).map { abs($0 - $1) }.max().map { $0 / scale } ?? 0
}
