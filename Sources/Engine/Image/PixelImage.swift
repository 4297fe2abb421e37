// PixelImage.swift — a picture as the engine and the screen see it: upright, opaque, RGB. Made by ImageDecoder.

/// A picture: upright, opaque, 8 bits each of red, green and blue.
public struct PixelImage: Sendable, Equatable {
    /// What is known of the file that a picture came from.
    public struct Source: Sendable, Equatable {
        /// The file's name without its folders, as the file system has it; it may hold control characters.
        public let name: String
        /// Size in pixels as decoded and turned upright, before any resizing.
        public let width: Int
        public let height: Int

        public init(name: String, width: Int, height: Int) {
            self.name = name
            self.width = width
            self.height = height
        }
    }

    /// Pixels; at least 1.
    public let width: Int
    public let height: Int
    /// Layout: [height, width, 3], row by row from the top, without padding.
    public let pixels: [UInt8]
    public let source: Source

    public init(width: Int, height: Int, pixels: [UInt8], source: Source) {
        precondition(width > 0 && height > 0, "PixelImage: a side of \(width)×\(height) is not positive")
        precondition(pixels.count == width * height * 3, "PixelImage: \(pixels.count) bytes for \(width)×\(height)")
        self.width = width
        self.height = height
        self.pixels = pixels
        self.source = source
    }

    /// Reads a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF file, whatever its name.
    ///
    /// EXIF orientation is applied and transparency flattened onto white. Truncated files are refused rather than
    /// shown in part: the answer would speak of grey pixels.
    /// A program that called `DecodeWorker.serve` at its start decodes in a child process, others in this one.
    public static func read(_ path: String) throws(ImageError) -> PixelImage {
        let file = try PictureFile(opening: path)
        if let executable = DecodeWorker.thisExecutable,
            let image = try DecodeWorker.decode(file, with: executable)
        {
            return image
        }
        return try ImageDecoder.decode(try file.bytes(), path: path)
    }

    /// The last part of `path`.
    static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The picture at another size, by the same antialiased bicubic filter that the model's input goes through.
    public func resized(width: Int, height: Int) -> PixelImage {
        precondition(width > 0 && height > 0, "resized: a side of \(width)×\(height) is not positive")
        if width == self.width && height == self.height { return self }
        let canvas = ImageCanvas(self)
        let pixels = ImageResampler.resize(
            canvas, width: width, height: height, window: ImageWindow(x: 0, y: 0, width: width, height: height))
        return PixelImage(width: width, height: height, pixels: pixels, source: source)
    }
}
