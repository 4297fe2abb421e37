import Foundation
import Glibc
import Testing

@testable import Engine

@Suite struct `Image errors` {
    static let messages: [(ImageError, String)] = [
        (
            .cannotOpen(path: "a.jpg", reason: "No such file or directory"),
            "Cannot open a.jpg: No such file or directory. Check the path and its permissions."
        ),
        (
            .cannotRead(path: "a.jpg", reason: "Input/output error"),
            "Cannot read a.jpg: Input/output error. Copy the file to a local disk and try again."
        ),
        (
            .notAFile(path: "/tmp", kind: "a folder"),
            "/tmp is a folder, not a picture file. Name one picture, such as photo.jpg."
        ),
        (.empty(path: "a.jpg"), "a.jpg is empty (0 bytes). Save or download the picture again."),
        (
            .fileTooLarge(path: "a.jpg", bytes: 60_000_000, limit: 50_000_000),
            "a.jpg has 60 MB; a picture may have 50 MB. Save a smaller copy: the model looks at a few hundred pixels a side."
        ),
        (
            .notAPicture(path: "a.png", beginsWith: "the text \"hello\""),
            "a.png is not a picture: it begins with the text \"hello\". JPEG, PNG, WebP, GIF, BMP and TIFF files can be read, whatever their names."
        ),
        (
            .noDecoder(path: "a.webp", format: "WebP", package: "webp-pixbuf-loader"),
            "a.webp is WebP, which needs the package webp-pixbuf-loader. Install it, or save a JPEG."
        ),
        (
            .tooManyPixels(path: "a.png", width: 60000, height: 60000),
            "a.png says it is 60000×60000 pixels; the limits are 200 million pixels and 30000 a side. Save a smaller copy."
        ),
        (
            .truncated(path: "a.jpg", format: "JPEG"),
            "a.jpg is a JPEG file whose end is missing. Copy or download it again."
        ),
        (
            .damaged(path: "a.png", format: "PNG", detail: "bad\u{1B}[0m header"),
            "a.png is a damaged PNG file (bad\\u{1b}[0m header). Open it in a picture editor and save it again."
        ),
        (.outOfMemory(path: "a.png"), "Not enough memory to decode a.png. Save a smaller copy."),
        (
            .tookTooLong(path: "a.png", seconds: 15),
            "Decoding a.png took longer than 15 seconds and was stopped. Save a smaller copy."
        ),
        (
            .decoderDied(path: "a.png", reason: "signal 11"),
            "The decoder of a.png stopped (signal 11): the file is damaged or needs too much memory. Open it in a picture editor and save it again."
        ),
        (
            .empty(path: "a\u{1B}]0;x\u{7}\u{202E}\n.png"),
            "a\\u{1b}]0;x\\u{7}\\u{202e}\\u{a}.png is empty (0 bytes). Save or download the picture again."
        ),
    ]

    @Test(arguments: messages)
    func `say what, where and what to do`(error: ImageError, message: String) {
        #expect(error.description == message)
    }

