import Foundation
import Testing

@testable import Engine

/// A folder of its own that is gone after the test.
private final class CacheFolder {
    let options: PictureCacheOptions

    init(bytes: Int = 64 << 20) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-pictures-\(UUID().uuidString)")
        var options = PictureCacheOptions(folder: folder)
        options.byteLimit = bytes
        self.options = options
    }

    deinit {
        chmod(options.folder.path, 0o700)
        try? FileManager.default.removeItem(at: options.folder)
    }

    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: options.folder.path)) ?? []).sorted()
            .map { options.folder.appending(path: $0).path }
    }
}

/// What a conversation about two pictures was, and what it took.
private struct Outcome: Equatable {
    var tokens: [[Int32]] = []
    var context: [Int] = []
    var notices: [String] = []
    /// Pictures that went through the vision tower.
    var encoded = 0
}

private enum World {
    static let pictures: [PixelImage] = (0..<2).map { number in
        var random = SeededGenerator(seed: UInt64(100 + number))
        let pixels = (0..<30 * 30 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return PixelImage(
            width: 30, height: 30, pixels: pixels, source: .init(name: "picture \(number)", width: 30, height: 30))
    }

    enum Draft: CaseIterable { case none, text, picture }

    static func models(
        _ draft: Draft, cache: PictureCacheOptions?, quantisation: Quantisation? = nil
    ) throws -> LoadedModels {
        let golden = try Golden("grouped")
        let bundle = try ModelBundle.open(
            model: golden.path("language.gguf"), mmproj: golden.path("vision.gguf"),
            draft: draft == .none ? "none" : Golden(draft == .text ? "theta" : "grouped").path("language.gguf"),
            draftProjector: draft == .picture ? golden.path("vision.gguf") : nil)
        var options = EngineOptions()
        (options.threads, options.contextLength, options.pictureCache) = (1, 300, cache)
        options.quantisation = quantisation
        return try LoadedModels(bundle: bundle, options: options, emit: { _ in }, cancellation: Cancellation())
    }

    /// A conversation from its beginning: one picture, an answer, another picture, an answer.
    static func talk(_ models: LoadedModels, restoring past: [PastTurn] = []) throws -> Outcome {
        let conversation = Conversation(models: models)
        var outcome = Outcome()
        var options = GenerationOptions()
        (options.sampler.temperature, options.maximumTokens) = (0.8, 8)
        let emit: ChatEngine.Emit = { event in
            switch event {
            case .progress(let progress):
                if progress.phase == .encodingImage, progress.completed == progress.total { outcome.encoded += 1 }
            case .picture: break
            case .notice(let notice): outcome.notices.append(notice.text)
            case .round: break
            case .finished(let report):
                outcome.tokens.append(report.tokens)
                outcome.context.append(report.contextUsed)
            }
        }
        if past.isEmpty {
            try conversation.attach(pictures[0], emit: emit, cancellation: Cancellation())
        } else {
            try conversation.restore(past, emit: emit, cancellation: Cancellation())
        }
        try conversation.ask("What is it?", options: options, emit: emit, cancellation: Cancellation())
        try conversation.attach(pictures[1], emit: emit, cancellation: Cancellation())
        try conversation.ask("And this?", options: options, emit: emit, cancellation: Cancellation())
        return outcome
    }
}

@Suite struct `The picture cache` {
    @Test(arguments: World.Draft.allCases)
    private func `answers are the same with a cold cache, a warm one and none, and a warm one encodes nothing`(
        draft: World.Draft
    ) throws {
        let folder = CacheFolder()
        let plain = try World.talk(World.models(draft, cache: nil))
        let cold = try World.talk(World.models(draft, cache: folder.options))
        #expect(plain.encoded == 2 && cold == plain)
        // Two pictures, and the opening's rows of each model that sees.
        #expect(folder.files.count == (draft == .picture ? 4 : 3))
        let models = try World.models(draft, cache: folder.options)
        for _ in 0..<2 {
            let warm = try World.talk(models)
            #expect(warm.encoded == 0)
            #expect(warm.tokens == plain.tokens && warm.context == plain.context && warm.notices == [])
        }
        #expect(folder.files.count == (draft == .picture ? 4 : 3))
    }

    @Test func `a quantised model does not begin with the rows of the one that it was made of`() throws {
        let folder = CacheFolder()
        let floats = try World.talk(World.models(.none, cache: folder.options))
        let plain = try World.talk(World.models(.none, cache: nil, quantisation: .q4_0))
        // Equal answers would prove nothing.
        #expect(plain.tokens != floats.tokens)
        #expect(try World.talk(World.models(.none, cache: folder.options, quantisation: .q4_0)).tokens == plain.tokens)
        #expect(try World.talk(World.models(.none, cache: folder.options)).tokens == floats.tokens)
    }

