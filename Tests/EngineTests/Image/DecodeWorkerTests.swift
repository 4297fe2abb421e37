import Foundation
import Testing

@testable import Engine

@Suite(.serialized) struct `Decode worker` {
    /// The program, which is built beside the tests.
    private static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "specchat").path

    private func decode(_ path: String, seconds: Int = DecodeWorker.seconds) throws(ImageError) -> PixelImage? {
        try DecodeWorker.decode(try PictureFile(opening: path), with: Self.program, within: seconds)
    }

    @Test(arguments: ["plain.png", "oriented-6.jpg", "alpha.webp", "animated.gif", "lzw.tif", "cmyk.jpg"])
    func `gives the same picture as this process`(name: String) throws {
        let path = ImageFixtures.path(name)
        let image = try #require(try decode(path))
        #expect(image == (try PixelImage.read(path)))
    }

    @Test func `gives a picture larger than a pipe holds`() throws {
        try ImageFixtures.withTemporaryFolder { folder in
            let path = folder.appending(path: "large.bmp").path
            var bytes = Array("BM".utf8) + [UInt8](repeating: 0, count: 52)
            bytes[10] = 54
            bytes[14] = 40
            (bytes[18], bytes[19], bytes[22], bytes[23]) = (0xE8, 3, 0xF4, 1)  // 1000×500
            (bytes[26], bytes[28]) = (1, 24)
            bytes += (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
            try Data(bytes).write(to: URL(filePath: path))
            let image = try #require(try decode(path))
            #expect(image.width == 1000 && image.height == 500)
            #expect(image == (try PixelImage.read(path)))
        }
    }

    @Test func `reports errors as this process does`() throws {
        for name in ["bomb.png", "bomb.webp", "alpha.rgb"] {
            let path = ImageFixtures.path(name)
            let here = #expect(throws: ImageError.self) { try PixelImage.read(path) }
            let there = #expect(throws: ImageError.self) { try decode(path) }
            #expect(here == there)
        }
    }

    @Test(arguments: ["/bin/cat", "/bin/true", "/no/such/program"])
    func `is not had of a program that does not greet`(program: String) throws {
        let file = try PictureFile(opening: ImageFixtures.path("plain.png"))
        #expect(try DecodeWorker.decode(file, with: program, within: 1) == nil)
    }

    @Test(arguments: [
        ("printf 'specchat picture 1\\n'; sleep 60", ImageError.tookTooLong(path: "", seconds: 1)),
        ("printf 'specchat picture 1\\n'; kill -SEGV $$", .decoderDied(path: "", reason: "signal 11")),
        ("printf 'specchat picture 1\\n'; kill -XCPU $$", .tookTooLong(path: "", seconds: 10)),
        ("printf 'specchat picture 1\\n'; exit 3", .decoderDied(path: "", reason: "exit status 3")),
        ("printf 'specchat picture 1\\n'; exec 1>&-; sleep 60", .decoderDied(path: "", reason: "signal 9")),
        (
            "printf 'specchat picture 1\\n\\377\\377\\377\\377\\377\\377\\377\\377\\377'",
            .decoderDied(path: "", reason: "it gave no sensible answer")
        ),
        (
            "printf 'specchat picture 1\\n\\0\\377\\377\\377\\377\\1\\0\\0\\0'",
            .decoderDied(path: "", reason: "it gave no sensible answer")
        ),
        (
            "printf 'specchat picture 1\\n\\1\\3\\0\\0\\0\\0\\0\\0\\0{}}'",
            .decoderDied(path: "", reason: "it gave no sensible answer")
        ),
        (
            "printf 'specchat picture 1\\n\\0\\2\\0\\0\\0\\2\\0\\0\\0abc'",
            .decoderDied(path: "", reason: "exit status 0")
        ),
    ])
    func `that fails after its greeting costs one picture`(script: String, expected: ImageError) throws {
        try ImageFixtures.withTemporaryFolder { folder in
            let program = folder.appending(path: "worker").path
            try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program)
            let path = ImageFixtures.path("plain.png")
            let file = try PictureFile(opening: path)
            let error = #expect(throws: ImageError.self) {
                try DecodeWorker.decode(file, with: program, within: 1)
            }
            switch (error, expected) {
            case (.tookTooLong(path, let seconds)?, .tookTooLong(_, let wanted)): #expect(seconds == wanted)
            case (.decoderDied(path, let reason)?, .decoderDied(_, let wanted)): #expect(reason == wanted)
            default: Issue.record("\(String(describing: error)) instead of \(expected)")
            }
        }
    }

    @Test func `leaves no process behind`() throws {
        for _ in 0..<3 { _ = try decode(ImageFixtures.path("plain.png")) }
        // Other suites run the program too, so a child may be theirs; theirs end and are waited for, a zombie stays.
        let seen = try Self.children()
        let deadline = ContinuousClock.now + .seconds(60)
        while try !seen.isDisjoint(with: Self.children()), ContinuousClock.now < deadline { usleep(50_000) }
        #expect(try seen.isDisjoint(with: Self.children()))
    }

    /// Process ids of this process' children that run the program, zombies included.
    private static func children() throws -> Set<Substring> {
        var children: Set<Substring> = []
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
            let list = (try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8)) ?? ""
            children.formUnion(
                list.split(whereSeparator: \.isWhitespace).filter { child in
                    let name = (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) ?? ""
                    return name.hasPrefix("specchat")
                })
        }
        return children
    }
}
