// SixelEncoder.swift — a PixelImage to the escape sequence that draws it. The only file that calls libsixel.

import CSixel
import Engine

/// Why a picture could not be turned into sixels.
enum SixelError: Error, Sendable, Equatable, CustomStringConvertible {
    case tooLarge(width: Int, height: Int)
    case failed(step: String, status: Int32)

    var description: String {
        switch self {
        case .tooLarge(let width, let height):
            """
            A sixel picture of \(width)×\(height) pixels is more than a terminal takes. \
            Make the window smaller, or use --image-protocol blocks.
            """
        case .failed(let step, let status):
            """
            libsixel could not draw the picture (\(step), status 0x\(String(status, radix: 16))). \
            Use --image-protocol blocks.
            """
        }
    }
}

/// Encodes pictures as sixels with a palette of their own.
enum SixelEncoder {
    /// More pixels a side than any screen has.
    static let longestSide = 8192
    /// Rows of pixels in one band of sixels.
    static let bandHeight = 6

    /// From `ESC P` to `ESC \`, at the picture's own size; nothing is transparent.
    ///
    /// A height that is no multiple of `bandHeight` is cut down to one (but not below one band): a terminal
    /// paints whole bands, and the last one would hang over the pane.
    static func encode(_ image: PixelImage) throws(SixelError) -> [UInt8] {
        guard image.width <= longestSide, image.height <= longestSide else {
            throw .tooLarge(width: image.width, height: image.height)
        }
        let height = image.height < bandHeight ? image.height : image.height / bandHeight * bandHeight
        let collected = Collected()
        var output: OpaquePointer?
        let write: sixel_write_function = { data, count, context in
            guard let data, let context, count >= 0 else { return -1 }
            let collected = Unmanaged<Collected>.fromOpaque(context).takeUnretainedValue()
            data.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                collected.bytes.append(contentsOf: UnsafeBufferPointer(start: $0, count: Int(count)))
            }
            return count
        }
        try check("output", sixel_output_new(&output, write, Unmanaged.passUnretained(collected).toOpaque(), nil))
        defer { sixel_output_unref(output) }
        var dither: OpaquePointer?
        try check("palette", sixel_dither_new(&dither, 256, nil))
        defer { sixel_dither_unref(dither) }
        // The library asks for mutable pixels; they are a copy, lent for the length of the two calls.
        var pixels = Array(image.pixels.prefix(image.width * height * 3))
        try check(
            "colours",
            sixel_dither_initialize(
                dither, &pixels, Int32(image.width), Int32(height), Int32(SIXEL_PIXELFORMAT_RGB888),
                SIXEL_LARGE_AUTO, SIXEL_REP_AUTO, SIXEL_QUALITY_AUTO))
        restoreFullRange(of: dither)
        sixel_dither_set_pixelformat(dither, Int32(SIXEL_PIXELFORMAT_RGB888))
        try check("encoding", sixel_encode(&pixels, Int32(image.width), Int32(height), 3, dither, output))
        return collected.bytes
    }

    /// libsixel finds its palette among colours cut to 5 bits, and so draws white as 248: spread them over 0...255.
    private static func restoreFullRange(of dither: OpaquePointer?) {
        guard let palette = sixel_dither_get_palette(dither) else { return }
        let count = Int(sixel_dither_get_num_of_palette_colors(dither)) * 3
        for entry in UnsafeMutableBufferPointer(start: palette, count: count).indices {
            palette[entry] = UInt8(min(255, Int(palette[entry]) * 255 / 248))
        }
    }

    private static func check(_ step: String, _ status: SIXELSTATUS) throws(SixelError) {
        guard status & 0x1000 == 0 else { throw .failed(step: step, status: status) }
    }

    private final class Collected {
        var bytes: [UInt8] = []
    }
}