    @Test func `a restored conversation begins with the kept rows, too`() throws {
        let folder = CacheFolder()
        let past = [PastTurn(images: [World.pictures[0], World.pictures[1]], question: "Two?", answer: [7, 9, 11])]
        let plain = try World.talk(World.models(.picture, cache: nil), restoring: past)
        let cold = try World.talk(World.models(.picture, cache: folder.options), restoring: past)
        let warm = try World.talk(World.models(.picture, cache: folder.options), restoring: past)
        // The third picture is the second one again.
        #expect(plain.encoded == 3 && cold.encoded == 2 && warm.encoded == 0)
        #expect(cold.tokens == plain.tokens && warm.tokens == plain.tokens)
    }

    @Test func `an entry with any bit flipped is computed anew and replaced`() throws {
        let folder = CacheFolder()
        let models = try World.models(.picture, cache: folder.options)
        let plain = try World.talk(World.models(.picture, cache: nil))
        _ = try World.talk(models)
        let whole = try folder.files.map { try Data(contentsOf: URL(filePath: $0)) }
        let read = try filesRead(in: folder) { _ = try World.talk(models) }
        #expect(read.count == 3, "the first picture's own numbers are not needed beside its rows")
        var random = SeededGenerator(seed: 50)
        for trial in 0..<50 {
            let file = Int.random(in: 0..<whole.count, using: &random)
            // Half of the places in the head, where lengths and versions are.
            let reach = trial % 2 == 0 ? 80 : whole[file].count
            let place = Int.random(in: 0..<reach, using: &random)
            var bytes = whole[file]
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try bytes.write(to: URL(filePath: folder.files[file]))
            #expect(try World.talk(models).tokens == plain.tokens)
            let mended = try Data(contentsOf: URL(filePath: folder.files[file])) == whole[file]
            #expect(mended == read.contains(folder.files[file]), "bit at \(place) of \(folder.files[file])")
            try whole[file].write(to: URL(filePath: folder.files[file]))
        }
    }

    /// The files whose time of last use was set by `body`.
    private func filesRead(in folder: CacheFolder, by body: () throws -> Void) throws -> [String] {
        let past = Date(timeIntervalSince1970: 1_000_000_000)
        for file in folder.files {
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: file)
        }
        try body()
        return try folder.files.filter { file in
            try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date != past
        }
    }

    @Test func `entries that are cut off, longer, empty, of another picture or no files are not trusted`() throws {
        let folder = CacheFolder()
        let models = try World.models(.none, cache: folder.options)
        let plain = try World.talk(models)
        let files = folder.files
        let whole = try files.map { try Data(contentsOf: URL(filePath: $0)) }
        let damages: [(Int) -> Data] = [
            { _ in Data() }, { whole[$0].prefix(40) }, { whole[$0].dropLast() }, { whole[$0] + [0] },
            { whole[($0 + 1) % whole.count] }, { Data(repeating: 0xFF, count: whole[$0].count) },
        ]
        for damage in damages {
            for index in files.indices { try damage(index).write(to: URL(filePath: files[index])) }
            #expect(try World.talk(models).tokens == plain.tokens)
            #expect(try files.map { try Data(contentsOf: URL(filePath: $0)) } == whole)
        }
        try FileManager.default.removeItem(atPath: files[0])
        try FileManager.default.createDirectory(atPath: files[0], withIntermediateDirectories: false)
        try FileManager.default.removeItem(atPath: files[1])
        #expect(mkfifo(files[1], 0o600) == 0)
        #expect(try World.talk(models).tokens == plain.tokens)
    }

    @Test func `entries and folder are the user's alone`() throws {
        let folder = CacheFolder()
        _ = try World.talk(World.models(.none, cache: folder.options))
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
        #expect(try mode(folder.options.folder.path) == 0o700)
        #expect(try folder.files.allSatisfy { try mode($0) == 0o600 } && !folder.files.isEmpty)
    }

    @Test func `a folder that cannot be made is told of once and harms nothing`() throws {
        let plain = try World.talk(World.models(.picture, cache: nil))
        // A file stands where the folder should be: unlike permissions, that stops even the superuser.
        let place = CacheFolder()
        try FileManager.default.createDirectory(at: place.options.folder, withIntermediateDirectories: true)
        let file = place.options.folder.appending(path: "file")
        try Data("x".utf8).write(to: file)
        for path in [file, file.appending(path: "pictures"), URL(filePath: "/proc/specchat")] {
            let outcome = try World.talk(World.models(.picture, cache: PictureCacheOptions(folder: path)))
            #expect(outcome.tokens == plain.tokens)
            #expect(outcome.notices.count == 1)
            #expect(outcome.notices.first?.hasPrefix("Going on without keeping pictures for later: cannot ") == true)
        }
    }

