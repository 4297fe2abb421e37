// ImageDecoder.swift — bytes of a picture file to a PixelImage. Calls gdk-pixbuf, as ImageEncoder does.

import CGdkPixbuf

/// Decodes pictures with gdk-pixbuf.
///
/// The loader is chosen by our own look at the first bytes, so that a stranger's file reaches only the formats that
/// are promised, and it is given no path, so that it can open nothing else.
enum ImageDecoder {
    /// The picture in `bytes`; `path` is for messages and the source's name, `pixels` the most that it may have.
    static func decode(
        _ bytes: [UInt8], path: String, pixels: Int = ImageLimits.pixels
    ) throws(ImageError) -> PixelImage {
        guard let format = PictureFormat(bytes) else {
            throw .notAPicture(path: path, beginsWith: beginning(of: bytes))
        }
        let container = PictureContainer(bytes, format: format)
        if let size = container.size, !ImageLimits.allow(width: size.width, height: size.height, pixels: pixels) {
            throw .tooManyPixels(path: path, width: size.width, height: size.height)
        }
        // Refused before decoding: the library would show half a picture, or complain on standard error.
        guard container.isComplete else { throw .truncated(path: path, format: format.rawValue) }
        guard format != .webp || container.size != nil else {
            throw .damaged(path: path, format: format.rawValue, detail: "it does not begin with a picture")
        }
        let loading = try PictureLoading(format, path: path, pixels: pixels)
        try loading.feed(bytes)
        return try loading.finish(orientation: container.orientation)
    }

    /// What a reader recognises of a file's first bytes: text as text, else hexadecimal.
    private static func beginning(of bytes: [UInt8]) -> String {
        let first = bytes.prefix(16)
        if first.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
            let text = first.map { $0 < 0x20 ? " " : String(UnicodeScalar($0)) }.joined()
            return "the text \"\(text)\""
        }
        let digits = first.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return "the bytes " + digits.joined(separator: " ")
    }
}

/// One gdk-pixbuf loader at work on one file.
private final class PictureLoading {
    private let loader: UnsafeMutablePointer<GdkPixbufLoader>
    private let format: PictureFormat
    private let path: String
    private let pixels: Int
    private var announced: (width: Int, height: Int)?
    private var isClosed = false

    init(_ format: PictureFormat, path: String, pixels: Int) throws(ImageError) {
        guard let loader = gdk_pixbuf_loader_new_with_mime_type(format.mimeType, nil) else {
            throw .noDecoder(path: path, format: format.rawValue, package: format.package)
        }
        self.loader = loader
        self.format = format
        self.path = path
        self.pixels = pixels
        let sizePrepared: @convention(c) (gpointer?, gint, gint, gpointer?) -> Void = { _, width, height, context in
            guard let context else { return }
            Unmanaged<PictureLoading>.fromOpaque(context).takeUnretainedValue()
                .sizePrepared(width: Int(width), height: Int(height))
        }
        g_signal_connect_data(
            loader, "size-prepared", unsafeBitCast(sizePrepared, to: GCallback.self),
            Unmanaged.passUnretained(self).toOpaque(), nil, GConnectFlags(rawValue: 0))
    }

    deinit {
        // A loader that is dropped before it is closed complains on standard error.
        if !isClosed { gdk_pixbuf_loader_close(loader, nil) }
        g_object_unref(loader)
    }

    /// The header's size, before any pixel is allocated; 0×0 makes the library's loaders give up at once.
    private func sizePrepared(width: Int, height: Int) {
        announced = (width, height)
        if !ImageLimits.allow(width: width, height: height, pixels: pixels) { gdk_pixbuf_loader_set_size(loader, 0, 0) }
    }

    func feed(_ bytes: [UInt8]) throws(ImageError) {
        var at = 0
        // Small pieces until the header is through, so that little is decoded before its size can be refused.
        while at < bytes.count {
            let count = min(bytes.count - at, announced == nil ? 4096 : 1 << 20)
            var error: UnsafeMutablePointer<GError>?
            let isTaken = bytes.withUnsafeBufferPointer { buffer in
                gdk_pixbuf_loader_write(loader, buffer.baseAddress.map { $0 + at }, gsize(count), &error) != 0
            }
            try refuseAbsurdSize()
            guard isTaken else {
                isClosed = true  // the library closes a loader that refused its bytes
                throw failure(error)
            }
            at += count
        }
        isClosed = true
        var error: UnsafeMutablePointer<GError>?
        let isClosedWell = gdk_pixbuf_loader_close(loader, &error) != 0
        try refuseAbsurdSize(else: error)
        guard isClosedWell else { throw failure(error) }
    }

