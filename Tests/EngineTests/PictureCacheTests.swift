// PictureCacheTests.swift — pictures that are kept encoded: answers are the same with them, and no damaged one is trusted.

import Foundation
import Testing

@testable import Engine

@Suite struct `The picture cache` {
    @Test(arguments: PictureWorld.Draft.allCases)
    private func `answers are the same with a cold cache, a warm one and none, and a warm one encodes nothing`(
        draft: PictureWorld.Draft
    ) throws {
        let folder = PictureFolder()
        let plain = try PictureWorld.talk(PictureWorld.models(draft, cache: nil))
        let cold = try PictureWorld.talk(PictureWorld.models(draft, cache: folder.options))
        #expect(plain.encoded == 2 && cold == plain)
        // Two pictures, and the opening's rows of each model that sees.
        #expect(folder.files.count == (draft == .picture ? 4 : 3))
        let models = try PictureWorld.models(draft, cache: folder.options)
        for _ in 0..<2 {
            let warm = try PictureWorld.talk(models)
            #expect(warm.encoded == 0)
            #expect(warm.tokens == plain.tokens && warm.context == plain.context && warm.notices == [])
        }
        #expect(folder.files.count == (draft == .picture ? 4 : 3))
    }

    @Test func `a quantised model does not begin with the rows of the one that it was made of`() throws {
        let folder = PictureFolder()
        let floats = try PictureWorld.talk(PictureWorld.models(.none, cache: folder.options))
        let plain = try PictureWorld.talk(PictureWorld.models(.none, cache: nil, quantisation: .q4_0))
        // Equal answers would prove nothing.
        #expect(plain.tokens != floats.tokens)
        #expect(
            try PictureWorld.talk(PictureWorld.models(.none, cache: folder.options, quantisation: .q4_0)).tokens
                == plain.tokens)
        #expect(try PictureWorld.talk(PictureWorld.models(.none, cache: folder.options)).tokens == floats.tokens)
    }

    @Test func `a restored conversation begins with the kept rows, too`() throws {
        let folder = PictureFolder()
        let past = [
            PastTurn(
                images: [PictureWorld.pictures[0], PictureWorld.pictures[1]], question: "Two?", answer: [7, 9, 11])
        ]
        let plain = try PictureWorld.talk(PictureWorld.models(.picture, cache: nil), restoring: past)
        let cold = try PictureWorld.talk(PictureWorld.models(.picture, cache: folder.options), restoring: past)
        let warm = try PictureWorld.talk(PictureWorld.models(.picture, cache: folder.options), restoring: past)
        // The third picture is the second one again.
        #expect(plain.encoded == 3 && cold.encoded == 2 && warm.encoded == 0)
        #expect(cold.tokens == plain.tokens && warm.tokens == plain.tokens)
    }

    @Test func `an entry with any bit flipped is computed anew and replaced`() throws {
        let folder = PictureFolder()
        let models = try PictureWorld.models(.picture, cache: folder.options)
        let plain = try PictureWorld.talk(PictureWorld.models(.picture, cache: nil))
        _ = try PictureWorld.talk(models)
        let whole = try folder.files.map { try Data(contentsOf: URL(filePath: $0)) }
        let read = try filesRead(in: folder) { _ = try PictureWorld.talk(models) }
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
            #expect(try PictureWorld.talk(models).tokens == plain.tokens)
            let mended = try Data(contentsOf: URL(filePath: folder.files[file])) == whole[file]
            #expect(mended == read.contains(folder.files[file]), "bit at \(place) of \(folder.files[file])")
            try whole[file].write(to: URL(filePath: folder.files[file]))
        }
    }

    /// The files whose time of last use was set by `body`.
    private func filesRead(in folder: PictureFolder, by body: () throws -> Void) throws -> [String] {
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
        let folder = PictureFolder()
        let models = try PictureWorld.models(.none, cache: folder.options)
        let plain = try PictureWorld.talk(models)
        let files = folder.files
        let whole = try files.map { try Data(contentsOf: URL(filePath: $0)) }
        let damages: [(Int) -> Data] = [
            { _ in Data() }, { whole[$0].prefix(40) }, { whole[$0].dropLast() }, { whole[$0] + [0] },
            { whole[($0 + 1) % whole.count] }, { Data(repeating: 0xFF, count: whole[$0].count) },
        ]
        for damage in damages {
            for index in files.indices { try damage(index).write(to: URL(filePath: files[index])) }
            #expect(try PictureWorld.talk(models).tokens == plain.tokens)
            #expect(try files.map { try Data(contentsOf: URL(filePath: $0)) } == whole)
        }
        try FileManager.default.removeItem(atPath: files[0])
        try FileManager.default.createDirectory(atPath: files[0], withIntermediateDirectories: false)
        try FileManager.default.removeItem(atPath: files[1])
        #expect(mkfifo(files[1], 0o600) == 0)
        #expect(try PictureWorld.talk(models).tokens == plain.tokens)
    }
}
