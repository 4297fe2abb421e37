// WeightCacheTests.swift — the folder of packed weights: what it keeps, what it lets go of, and disks that are full.

import Foundation
import SmallDisk
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `The folder of packed weights` {
    @Test func `that cannot be made or written is told of once and harms nothing`() throws {
        let world = try PackedWorld()
        let plain = try world.start(keeping: false).logits()
        try world.scratch.write("x", to: "file")
        for path in ["\(world.scratch.path)/file", "\(world.scratch.path)/file/weights", "/proc/specchat"] {
            world.options.folder = URL(filePath: path)
            let start = try world.start()
            #expect(try start.logits() == plain && start.notices.count == 1)
            let words = "Going on without keeping packed weights for later: cannot "
            #expect(start.notices.first?.hasPrefix(words) == true)
        }
    }

    @Test func `on a disk without room is left alone, with a word about it`() throws {
        let world = try PackedWorld()
        world.options.spareBytes = 1 << 60
        let start = try world.start(.q8_0)
        #expect(try start.logits() == world.start(.q8_0, keeping: false).logits())
        #expect(start.notices.count == 1 && start.notices[0].contains("has no room for") && world.files.isEmpty)
    }

    @Test func `on a disk that is full in the middle goes on without`() throws {
        let shape = PackedShape(name: "a", format: .float32, outputs: 16, inputs: 16)
        let layout = PackedWeightLayout(key: Array(repeating: 7, count: 32), weights: [(shape, 1024)])
        try #require(access("/dev/full", W_OK) == 0)
        let writer = PackedWeightWriter(descriptor: open("/dev/full", O_WRONLY), layout: layout) { _ in 0 }
        [UInt8](repeating: 1, count: 1024).withUnsafeBytes { writer.keep($0, of: shape) }
        #expect(writer.fault == String(cString: strerror(ENOSPC)))
        writer.finish(as: "/nowhere")
        #expect(access("/nowhere", F_OK) != 0)
    }

    @Test func `keeps nothing of small models, of too large ones, nor of half a loading`() throws {
        // Of two blocks, so that a loading can be stopped between them.
        let world = try PackedWorld("grouped")
        world.options.leastBytes = 1 << 20
        #expect(try world.start().notices == [] && world.files.isEmpty)
        (world.options.leastBytes, world.options.byteLimit) = (0, 1000)
        #expect(try world.start().notices == [] && world.files.isEmpty)
        world.options.byteLimit = 1 << 30
        let cancellation = Cancellation()
        #expect(throws: CancellationError.self) {
            _ = try world.start(cancellation: cancellation) { _ in cancellation.cancel() }
        }
        #expect(world.packed.isEmpty && world.files.isEmpty)
    }

    @Test func `holds no more than it may, and loses first what was not used for longest`() throws {
        let world = try PackedWorld()
        _ = try world.start(.q8_0)
        let size = try #require(world.contents().first).count
        func age(_ file: String, seconds: Double) throws {
            for path in [file, file.replacing(".packed", with: ".seal")] {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: path)
            }
        }
        // A seal that is touched later than its file does not fit it; all of it is read then, once.
        let first = world.packed[0]
        _ = try world.start(.q4_0)
        let second = try #require(world.packed.first { $0 != first })
        let secondSize = try Data(contentsOf: URL(filePath: second)).count
        try age(first, seconds: 300)
        try age(second, seconds: 200)
        // Used, so the second is now the oldest.
        _ = try world.start(.q8_0)
        world.options.byteLimit = .max
        _ = try world.start()
        let third = try #require(world.packed.first { $0 != first && $0 != second })
        let thirdSize = try Data(contentsOf: URL(filePath: third)).count
        try FileManager.default.removeItem(atPath: third)
        world.options.byteLimit = size + thirdSize
        #expect(secondSize > 0)
        _ = try world.start()
        #expect(Set(world.packed) == [first, third])
        #expect(!world.files.contains(second.replacing(".packed", with: ".seal")))
    }

    @Test func `takes what two programs write at once, whole`() throws {
        let world = try PackedWorld()
        let plain = try world.start(keeping: false).logits()
        var inner: PackedWorld.Start?
        // The second program begins and ends while the first one is loading.
        let outer = try world.start { _ in
            if inner == nil { inner = try? world.start() }
        }
        #expect(try outer.logits() == plain && inner?.logits() == plain)
        #expect(world.packed.count == 1 && world.files.count == 2)
        let later = try world.start()
        #expect(try later.logits() == plain && later.notices == [])
    }

    @Test func `clears away what a killed program left, and nothing of a living one`() throws {
        let world = try PackedWorld()
        try FileManager.default.createDirectory(at: world.options.folder, withIntermediateDirectories: true)
        func make(_ name: String, age: Double) throws -> String {
            let url = world.options.folder.appending(path: name)
            try Data("x".utf8).write(to: url)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: url.path)
            return url.path
        }
        let killed = try make("a.unfinished", age: 100), new = try make("b.unfinished", age: 0)
        let living = try make("c.unfinished", age: 100)
        let descriptor = open(living, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        _ = try world.start()
        #expect(!world.files.contains(killed) && world.files.contains(new) && world.files.contains(living))
    }

    @Test func `is not needed to say that a model is quantised already`() throws {
        let demo = Golden.folder.appending(path: "../../../Assets/demo/target.gguf").standardizedFileURL.path
        var notices: [String] = []
        let packing = ModelPacking(backend: try CPUBackend(threads: 2), cache: nil, cancellation: Cancellation())
        _ = try packing.load(LanguageCheckpoint(path: demo), named: "demo", quantisation: .q4_0, isShown: true) {
            if case .notice(let notice) = $0 { notices.append(notice.text) }
        }
        #expect(notices == ["--quantize q4_0 leaves demo as it is: its weights are Q8_0 already."])
    }

    @Test(
        arguments: [
            (["XDG_CACHE_HOME": "/c", "HOME": "/h"], "/c/specchat/weights"),
            (["XDG_CACHE_HOME": "relative", "HOME": "/h"], "/h/.cache/specchat/weights"), ([:], nil),
        ] as [([String: String], String?)])
    func `is the XDG cache folder`(environment: [String: String], folder: String?) {
        #expect(WeightCacheOptions.standard(environment: environment)?.folder.path == folder)
    }
}

