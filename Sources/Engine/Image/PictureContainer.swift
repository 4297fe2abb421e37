// PictureContainer.swift — what a picture file's own framing says: its format, whether its end is there, which way
// is up. The decoder's library is silent about most missing ends and shows half a picture.

/// A file format, told by its first bytes; a name's extension is never asked.
enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    case gif = "GIF"
    case bmp = "BMP"
    case tiff = "TIFF"
    case heif = "HEIF"
    case avif = "AVIF"

    init?(_ bytes: [UInt8]) {
        func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
            text.withUTF8Buffer { offset + $0.count <= bytes.count && bytes[offset...].starts(with: $0) }
        }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if begins("RIFF") && begins("WEBP", at: 8) {
            self = .webp
        } else if begins("GIF87a") || begins("GIF89a") {
            self = .gif
        } else if bytes.starts(with: [0x49, 0x49, 0x2A, 0x00]) || bytes.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
            self = .tiff
        } else if begins("BM") && bytes.count >= 26 {
            self = .bmp
        } else if begins("ftypavi", at: 4) {
            self = .avif
        } else if begins("ftyphei", at: 4) || begins("ftypmif1", at: 4) || begins("ftyphev", at: 4) {
            self = .heif
        } else {
            return nil
        }
    }

    /// The name by which the decoder's library knows it.
    var mimeType: String { "image/" + rawValue.lowercased() }

    /// The Debian package that decodes it.
    var package: String {
        switch self {
        case .webp: "webp-pixbuf-loader"
        case .heif, .avif: "heif-gdk-pixbuf"
        case .jpeg, .png, .gif, .bmp, .tiff: "libgdk-pixbuf-2.0-0"
        }
    }
}

/// The facts that a file's framing gives without decoding.
struct PictureContainer: Sendable, Equatable {
    /// False when the format says where its end is and the file stops before it.
    private(set) var isComplete = true
    /// EXIF orientation 1...8 where the decoder's library would not look for it (PNG and WebP).
    private(set) var orientation: Int?
    /// Canvas in pixels where the decoder's library would allocate before it can be asked (WebP); absent there when
    /// the file does not begin with a picture, which the library may yet take for one of any size.
    private(set) var size: (width: Int, height: Int)?

    static func == (left: PictureContainer, right: PictureContainer) -> Bool {
        left.isComplete == right.isComplete && left.orientation == right.orientation
            && left.size?.width == right.size?.width && left.size?.height == right.size?.height
    }

    init(_ bytes: [UInt8], format: PictureFormat) {
        switch format {
        case .jpeg: isComplete = Self.jpegReachesItsEnd(bytes)
        case .png: readPNG(bytes)
        case .webp: readWebP(bytes)
        case .bmp: isComplete = Self.bmpHoldsItsRows(bytes)
        case .gif: isComplete = Self.gifReachesAnEnd(bytes)
        case .tiff, .heif, .avif: break  // the library reports a missing end by itself
        }
    }

