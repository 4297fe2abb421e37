// PNGEncoder.swift — a PixelImage to the bytes of a PNG file: thumbnails for saved conversations.

import CGdkPixbuf

extension PixelImage {
    /// The picture as a PNG file.
    public func png() throws(ImageError) -> [UInt8] {
        var buffer: UnsafeMutablePointer<CChar>?
        var count: gsize = 0
        var error: UnsafeMutablePointer<GError>?
        let isSaved = pixels.withUnsafeBufferPointer { pixels in
            // The library reads the pixels only while this closure lends them, and frees nothing of them.
            let pixbuf = gdk_pixbuf_new_from_data(
                pixels.baseAddress, GDK_COLORSPACE_RGB, 0, 8, gint(width), gint(height), gint(width * 3), nil, nil)
            guard let pixbuf else { return false }
            defer { g_object_unref(UnsafeMutableRawPointer(pixbuf)) }
            return gdk_pixbuf_save_to_bufferv(pixbuf, &buffer, &count, "png", nil, nil, &error) != 0
        }
        defer {
            g_free(buffer)
            if let error { g_error_free(error) }
        }
        guard isSaved, let buffer else { throw .outOfMemory(path: source.name) }
        return UnsafeRawBufferPointer(start: buffer, count: Int(count)).map { $0 }
    }
}
