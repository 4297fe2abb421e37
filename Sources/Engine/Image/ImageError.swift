// ImageError.swift — why a picture file could not become a PixelImage. Thrown by everything in this folder.

/// Why a picture could not be read; every message says what, where, and what to do.
///
/// Paths are shown with control characters escaped, so that a file's name cannot write to the terminal.
public enum ImageError: Error, Sendable, Equatable, Codable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    case notAFile(path: String, kind: String)
    case empty(path: String)
    case fileTooLarge(path: String, bytes: Int, limit: Int)
    case notAPicture(path: String, beginsWith: String)
    case noDecoder(path: String, format: String, package: String)
    case tooManyPixels(path: String, width: Int, height: Int)
    case truncated(path: String, format: String)
    case damaged(path: String, format: String, detail: String)
    case outOfMemory(path: String)
    case tookTooLong(path: String, seconds: Int)
    case decoderDied(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "Cannot open \(Self.printable(path)): \(reason). Check the path and its permissions."
        case .cannotRead(let path, let reason):
            "Cannot read \(Self.printable(path)): \(reason). Copy the file to a local disk and try again."
        case .notAFile(let path, let kind):
            "\(Self.printable(path)) is \(kind), not a picture file. Name one picture, such as photo.jpg."
        case .empty(let path):
            "\(Self.printable(path)) is empty (0 bytes). Save or download the picture again."
        case .fileTooLarge(let path, let bytes, let limit):
            """
            \(Self.printable(path)) has \(bytes / 1_000_000) MB; a picture may have \(limit / 1_000_000) MB. \
            Save a smaller copy: the model looks at a few hundred pixels a side.
            """
        case .notAPicture(let path, let beginsWith):
            """
            \(Self.printable(path)) is not a picture: it begins with \(beginsWith). \
            JPEG, PNG, WebP, GIF, BMP and TIFF files can be read, whatever their names.
            """
        case .noDecoder(let path, let format, let package):
            "\(Self.printable(path)) is \(format), which needs the package \(package). Install it, or save a JPEG."
        case .tooManyPixels(let path, let width, let height):
            """
            \(Self.printable(path)) says it is \(width)×\(height) pixels; \
            the limits are \(ImageLimits.pixels / 1_000_000) million pixels and \(ImageLimits.side) a side. \
            Save a smaller copy.
            """
        case .truncated(let path, let format):
            "\(Self.printable(path)) is a \(format) file whose end is missing. Copy or download it again."
        case .damaged(let path, let format, let detail):
            """
            \(Self.printable(path)) is a damaged \(format) file (\(Self.printable(detail))). \
            Open it in a picture editor and save it again.
            """
        case .outOfMemory(let path):
            "Not enough memory to decode \(Self.printable(path)). Save a smaller copy."
        case .tookTooLong(let path, let seconds):
            "Decoding \(Self.printable(path)) took longer than \(seconds) seconds and was stopped. Save a smaller copy."
        case .decoderDied(let path, let reason):
            """
            The decoder of \(Self.printable(path)) stopped (\(Self.printable(reason))): \
            the file is damaged or needs too much memory. Open it in a picture editor and save it again.
            """
        }
    }

    /// `text` with control characters, and those that reorder text, written as `\u{…}`.
    private static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// What a picture may cost before it is refused.
enum ImageLimits {
    static let fileBytes = 50_000_000
    static let pixels = 200_000_000
    static let side = 30_000

    static func allow(width: Int, height: Int, pixels: Int = pixels) -> Bool {
        width > 0 && height > 0 && width <= side && height <= side && width * height <= pixels
    }
}
