// ImageFixtures.swift — the pictures of Fixtures/make_pictures.py, and the formulas that they were drawn with.

import Foundation

@testable import Engine

enum ImageFixtures {
    static let width = 32
    static let height = 20

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    static func path(_ name: String) -> String { folder.appending(path: "Pictures/\(name)").path }

    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

    static func goldens() throws -> PreprocessingGoldens {
        try JSONDecoder().decode(
            PreprocessingGoldens.self, from: Data(contentsOf: folder.appending(path: "preprocessing.json")))
    }

    /// Four quarters of different colours with a slow gradient.
    static let scene: [UInt8] = (0..<height).flatMap { y in
        (0..<width).flatMap { x in
            let right = x >= width / 2
            let lower = y >= height / 2
            return [(right ? 40 : 200) + x, (lower ? 30 : 180) + 2 * y, (right != lower ? 210 : 20) + x]
                .map { UInt8($0) }
        }
    }

    /// The same bytes as `noise` in make_pictures.py.
    static func noise(width: Int, height: Int, seed: UInt32) -> PixelImage {
        var state = seed
        let pixels = (0..<width * height * 3).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        return PixelImage(
            width: width, height: height, pixels: pixels,
            source: PixelImage.Source(name: "noise", width: width, height: height))
    }

    /// FNV-1a, 64 bits, as the goldens write it.
    static func hash(_ bytes: some Sequence<UInt8>) -> String {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    static func largestDifference(_ left: [UInt8], _ right: [UInt8]) -> Int {
        left.count == right.count ? zip(left, right).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 256
    }

    /// Runs `body` with a new empty folder that is removed afterwards.
    static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}

struct PreprocessingGoldens: Decodable {
    struct Resize: Decodable, CustomStringConvertible {
        let width, height: Int
        let seed: UInt32
        let toWidth, toHeight: Int
        let hash: String
        var description: String { "\(width)×\(height) to \(toWidth)×\(toHeight)" }
    }

    struct Frame: Decodable, CustomStringConvertible {
        let width, height: Int
        let seed: UInt32
        let size: Int
        let framing: ImagePreprocessor.Framing
        let hash: String
        var description: String { "\(framing) \(width)×\(height) to \(size)" }
    }

    let resizes: [Resize]
    let frames: [Frame]
}