    @Test(arguments: ["bomb.png", "bomb.gif", "bomb.bmp", "bomb.jpg"])
    func `refuse a bomb by its header`(name: String) {
        let path = ImageFixtures.path(name)
        #expect(throws: ImageError.tooManyPixels(path: path, width: 60000, height: 60000)) {
            try PixelImage.read(path)
        }
    }

    @Test func `refuse a WebP bomb, whose decoder would allocate first`() {
        let path = ImageFixtures.path("bomb.webp")
        #expect(throws: ImageError.tooManyPixels(path: path, width: 16383, height: 16383)) {
            try PixelImage.read(path)
        }
    }

    @Test(arguments: [
        ("plain.jpg", "JPEG"), ("progressive.jpg", "JPEG"), ("oriented-6.jpg", "JPEG"), ("plain.png", "PNG"),
        ("plain.bmp", "BMP"), ("plain.gif", "GIF"), ("animated.gif", "GIF"), ("lossless.webp", "WebP"),
        ("lossy.webp", "WebP"), ("animated.webp", "WebP"),
    ])
    func `refuse a file whose end is missing, wherever it is cut`(name: String, format: String) throws {
        let whole = try ImageFixtures.bytes(name)
        // A GIF's last bytes only say that nothing follows.
        for kept in [whole.count - (format == "GIF" ? 10 : 1), whole.count * 9 / 10, whole.count / 2] {
            #expect(throws: ImageError.truncated(path: name, format: format), "kept \(kept) of \(whole.count)") {
                try ImageDecoder.decode(Array(whole.prefix(kept)), path: name)
            }
        }
    }

    @Test(arguments: ["plain.tif", "lzw.tif"])
    func `refuse a TIFF whose end is missing`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        for kept in [whole.count * 9 / 10, whole.count / 2] {
            #expect(throws: ImageError.self) { try ImageDecoder.decode(Array(whole.prefix(kept)), path: name) }
        }
    }

    @Test func `refuse headers that would have the decoder set aside gigabytes`() throws {
        // Both found by fuzzing. 0x2F begins a bare lossless stream, whose size the next bytes are taken for.
        var webp = try ImageFixtures.bytes("lossless.webp")
        webp[12] = 0x2F
        let misbegun = ImageError.damaged(path: "a", format: "WebP", detail: "it does not begin with a picture")
        #expect(throws: misbegun) { try ImageDecoder.decode(webp, path: "a") }
        for field in [10, 14] {
            var bitmap = try ImageFixtures.bytes("plain.bmp")
            bitmap.replaceSubrange(field..<field + 4, with: [0, 0, 0, 0xD0])
            #expect(throws: ImageError.truncated(path: "a", format: "BMP")) {
                try ImageDecoder.decode(bitmap, path: "a")
            }
        }
    }

    @Test(arguments: try! FileManager.default.contentsOfDirectory(atPath: ImageFixtures.path("")))
    func `refuse every short beginning of every file without a crash`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        for kept in 1..<min(40, whole.count) {
            #expect(throws: ImageError.self) { try ImageDecoder.decode(Array(whole.prefix(kept)), path: name) }
        }
    }

    @Test func `refuse what is not a file, without waiting for it`() throws {
        try ImageFixtures.withTemporaryFolder { folder in
            let pipe = folder.appending(path: "pipe.png").path
            #expect(mkfifo(pipe, 0o600) == 0)
            #expect(throws: ImageError.notAFile(path: pipe, kind: "a pipe")) { try PixelImage.read(pipe) }
            #expect(throws: ImageError.notAFile(path: folder.path, kind: "a folder")) {
                try PixelImage.read(folder.path)
            }
        }
        #expect(throws: ImageError.notAFile(path: "/dev/zero", kind: "a device")) { try PixelImage.read("/dev/zero") }
        #expect(throws: ImageError.cannotOpen(path: "/no/photo.jpg", reason: "No such file or directory")) {
            try PixelImage.read("/no/photo.jpg")
        }
        #expect(throws: ImageError.cannotOpen(path: "", reason: "no file can have this name")) {
            try PixelImage.read("")
        }
        let cut = ImageFixtures.path("plain.png") + "\0.txt"
        #expect(throws: ImageError.cannotOpen(path: cut, reason: "no file can have this name")) {
            try PixelImage.read(cut)
        }
    }

    @Test func `refuse an empty file, an oversized one and text in disguise`() throws {
        try ImageFixtures.withTemporaryFolder { folder in
            let path = folder.appending(path: "photo.png").path
            try Data().write(to: URL(filePath: path))
            #expect(throws: ImageError.empty(path: path)) { try PixelImage.read(path) }
            #expect(truncate(path, 60_000_000) == 0)
            #expect(throws: ImageError.fileTooLarge(path: path, bytes: 60_000_000, limit: 50_000_000)) {
                try PixelImage.read(path)
            }
            try Data("Dear diary,\ntoday".utf8).write(to: URL(filePath: path))
            #expect(throws: ImageError.notAPicture(path: path, beginsWith: "the text \"Dear diary, toda\"")) {
                try PixelImage.read(path)
            }
            try Data([0x7F, 0x45, 0x4C, 0x46, 2, 1]).write(to: URL(filePath: path))
            #expect(throws: ImageError.notAPicture(path: path, beginsWith: "the bytes 7f 45 4c 46 02 01")) {
                try PixelImage.read(path)
            }
        }
    }

    @Test(arguments: [
        "plain.jpg", "progressive.jpg", "cmyk.jpg", "oriented-6.jpg", "plain.png", "alpha.png", "oriented-6.png",
        "palette.png", "plain.gif", "plain.bmp", "lzw.tif", "lossless.webp", "lossy.webp", "oriented-6.webp",
    ])
    func `or a picture within the limits come of a file with flipped bits`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        var random = SeededGenerator(seed: UInt64(whole.count))
        for _ in 0..<150 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Headers are where a flip changes the most.
                let end = Bool.random(using: &random) ? min(64, bytes.count) : bytes.count
                bytes[Int.random(in: 0..<end, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            do throws(ImageError) {
                let image = try ImageDecoder.decode(bytes, path: name)
                #expect(ImageLimits.allow(width: image.width, height: image.height))
                #expect(image.pixels.count == image.width * image.height * 3)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