    func finish(orientation: Int?) throws(ImageError) -> PixelImage {
        guard let decoded = gdk_pixbuf_loader_get_pixbuf(loader) else {
            throw .damaged(path: path, format: format.rawValue, detail: "it holds no picture")
        }
        if let orientation { gdk_pixbuf_set_option(decoded, "orientation", String(orientation)) }
        guard let upright = gdk_pixbuf_apply_embedded_orientation(decoded) else {
            throw .outOfMemory(path: path)
        }
        defer { g_object_unref(UnsafeMutableRawPointer(upright)) }
        guard gdk_pixbuf_get_bits_per_sample(upright) == 8, gdk_pixbuf_get_colorspace(upright) == GDK_COLORSPACE_RGB
        else {
            throw .damaged(path: path, format: format.rawValue, detail: "its colours are in no known form")
        }
        let width = Int(gdk_pixbuf_get_width(upright))
        let height = Int(gdk_pixbuf_get_height(upright))
        guard ImageLimits.allow(width: width, height: height, pixels: pixels) else {
            throw .tooManyPixels(path: path, width: width, height: height)
        }
        return PixelImage(
            width: width, height: height, pixels: flattened(upright, width: width, height: height),
            source: PixelImage.Source(name: PixelImage.name(of: path), width: width, height: height))
    }

    /// RGB rows without padding; transparency over white, as transformers' CLIP processors flatten it (Pillow's
    /// plain `convert("RGB")` would bring back the colours that hide under transparent pixels).
    private func flattened(_ pixbuf: OpaquePointer, width: Int, height: Int) -> [UInt8] {
        let rowBytes = Int(gdk_pixbuf_get_rowstride(pixbuf))
        let channels = Int(gdk_pixbuf_get_n_channels(pixbuf))
        guard let source = gdk_pixbuf_read_pixels(pixbuf) else {
            preconditionFailure("gdk-pixbuf: a picture of \(width)×\(height) without pixels")
        }
        return [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, filled in
            for y in 0..<height {
                let row = source + y * rowBytes
                var to = y * width * 3
                for x in 0..<width {
                    let pixel = row + x * channels
                    let alpha = channels == 4 ? Int32(pixel[3]) : 255
                    for c in 0..<3 {
                        target[to + c] = alpha == 255 ? pixel[c] : Self.overWhite(Int32(pixel[c]), alpha)
                    }
                    to += 3
                }
            }
            filled = width * height * 3
        }
    }

    /// `value` over white, rounded as Pillow's `alpha_composite` does: 7 extra bits, then a division by 255 by shifts.
    private static func overWhite(_ value: Int32, _ alpha: Int32) -> UInt8 {
        let sum = (value * alpha + 255 * (255 - alpha)) << 7 + (0x80 << 7)
        let quotient = ((sum >> 8) + sum) >> 8
        return UInt8(truncatingIfNeeded: quotient >> 7)
    }

    private func refuseAbsurdSize(else error: UnsafeMutablePointer<GError>? = nil) throws(ImageError) {
        guard let announced, !ImageLimits.allow(width: announced.width, height: announced.height, pixels: pixels) else {
            return
        }
        release(error)
        throw .tooManyPixels(path: path, width: announced.width, height: announced.height)
    }

    private func failure(_ error: UnsafeMutablePointer<GError>?) -> ImageError {
        defer { release(error) }
        let code = error.map { $0.pointee.code } ?? 0
        if code == Int32(bitPattern: GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY.rawValue) { return .outOfMemory(path: path) }
        if code == Int32(bitPattern: GDK_PIXBUF_ERROR_INCOMPLETE_ANIMATION.rawValue) {
            return .truncated(path: path, format: format.rawValue)
        }
        let detail = error.flatMap { $0.pointee.message }.map { String(cString: $0) } ?? "no reason given"
        return .damaged(path: path, format: format.rawValue, detail: detail)
    }
}

private func release(_ error: UnsafeMutablePointer<GError>?) {
    if let error { g_error_free(error) }
}
