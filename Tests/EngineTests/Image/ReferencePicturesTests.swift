// ReferencePicturesTests.swift — pictures resized and framed as Pillow and CLIP's processor do: Goldens/pictures.

import Foundation
import Testing

@testable import Engine

private struct Resize: Decodable, Sendable {
    let source: String
    let width: Int
    let height: Int
    let expected: String
}

private struct Square: Decodable, Sendable {
    let source: String
    let preprocessing: ImagePreprocessor.Framing
    let size: Int
    let expected: String
}

private let folder = Golden.folder.appending(path: "pictures")

private func list<Element: Decodable>(_ name: String, of type: Element.Type) throws -> [Element] {
    try JSONDecoder().decode([Element].self, from: Data(contentsOf: folder.appending(path: name)))
}

private func picture(_ name: String) throws -> PixelImage {
    try PixelImage.read(folder.appending(path: name).path)
}

@Suite struct `Reference pictures` {
    @Test func `are resized to Pillow's bytes, from a single pixel to five hundred by three`() throws {
        let resizes = try list("resize.json", of: Resize.self)
        #expect(resizes.count >= 12)
        for resize in resizes {
            let resized = try picture(resize.source).resized(width: resize.width, height: resize.height)
            #expect(try resized.pixels == picture(resize.expected).pixels, "\(resize.expected)")
        }
    }

    @Test func `are padded and cropped to the bytes of CLIP's processor`() throws {
        let squares = try list("preprocess.json", of: Square.self)
        #expect(Set(squares.map(\.preprocessing)) == [.pad, .crop])
        for square in squares {
            let preprocessor = ImagePreprocessor(size: square.size, patch: 14, framing: square.preprocessing)
            let framed = try preprocessor.framed(picture(square.source))
            #expect(try framed.pixels == picture(square.expected).pixels, "\(square.expected)")
        }
    }
}