/// A small file system is mounted for each; the model is of some tens of kilobytes packed.
@Suite(.serialized, .enabled(if: SmallDisk.isPossible, Comment(rawValue: SmallDisk.reason)))
struct `A disk that is full under the packed weights` {
    private let world: PackedWorld
    private let disk: SmallDisk
    private let plain: [UInt32]
    /// Bytes of the file that would be kept.
    private let size: Int

    init() throws {
        world = try PackedWorld()
        plain = try world.start(.q8_0, keeping: false).logits()
        guard case .kept(let keeping) = try world.preview(.q8_0).rule else { throw CancellationError() }
        size = keeping.byteCount
        disk = try SmallDisk(kilobytes: 4096)
        world.options.folder = URL(filePath: disk.path + "/cache/weights")
    }

    /// A start with so much left on the disk; its text is what it is without a cache.
    private func notices(leaving kilobytes: Int) throws -> [String] {
        disk.leave(kilobytes: kilobytes)
        let start = try world.start(.q8_0)
        #expect(try start.logits() == plain)
        return start.notices
    }

    @Test func `is told of in one sentence, and nothing is left on it`() throws {
        let first = try notices(leaving: size / 1024 / 2)
        let beginning = "Going on without keeping packed weights for later: \(world.options.folder.path) "
        #expect(first.count == 1 && first[0].hasPrefix(beginning + "has no room for 0 MB"), "\(first)")
        #expect(world.files.isEmpty)
    }

    @Test func `since it was asked for room goes on without, and nothing is left on it`() throws {
        // Another program was faster: the room was there when the disk was asked, and is not when it is taken.
        world.options.spareBytes = -(1 << 40)
        for kilobytes in [size / 1024 / 2, 4, 0] {
            let told = try notices(leaving: kilobytes)
            #expect(
                told == [
                    "Going on without keeping packed weights for later: cannot write to \(world.options.folder.path): "
                        + "\(String(cString: strerror(ENOSPC)))."
                ], "\(kilobytes) kB")
            #expect(world.files.isEmpty)
            disk.takeBallastAway()
            #expect(disk.free > 4000 << 10, "what was written has not been given back")
        }
        // With room again it is as if nothing had been.
        #expect(try world.start(.q8_0).notices == [] && world.packed.count == 1)
    }

    @Test func `but for the weights themselves keeps them, and reads them whole at each start for want of a seal`()
        throws
    {
        try FileManager.default.createDirectory(at: world.options.folder, withIntermediateDirectories: true)
        #expect(try notices(leaving: (size + 1023) / 1024) == [])
        #expect(world.packed.count == 1 && world.files.count == 1 && disk.free == 0)
        let later = try world.start(.q8_0)
        #expect(try later.logits() == plain && later.notices == [] && world.files.count == 1)
        disk.takeBallastAway()
        _ = try world.start(.q8_0)
        #expect(world.files.count == 2)
    }
}
