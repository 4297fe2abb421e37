// PackedWeightTests.swift — packed weights that are kept on disk: the same bits as packed ones, whatever befalls the file.

import Foundation
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A copy of a golden model and a cache folder of its own.
private final class World {
    let scratch: ScratchFolder
    let model: String
    var options: WeightCacheOptions

    init(_ name: String = "tied", bytes: Int = 1 << 30) throws {
        scratch = try ScratchFolder.copy(of: Golden(name))
        model = scratch.path + "/language.gguf"
        options = WeightCacheOptions(folder: scratch.url.appending(path: "cache/weights"))
        (options.byteLimit, options.leastBytes, options.spareBytes) = (bytes, 0, 0)
    }

    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: options.folder.path)) ?? []).sorted()
            .map { options.folder.appending(path: $0).path }
    }
    var packed: [String] { files.filter { $0.hasSuffix(".packed") } }

    /// A start of the program.
    struct Start {
        let model: LanguageModel
        let notices: [String]
        let phases: Set<Engine.Progress.Phase>

        func logits() throws -> [UInt32] {
            let cache = model.makeCache(capacity: 16)
            let (pass, hidden) = model.forward(.tokens([1, 200, 300, 7]), plan: .text(rows: 4, after: 0), cache: cache)
            return try pass.read(model.logits(of: hidden, in: pass)).map(\.bitPattern)
        }
    }

    func start(
        _ quantisation: Quantisation? = nil, keeping: Bool = true, threads: Int = 2,
        cancellation: Cancellation = Cancellation(), during: (Engine.Progress) -> Void = { _ in }
    ) throws -> Start {
        var notices: [String] = [], phases: Set<Engine.Progress.Phase> = []
        let packing = ModelPacking(
            backend: try CPUBackend(threads: threads, cache: .float16), cache: keeping ? options : nil,
            cancellation: cancellation)
        let model = try packing.load(
            LanguageCheckpoint(path: self.model), named: "tiny", quantisation: quantisation, isShown: true
        ) { event in
            if case .notice(let notice) = event { notices.append(notice.text) }
            guard case .progress(let progress) = event else { return }
            phases.insert(progress.phase)
            during(progress)
        }
        return Start(model: model, notices: notices, phases: phases)
    }

    /// What tells a file that was written again from one that was left alone.
    func inodes() throws -> [Int] {
        try packed.map { try #require(FileManager.default.attributesOfItem(atPath: $0)[.systemFileNumber] as? Int) }
    }

    func restarted() throws {
        for seal in files where seal.hasSuffix(".seal") { try FileManager.default.removeItem(atPath: seal) }
    }

    func contents() throws -> [Data] { try packed.map { try Data(contentsOf: URL(filePath: $0)) } }
}

@Suite struct `Packed weights on disk` {
    @Test(arguments: ["tied", "grouped"], [nil] + Quantisation.allCases)
    func `give the bits of weights packed in memory, at the first start and at every later one`(
        name: String, quantisation: Quantisation?
    ) throws {
        let world = try World(name)
        let plain = try world.start(quantisation, keeping: false).logits()
        let first = try world.start(quantisation)
        #expect(try first.logits() == plain && first.notices == [])
        #expect(first.phases == [quantisation == nil ? .loading : .quantizing])
        #expect(world.packed.count == 1 && world.files.count == 2)
        let inodes = try world.inodes(), contents = try world.contents()
        for threads in [1, 2] {
            let later = try world.start(quantisation, threads: threads)
            #expect(try later.logits() == plain && later.notices == [] && later.phases == [.loading])
        }
        // After the machine has stopped, too, when all of it is read again.
        try world.restarted()
        #expect(try world.start(quantisation).logits() == plain)
        #expect(try world.inodes() == inodes && world.contents() == contents && world.files.count == 2)
    }

    @Test func `are made for each type anew, and quantised ones differ from the file's`() throws {
        let world = try World()
        var seen: Set<[UInt32]> = []
        for quantisation in [nil, .q8_0, .q4_0] as [Quantisation?] {
            seen.insert(try world.start(quantisation).logits())
        }
        #expect(seen.count == 3 && world.packed.count == 3)
        // No row of this model is as long as Q4_K's blocks: it is Q8_0 by another name, and shares its file.
        #expect(try seen.contains(world.start(.q4_k).logits()))
        #expect(world.packed.count == 3)
    }

