// PackedWeightTests.swift — packed weights that are kept on disk: the same bits as packed ones, whatever befalls the file.

import Foundation
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `Packed weights on disk` {
    @Test(arguments: ["tied", "grouped"], [nil] + Quantisation.allCases)
    func `give the bits of weights packed in memory, at the first start and at every later one`(
        name: String, quantisation: Quantisation?
    ) throws {
        let world = try PackedWorld(name)
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
        let world = try PackedWorld()
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
        let world = try PackedWorld()
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
        let world = try PackedWorld(), other = try PackedWorld("grouped")
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
        let world = try PackedWorld()
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
        let world = try PackedWorld()
        _ = try world.start()
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
        #expect(try mode(world.options.folder.path) == 0o700)
        #expect(try world.files.allSatisfy { try mode($0) == 0o600 } && world.files.count == 2)
    }

    @Test func `that shrink or are written to under a loaded model are an error of the next pass`() throws {
        let world = try PackedWorld()
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
        let world = try PackedWorld()
        let plain = try world.start().logits()
        let later = try world.start()
        for file in world.files { try FileManager.default.removeItem(atPath: file) }
        #expect(try later.logits() == plain)
    }
}
