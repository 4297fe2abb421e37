// FuzzImage.swift — libFuzzer's door to the picture reader: our framing checks, gdk-pixbuf behind them, preprocessing.

import CGdkPixbuf

/// Small enough that time goes into new inputs and not into large pictures.
private let pixelLimit = 1 << 18

@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(_: UnsafeMutablePointer<Int32>?, _: UnsafeMutableRawPointer?) -> Int32 {
    // The library warns about damaged files; thousands a second would drown what matters.
    g_log_set_default_handler({ _, _, _, _ in }, nil)
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func readPicture(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard !bytes.isEmpty else { return 0 }
    do throws(ImageError) {
        let image = try ImageDecoder.decode(bytes, path: "input", pixels: pixelLimit)
        precondition(image.pixels.count == image.width * image.height * 3 && image.width * image.height <= pixelLimit)
        for framing in [ImagePreprocessor.Framing.pad, .crop] {
            let patches = ImagePreprocessor(size: 28, patch: 14, framing: framing).patches(of: image)
            precondition(patches.count == 4 * 3 * 14 * 14 && patches.allSatisfy { abs($0) < 3 })
        }
    } catch {
        precondition(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
    }
    return 0
}