    @Test func `with any bit flipped are found damaged, told of and made anew`() throws {
        let world = try World()
        let plain = try world.start(.q4_0).logits()
        let whole = try #require(world.contents().first), file = world.packed[0]
        var random = SeededNumbers(seed: 60)
        // Panels end before their page does; what fills the page belongs to nobody.
        let used = whole.indices.filter { whole[$0] != 0 }
        for trial in 0..<60 {
            let place = trial % 2 == 0 ? Int.random(in: 0..<200, using: &random) : used.randomElement(using: &random)!
            var bytes = whole
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            // In place, as a failing disk does it; the seal notices by the time.
            let handle = try FileHandle(forWritingTo: URL(filePath: file))
            try handle.write(contentsOf: bytes)
            try handle.close()
            let start = try world.start(.q4_0)
            #expect(try start.logits() == plain)
            let words = "were damaged; they are made anew"
            #expect(start.notices.count == 1 && start.notices[0].contains(words), "\(place)")
            #expect(try world.contents() == [whole])
        }
    }

    @Test func `that are cut off, longer, empty, another's or no file are not trusted`() throws {
        let world = try World(), other = try World("grouped")
        let plain = try world.start().logits()
        _ = try other.start()
        let whole = try #require(world.contents().first), file = world.packed[0]
        var later = whole
        // Another version, with a checksum that is right for it, has another name; this is one that lies.
        later[8] = 2
        let damages = try [
            Data(), whole.prefix(100), whole.dropLast(), whole + [0], Data(count: whole.count), later,
            #require(other.contents().first),
        ]
        for damage in damages {
            try damage.write(to: URL(filePath: file))
            let start = try world.start()
            #expect(try start.logits() == plain && start.notices.count == 1)
            #expect(try world.contents() == [whole])
        }
        try FileManager.default.removeItem(atPath: file)
        #expect(mkfifo(file, 0o600) == 0)
        #expect(try world.start().logits() == plain)
        #expect(try world.contents() == [whole])
    }

    @Test func `of a file that was written since are not used, though its size and time are the same`() throws {
        let world = try World()
        let before = try world.start().logits()
        let url = URL(filePath: world.model)
        let date = try #require(FileManager.default.attributesOfItem(atPath: world.model)[.modificationDate] as? Date)
        var bytes = try Data(contentsOf: url)
        // In the middle of a matrix, where no sample of identity() looks.
        let place = bytes.count - 20_001
        bytes[place] ^= 0x40
        let handle = try FileHandle(forWritingTo: url)
        try handle.write(contentsOf: bytes)
        try handle.close()
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: world.model)
        let after = try world.start()
        #expect(try after.logits() == world.start(keeping: false).logits())
        #expect(try after.logits() != before && world.packed.count == 2)
    }

    @Test func `are the user's alone`() throws {
        let world = try World()
        _ = try world.start()
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
        #expect(try mode(world.options.folder.path) == 0o700)
        #expect(try world.files.allSatisfy { try mode($0) == 0o600 } && world.files.count == 2)
    }

    @Test func `that shrink or are written to under a loaded model are an error of the next pass`() throws {
        let world = try World()
        _ = try world.start()
        let written = try world.start(), shrunk = try world.start()
        _ = try written.logits()
        let file = world.packed[0]
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        try handle.write(contentsOf: [0])
        try handle.close()
        for _ in 0..<2 { #expect(throws: ChangedFileError(file: file)) { try written.logits() } }
        #expect(truncate(file, 100) == 0)
        for _ in 0..<2 { #expect(throws: ChangedFileError(file: file)) { try shrunk.logits() } }
    }

    @Test func `that are deleted under a loaded model stay its own`() throws {
        let world = try World()
        let plain = try world.start().logits()
        let later = try world.start()
        for file in world.files { try FileManager.default.removeItem(atPath: file) }
        #expect(try later.logits() == plain)
    }
}

@Suite struct `The folder of packed weights` {
    @Test func `that cannot be made or written is told of once and harms nothing`() throws {
        let world = try World()
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
        let world = try World()
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
        let world = try World("grouped")
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
        let world = try World()
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
        let world = try World()
        let plain = try world.start(keeping: false).logits()
        var inner: World.Start?
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
        let world = try World()
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