    /// Walks markers and entropy-coded data to the EOI marker; a thumbnail's EOI inside a segment does not count.
    private static func jpegReachesItsEnd(_ bytes: [UInt8]) -> Bool {
        var at = 2
        while at + 1 < bytes.count {
            guard bytes[at] == 0xFF else {
                at += 1  // entropy-coded data, or rubbish that the decoder will skip or refuse
                continue
            }
            switch bytes[at + 1] {
            case 0xD9: return true
            case 0xFF: at += 1
            case 0x00, 0x01, 0xD0...0xD8: at += 2
            default:
                guard at + 3 < bytes.count else { return false }
                at += 2 + max(2, Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]))
            }
        }
        return false
    }

    /// Walks frames and extensions to the trailer; a missing trailer after a whole frame is no loss.
    private static func gifReachesAnEnd(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 13 else { return false }
        func palette(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }
        var at = 13 + palette(bytes[10])
        var hasFrame = false
        while at < bytes.count {
            switch bytes[at] {
            case 0x21: at += 2
            case 0x2C where at + 9 < bytes.count:
                at += 11 + palette(bytes[at + 9])
                hasFrame = true
            case 0x3B: return true
            default: return at + 9 < bytes.count  // rubbish is the decoder's to judge
            }
            while at < bytes.count, bytes[at] != 0 { at += 1 + Int(bytes[at]) }
            guard at < bytes.count else { return false }
            at += 1
        }
        return hasFrame && at == bytes.count
    }

    private mutating func readPNG(_ bytes: [UInt8]) {
        var at = 8
        isComplete = false
        while let length = bytes.bigEndian32(at: at), at + 12 + length <= bytes.count {
            let name = bytes[at + 4..<at + 8]
            if name.elementsEqual("eXIf".utf8) {
                orientation = Self.exifOrientation(bytes[at + 8..<at + 8 + length])
            }
            if name.elementsEqual("IEND".utf8) {
                isComplete = true
                return
            }
            at += 12 + length
        }
    }

    private mutating func readWebP(_ bytes: [UInt8]) {
        guard let riff = bytes.littleEndian32(at: 4), riff + 8 <= bytes.count else {
            isComplete = false
            return
        }
        var at = 12
        while let length = bytes.littleEndian32(at: at + 4), at + 8 + length <= bytes.count {
            let name = bytes[at..<at + 4]
            let body = bytes[at + 8..<at + 8 + length]
            if name.elementsEqual("EXIF".utf8) {
                orientation = Self.exifOrientation(body)
            } else if at == 12 {
                size = Self.webpSize(name, body)
            }
            at += 8 + length + length & 1
        }
    }

    private static func webpSize(_ name: ArraySlice<UInt8>, _ body: ArraySlice<UInt8>) -> (width: Int, height: Int)? {
        guard body.count >= 10 else { return nil }
        let b = body.prefix(10).map(Int.init)
        if name.elementsEqual("VP8X".utf8) {
            return (1 + (b[4] | b[5] << 8 | b[6] << 16), 1 + (b[7] | b[8] << 8 | b[9] << 16))
        }
        if name.elementsEqual("VP8L".utf8) {
            return (1 + ((b[1] | b[2] << 8) & 0x3FFF), 1 + ((b[2] >> 6 | b[3] << 2 | b[4] << 10) & 0x3FFF))
        }
        if name.elementsEqual("VP8 ".utf8) {
            return ((b[6] | b[7] << 8) & 0x3FFF, (b[8] | b[9] << 8) & 0x3FFF)
        }
        return nil
    }

    /// A bitmap says how long its header is and where its rows begin; an uncompressed one also how long they are.
    private static func bmpHoldsItsRows(_ bytes: [UInt8]) -> Bool {
        // The library sets memory aside for whatever a header promises, up to 4 GB.
        guard let offset = bytes.littleEndian32(at: 10), let header = bytes.littleEndian32(at: 14),
            offset <= bytes.count, 14 + header <= bytes.count
        else { return false }
        guard header >= 40,
            let width = bytes.littleEndian32(at: 18), let height = bytes.littleEndian32(at: 22),
            let layout = bytes.littleEndian32(at: 28), let compression = bytes.littleEndian32(at: 30),
            compression == 0 || compression == 3
        else { return true }
        let rows = Int(Int32(truncatingIfNeeded: height).magnitude)
        let rowBytes = (width * (layout & 0xFFFF) + 31) / 32 * 4
        // Absurd sizes are the decoder's to refuse, with a better reason than a missing end.
        guard ImageLimits.allow(width: width, height: rows) else { return true }
        return offset + rows * rowBytes <= bytes.count
    }

    /// The orientation tag of the first directory of an EXIF block (TIFF layout, either byte order).
    static func exifOrientation(_ block: ArraySlice<UInt8>) -> Int? {
        // Some writers put JPEG's "Exif\0\0" before the block in WebP too.
        let exif = Array(block.starts(with: Array("Exif".utf8) + [0, 0]) ? block.dropFirst(6) : block)
        let littleEndian = exif.starts(with: [0x49, 0x49, 0x2A, 0x00])
        guard littleEndian || exif.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) else { return nil }
        func short(_ at: Int) -> Int? { littleEndian ? exif.littleEndian16(at: at) : exif.bigEndian16(at: at) }
        guard let directory = littleEndian ? exif.littleEndian32(at: 4) : exif.bigEndian32(at: 4),
            let count = short(directory)
        else { return nil }
        for entry in 0..<count {
            let at = directory + 2 + 12 * entry
            guard let tag = short(at), let value = short(at + 8) else { return nil }
            if tag == 0x0112 { return (1...8).contains(value) ? value : nil }
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate func littleEndian16(at offset: Int) -> Int? {
        offset >= 0 && offset + 2 <= count ? Int(self[offset]) | Int(self[offset + 1]) << 8 : nil
    }

    fileprivate func bigEndian16(at offset: Int) -> Int? {
        offset >= 0 && offset + 2 <= count ? Int(self[offset]) << 8 | Int(self[offset + 1]) : nil
    }

    fileprivate func littleEndian32(at offset: Int) -> Int? {
        guard let low = littleEndian16(at: offset), let high = littleEndian16(at: offset + 2) else { return nil }
        return low | high << 16
    }

    fileprivate func bigEndian32(at offset: Int) -> Int? {
        guard let high = bigEndian16(at: offset), let low = bigEndian16(at: offset + 2) else { return nil }
        return high << 16 | low
    }
}
