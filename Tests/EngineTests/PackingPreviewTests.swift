// PackingPreviewTests.swift — what a model would take once it is packed: the numbers that packing then proves right.

import Foundation
import Testing

@testable import Engine

@Suite struct `What a packed model would take` {
    private func keeping(_ world: PackedWorld, _ quantisation: Quantisation?) throws -> PackingPreview.Keeping {
        guard case .kept(let keeping) = try world.preview(quantisation).rule else {
            throw CocoaError(.featureUnsupported)
        }
        return keeping
    }

    @Test(arguments: ["tied", "grouped"], [nil] + Quantisation.allCases)
    func `is what its file then takes, under the name that was foretold`(
        name: String, quantisation: Quantisation?
    ) throws {
        let world = try PackedWorld(name)
        let before = try keeping(world, quantisation)
        #expect(before.kept == .absent(nil) && before.others == [])
        #expect(world.files.isEmpty && !FileManager.default.fileExists(atPath: world.options.folder.path))
        _ = try world.start(quantisation)
        #expect(world.packed == [before.path])
        #expect(try world.contents()[0].count == before.byteCount)
        let after = try world.preview(quantisation)
        let matrices = after.parts.prefix(2).reduce(0) { $0 + ($1.residentBytes ?? 0) }
        // Each weight of the file begins on a page of its own, and the file with a header.
        #expect(matrices < before.byteCount && before.byteCount - matrices < 4096 * (after.parts[0].count + 3))
        #expect(try keeping(world, quantisation).kept == .whole)
    }

    @Test func `is in parts of the model, each with its type before and after`() throws {
        let world = try PackedWorld("grouped")
        let parts = try world.preview(.q8_0).parts
        let configuration = try LanguageCheckpoint(path: world.model).configuration
        #expect(parts.map(\.name) == ["blocks", "output head", "embedding", "norms"])
        #expect(parts.map(\.count) == [7 * configuration.blocks, 1, 1, 2 * configuration.blocks + 1])
        #expect(
            parts[0].packedType?.contains("Q8_0") == true && parts[2].residentBytes == nil
                && parts[3].packedType == "F32")
        for part in try world.preview().parts.prefix(2) { #expect(part.packedType == part.fileType) }
        #expect(try world.preview(.q4_0).residentBytes < world.preview(.q8_0).residentBytes)
    }

    @Test func `says whether the kept file still fits, and looking changes nothing`() throws {
        let world = try PackedWorld()
        _ = try world.start(.q4_0)
        let first = try keeping(world, .q4_0)
        func times() throws -> [Date?] {
            try world.files.map { try FileManager.default.attributesOfItem(atPath: $0)[.modificationDate] as? Date }
        }
        let seal = world.files.filter { $0.hasSuffix(".seal") }, untouched = try times()
        #expect(try first.kept == .whole && times() == untouched)
        try world.restarted()
        #expect(try keeping(world, .q4_0).kept == .unread && seal.allSatisfy { access($0, F_OK) != 0 })
        var bytes = try Data(contentsOf: URL(filePath: first.path))
        bytes[60] ^= 1
        try bytes.write(to: URL(filePath: first.path))
        #expect(try keeping(world, .q4_0).kept == .damaged && world.packed == [first.path])
        // The model is written to: its copy is of another model now, and another type's never was its own.
        bytes[60] ^= 1
        try bytes.write(to: URL(filePath: first.path))
        _ = try world.start(.q8_0)
        let handle = try FileHandle(forWritingTo: URL(filePath: world.model))
        try handle.seekToEnd()
        try handle.write(contentsOf: [0])
        try handle.close()
        let changed = try keeping(world, .q4_0)
        #expect(changed.kept == .absent(nil) && changed.path != first.path && changed.others == [first.path])
    }

    @Test func `says why nothing is kept`() throws {
        let world = try PackedWorld()
        #expect(try world.preview(keeping: false).rule == .turnedOff)
        let bytes = try keeping(world, nil).byteCount
        world.options.byteLimit = 1000
        #expect(try world.preview().rule == .tooLarge(bytes, limit: 1000))
        world.options.leastBytes = 1 << 30
        #expect(try world.preview().rule == .tooSmall(least: 1 << 30))
        (world.options.leastBytes, world.options.byteLimit, world.options.spareBytes) = (0, 1 << 30, 1 << 60)
        try FileManager.default.createDirectory(at: world.options.folder, withIntermediateDirectories: true)
        guard case .absent(let lack?) = try keeping(world, nil).kept else {
            Issue.record("a disk without room goes for one with it")
            return
        }
        #expect(lack.reason.contains("has no room for"))
    }

    @Test func `is told in lines, vision and draft too`() throws {
        let demo = Golden.folder.appending(path: "../../../Assets/demo").standardizedFileURL.path
        let bundle = try ModelBundle.open(model: demo, mmproj: nil, draft: "small", draftProjector: nil)
        let description = try CheckpointDescription(packing: bundle, named: demo, as: .q4_0, cache: nil)
        #expect(description.summary.map(\.name) == ["model", "becomes", "memory", "kept", "runs here"])
        #expect(description.summary[1].value.hasPrefix("nothing else: its weights are Q8_0 already"))
        #expect(description.summary[3].value == "no: --weight-cache is 0, so it is packed anew at every start")
        #expect(
            description.sections.map(\.title) == [
                "target: target.gguf", "vision: vision.gguf", "draft small: draft-small.gguf",
            ])
        let world = try PackedWorld()
        let single = try ModelBundle.open(model: world.model, mmproj: nil, draft: "none", draftProjector: nil)
        let text = try CheckpointDescription(packing: single, named: "m", as: .q4_0, cache: world.options).text
        for fact in [
            "not yet: the first start packs it", world.options.folder.path, "m --quantize q4_0", "Q4_0 in memory",
        ] {
            #expect(text.contains(fact), "\(fact)\n\(text)")
        }
    }

    @Test func `of a vision model is what its weights then take`() throws {
        let backend = try CPUBackend(threads: 1)
        let checkpoint = try VisionCheckpoint(path: Golden("tied").path("vision.gguf"))
        let preview = try ModelPacking(backend: backend, cache: nil, cancellation: Cancellation()).preview(
            of: checkpoint)
        #expect(preview.parts.map(\.name) == ["vision tower", "projector"] && preview.rule == nil)
        let tower = checkpoint.configuration
        let numbers = (tower.shapes + tower.projector.shapes).reduce(0) { $0 + $1.rows * $1.columns }
        // Float32, or two bytes where the processor has the kernel for it; rounded up to rows and blocks of sixteen.
        #expect((2 * numbers...6 * numbers).contains(preview.residentBytes))
    }
}