    @Test func `a full disk is told of once and leaves no half of an entry`() throws {
        try #require(access("/dev/full", W_OK) == 0)
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let key = SHA256Digest(of: [1])
        #expect(!PictureCacheFile.write([[1, 2]], key: key, to: descriptor) && errno == ENOSPC)
    }

    @Test func `what was not used for longest goes first, and nothing larger than the bound is kept`() throws {
        let keys = (0..<5).map { SHA256Digest(of: [UInt8($0)]) }
        let size = PictureCacheFile.byteCount([1000])
        let folder = CacheFolder(bytes: 3 * size)
        let cache = PictureCache(folder.options)
        func age(_ key: SHA256Digest, seconds: Double) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -seconds)],
                ofItemAtPath: folder.options.folder.appending(path: key.hexadecimal + ".rows").path)
        }
        for index in 0..<3 {
            cache.store([[Float](repeating: Float(index), count: 1000)], as: keys[index])
            try age(keys[index], seconds: Double(300 - index))
        }
        // Read, so the second is now the oldest.
        #expect(cache.load(keys[0])?[0].first == 0)
        cache.store([[Float](repeating: 3, count: 1000)], as: keys[3])
        #expect(keys.map { cache.load($0) != nil } == [true, false, true, true, false])
        cache.store([[Float](repeating: 4, count: 3100)], as: keys[4])
        #expect(keys.map { cache.load($0) != nil } == [true, false, true, true, false])
        #expect(cache.takeFault() == nil)
        // Replacing an entry counts it once.
        cache.store([[Float](repeating: 9, count: 1000)], as: keys[3])
        #expect(keys.map { cache.load($0)?[0].first } == [0, nil, 2, 9, nil])
    }

    @Test func `what a killed program left behind is cleared away in time`() throws {
        let folder = CacheFolder()
        try FileManager.default.createDirectory(at: folder.options.folder, withIntermediateDirectories: true)
        let old = folder.options.folder.appending(path: "a.unfinished"),
            new = folder.options.folder.appending(path: "b.unfinished")
        for file in [old, new] { try Data("x".utf8).write(to: file) }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: old.path)
        PictureCache(folder.options).store([[1]], as: SHA256Digest(of: [1]))
        #expect(folder.files.count == 2 && folder.files.contains(new.path))
    }

    @Test func `a picture that is not asked about, and one that was taken back, leave nothing`() throws {
        let folder = CacheFolder()
        let models = try World.models(.picture, cache: folder.options)
        let conversation = Conversation(models: models)
        try conversation.attach(World.pictures[0], emit: { _ in }, cancellation: Cancellation())
        conversation.clear()
        try conversation.attach(World.pictures[0], emit: { _ in }, cancellation: Cancellation())
        try conversation.rewind(toTurn: 0, keepingPictures: false)
        var options = GenerationOptions()
        options.maximumTokens = 3
        try conversation.ask("No picture?", options: options, emit: { _ in }, cancellation: Cancellation())
        #expect(folder.files.isEmpty)
    }

    @Test func `a picture whose encoding was stopped leaves no other text under its name`() throws {
        let folder = CacheFolder()
        let models = try World.models(.picture, cache: folder.options)
        let conversation = Conversation(models: models)
        let cancellation = Cancellation()
        #expect(throws: CancellationError.self) {
            try conversation.attach(World.pictures[0], emit: { _ in cancellation.cancel() }, cancellation: cancellation)
        }
        var options = GenerationOptions()
        options.maximumTokens = 40
        for question in ["What is there to see?", "And what else could there be?"] {
            try conversation.ask(question, options: options, emit: { _ in }, cancellation: Cancellation())
        }
        #expect(folder.files.isEmpty)
        let plain = try World.talk(World.models(.picture, cache: nil))
        for _ in 0..<2 { #expect(try World.talk(models).tokens == plain.tokens) }
    }

    @Test(
        arguments: [
            (["XDG_CACHE_HOME": "/c", "HOME": "/h"], "/c/specchat/pictures"),
            (["XDG_CACHE_HOME": "relative", "HOME": "/h"], "/h/.cache/specchat/pictures"),
            (["XDG_CACHE_HOME": "", "HOME": "/h"], "/h/.cache/specchat/pictures"), ([:], nil),
        ] as [([String: String], String?)])
    func `the folder is the XDG cache folder`(environment: [String: String], folder: String?) {
        #expect(PictureCacheOptions.standard(environment: environment)?.folder.path == folder)
    }
}
