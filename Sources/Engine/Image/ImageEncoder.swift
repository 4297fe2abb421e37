// ImageEncoder.swift — a PixelImage as a PNG file in memory, for terminals that take pictures as files.

import CGdkPixbuf

extension PixelImage {
    /// The picture as the bytes of a PNG file; nil when there is no memory for it.
    public func png() -> [UInt8]? {
        var buffer: UnsafeMutablePointer<CChar>?
        var count = gsize(0)
        // The library only reads the pixels, which stay where they are for the length of the calls.
        let isSaved = pixels.withUnsafeBufferPointer { pixels -> Bool in
            guard
                let picture = gdk_pixbuf_new_from_data(
                    pixels.baseAddress, GDK_COLORSPACE_RGB, 0, 8, gint(width), gint(height), gint(width * 3), nil, nil)
            else { return false }
            defer { g_object_unref(UnsafeMutableRawPointer(picture)) }
            return gdk_pixbuf_save_to_bufferv(picture, &buffer, &count, "png", nil, nil, nil) != 0
        }
        defer { g_free(buffer) }
        guard isSaved, let buffer else { return nil }
        return UnsafeRawBufferPointer(start: buffer, count: Int(count)).map { $0 }
    }
}
