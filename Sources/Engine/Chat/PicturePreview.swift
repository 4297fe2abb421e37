// PicturePreview.swift — what a model sees of a picture, without running the model: `specchat inspect --image`.

import Foundation

/// A picture as a vision tower is shown it.
public struct PicturePreview: Sendable, Equatable {
    /// The squares that go through the tower, as large as its input. Of a tiled picture the first is the whole of it, and
    /// its tiles follow line by line.
    public let squares: [PixelImage]
    /// How many tiles lie side by side, and how many lines of them there are; 0 for a picture that is not tiled.
    public let columns: Int
    public let lines: Int
    /// Rows of the context that the picture takes.
    public let tokens: Int
    /// How it was brought to what the model sees, in words.
    public let sentence: String

    /// - Parameter bundle: the model; only its vision file is opened, and no weight is read.
    public init(of image: PixelImage, by bundle: ModelBundle) throws {
        guard let vision = bundle.vision else { throw ChatError.noVision(model: bundle.name) }
        let checkpoint = try VisionCheckpoint(path: vision.path, language: bundle.target.path)
        self.init(of: image, by: ImagePreprocessor(checkpoint.configuration, framing: bundle.preprocessing))
    }

    /// - Parameter path: a vision file.
    public init(of image: PixelImage, byVisionFile path: String) throws {
        self.init(of: image, by: ImagePreprocessor(try VisionCheckpoint(path: path).configuration, framing: nil))
    }

    init(of image: PixelImage, by preprocessor: ImagePreprocessor) {
        let layout = preprocessor.layout(width: image.width, height: image.height)
        squares = preprocessor.squares(of: image)
        (columns, lines) = layout.sheet.map { ($0.columns, $0.rows) } ?? (0, 0)
        tokens = layout.count
        let size = "\(preprocessor.size) × \(preprocessor.size)"
        sentence =
            if layout.sheet != nil {
                "the whole picture in \(size), then \(columns) × \(lines) tiles of \(size)"
            } else {
                switch preprocessor.framing {
                case .pad: "padded to a square with the mean colour, \(size)"
                case .crop: "the middle cut out, \(size)"
                }
            }
    }

    /// All squares as one picture: the whole, and beside it the tiles with a line between them.
    public var sheet: PixelImage {
        let side = squares[0].width
        guard columns > 0 else { return squares[0] }
        let width = side + Self.gap + columns * side + (columns - 1) * Self.line
        let height = lines * side + (lines - 1) * Self.line
        var pixels = [UInt8](repeating: Self.grey, count: width * height * 3)
        func lay(_ square: PixelImage, x: Int, y: Int) {
            for row in 0..<side {
                let to = ((y + row) * width + x) * 3
                pixels.replaceSubrange(to..<to + side * 3, with: square.pixels[row * side * 3..<(row + 1) * side * 3])
            }
        }
        lay(squares[0], x: 0, y: 0)
        for (index, tile) in squares.dropFirst().enumerated() {
            lay(
                tile, x: side + Self.gap + index % columns * (side + Self.line), y: index / columns * (side + Self.line)
            )
        }
        return PixelImage(width: width, height: height, pixels: pixels, source: squares[0].source)
    }

    private static let gap = 16
    private static let line = 2
    private static let grey: UInt8 = 128
}
