// PackedWorld.swift — a model, a folder of packed weights and starts of the program, for the tests of what is kept.

import Foundation
import Testing

@testable import Engine

/// A copy of a golden model and a cache folder of its own.
final class PackedWorld {
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

    func preview(_ quantisation: Quantisation? = nil, keeping: Bool = true) throws -> PackingPreview {
        let packing = ModelPacking(
            backend: try CPUBackend(threads: 1), cache: keeping ? options : nil, cancellation: Cancellation())
        return try packing.preview(of: LanguageCheckpoint(path: model), as: quantisation)
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
