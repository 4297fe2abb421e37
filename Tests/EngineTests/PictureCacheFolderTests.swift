// PictureCacheFolderTests.swift — the folder of encoded pictures: who may read it, what it keeps, what it lets go of.

import Foundation
import Testing

@testable import Engine

@Suite struct `The folder of encoded pictures` {
    @Test func `entries and folder are the user's alone`() throws {
        let folder = PictureFolder()
        _ = try PictureWorld.talk(PictureWorld.models(.none, cache: folder.options))
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
        #expect(try mode(folder.options.folder.path) == 0o700)
        #expect(try folder.files.allSatisfy { try mode($0) == 0o600 } && !folder.files.isEmpty)
    }

    @Test func `a folder that cannot be made is told of once and harms nothing`() throws {
        let plain = try PictureWorld.talk(PictureWorld.models(.picture, cache: nil))
        // A file stands where the folder should be: unlike permissions, that stops even the superuser.
        let place = PictureFolder()
        try FileManager.default.createDirectory(at: place.options.folder, withIntermediateDirectories: true)
        let file = place.options.folder.appending(path: "file")
        try Data("x".utf8).write(to: file)
        for path in [file, file.appending(path: "pictures"), URL(filePath: "/proc/specchat")] {
            let outcome = try PictureWorld.talk(PictureWorld.models(.picture, cache: PictureCacheOptions(folder: path)))
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
        let folder = PictureFolder(bytes: 3 * size)
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
        let folder = PictureFolder()
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
        let folder = PictureFolder()
        let models = try PictureWorld.models(.picture, cache: folder.options)
        let conversation = Conversation(models: models)
        try conversation.attach(PictureWorld.pictures[0], emit: { _ in }, cancellation: Cancellation())
        conversation.clear()
        try conversation.attach(PictureWorld.pictures[0], emit: { _ in }, cancellation: Cancellation())
        try conversation.rewind(toTurn: 0, keepingPictures: false)
        var options = GenerationOptions()
        options.maximumTokens = 3
        try conversation.ask("No picture?", options: options, emit: { _ in }, cancellation: Cancellation())
        #expect(folder.files.isEmpty)
    }

    @Test func `a picture whose encoding was stopped leaves no other text under its name`() throws {
        let folder = PictureFolder()
        let models = try PictureWorld.models(.picture, cache: folder.options)
        let conversation = Conversation(models: models)
        let cancellation = Cancellation()
        #expect(throws: CancellationError.self) {
            try conversation.attach(
                PictureWorld.pictures[0], emit: { _ in cancellation.cancel() }, cancellation: cancellation)
        }
        var options = GenerationOptions()
        options.maximumTokens = 40
        for question in ["What is there to see?", "And what else could there be?"] {
            try conversation.ask(question, options: options, emit: { _ in }, cancellation: Cancellation())
        }
        #expect(folder.files.isEmpty)
        let plain = try PictureWorld.talk(PictureWorld.models(.picture, cache: nil))
        for _ in 0..<2 { #expect(try PictureWorld.talk(models).tokens == plain.tokens) }
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
