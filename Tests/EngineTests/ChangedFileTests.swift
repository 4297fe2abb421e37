import Foundation
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A model of a format in a folder of its own, and the file of it that a test breaks.
private struct Victim: Sendable, CustomTestStringConvertible {
    let golden: String
    let file: String
    var testDescription: String { golden }

    static let all = [
        Victim(golden: "grouped", file: "language.gguf"),
        Victim(golden: "folders/published", file: "model/model.safetensors"),
        Victim(golden: "folders/saved", file: "model/model-00002-of-00006.safetensors"),
    ]

    func copy() throws -> (folder: ScratchFolder, model: String, file: String) {
        let golden = try Golden(golden)
        let folder = try ScratchFolder.copy(of: golden)
        let model = golden.language.replacingOccurrences(of: golden.directory.path, with: folder.path)
        return (folder, model, "\(folder.path)/\(file)")
    }
}

@Suite struct `A model file that changes while it is in use` {
    @Test(arguments: Victim.all)
    fileprivate func `shrinks under a loaded model, and every pass says so`(victim: Victim) throws {
        let (folder, path, file) = try victim.copy()
        defer { _ = folder }
        let model = try LanguageModel(LanguageCheckpoint(path: path), backend: CPUBackend(threads: 2))
        let cache = model.makeCache(capacity: 64)
        func logits() throws -> [Float] {
            let tokens: [Int32] = [1, 200, 300]
            let (pass, hidden) = model.forward(.tokens(tokens), plan: .text(rows: 3, after: 0), cache: cache)
            return try pass.read(model.logits(of: hidden, in: pass))
        }
        #expect(try logits().allSatisfy(\.isFinite))
        #expect(truncate(file, 100) == 0)
        for _ in 0..<2 { #expect(throws: ChangedFileError(file: file)) { try logits() } }
    }

    @Test(arguments: Victim.all)
    fileprivate func `shrinks while it is read, and loading says so`(victim: Victim) throws {
        let (folder, path, file) = try victim.copy()
        defer { _ = folder }
        let checkpoint = try LanguageCheckpoint(path: path)
        let error = #expect(throws: (any Error).self) {
            let model = try LanguageModel(checkpoint, backend: CPUBackend(threads: 1)) { done, _ in
                if done == 1 { #expect(truncate(file, 100) == 0) }
            }
            // A file whose numbers had all been read by then shows it in the first pass.
            let cache = model.makeCache(capacity: 4)
            let (pass, hidden) = model.forward(.tokens([1]), plan: .text(rows: 1, after: 0), cache: cache)
            _ = try pass.read(hidden)
        }
        #expect(error as? ChangedFileError == ChangedFileError(file: file))
    }

    @Test func `is written to in place, and the next pass says so`() throws {
        let (folder, path, file) = try Victim.all[0].copy()
        defer { _ = folder }
        let model = try LanguageModel(LanguageCheckpoint(path: path), backend: CPUBackend(threads: 1))
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        try handle.seekToEnd()
        try handle.seek(toOffset: handle.offset() - 4)
        try handle.write(contentsOf: [1, 2, 3, 4])
        try handle.close()
        let cache = model.makeCache(capacity: 4)
        let (pass, hidden) = model.forward(.tokens([1]), plan: .text(rows: 1, after: 0), cache: cache)
        #expect(throws: ChangedFileError(file: file)) { try pass.argmax(model.logits(of: hidden, in: pass)) }
    }

    @Test func `is replaced under its name, and the model goes on with the old one`() throws {
        let (folder, path, file) = try Victim.all[0].copy()
        defer { _ = folder }
        let model = try LanguageModel(LanguageCheckpoint(path: path), backend: CPUBackend(threads: 1))
        try FileManager.default.removeItem(atPath: file)
        try Data([1, 2, 3]).write(to: URL(filePath: file))
        let cache = model.makeCache(capacity: 4)
        let (pass, hidden) = model.forward(.tokens([1]), plan: .text(rows: 1, after: 0), cache: cache)
        #expect(throws: Never.self) { try pass.argmax(model.logits(of: hidden, in: pass)) }
    }

    @Test func `has shrunk before its vocabulary is read, and the reason is given`() throws {
        let (folder, path, file) = try Victim.all[0].copy()
        defer { _ = folder }
        let checkpoint = try LanguageCheckpoint(path: path)
        #expect(truncate(file, 100) == 0)
        let error = #expect(throws: GGUFError.self) { try checkpoint.vocabulary() }
        #expect(error?.fault == .changed)
    }

    @Test func `is one for the whole conversation, which goes on to say so`() async throws {
        let (folder, path, file) = try Victim.all[0].copy()
        defer { _ = folder }
        let bundle = try ModelBundle.open(model: path, mmproj: nil, draft: nil, draftProjector: nil)
        let engine = ChatEngine(bundle: bundle, options: EngineOptions())
        for try await _ in engine.load() {}
        #expect(truncate(file, 100) == 0)
        for _ in 0..<2 {
            await #expect(throws: ChangedFileError(file: file)) {
                for try await _ in engine.ask("Hello", options: GenerationOptions()) {}
            }
        }
    }

    private func truncate(_ path: String, _ length: Int) -> Int32 {
        truncateFile(path, length)
    }
}

private func truncateFile(_ path: String, _ length: Int) -> Int32 { truncate(path, length) }
