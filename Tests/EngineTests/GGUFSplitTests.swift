import Foundation
import Testing

@testable import Engine

extension GGUFBuilder {
    /// The model in several files as llama.cpp's gguf-split writes them: all keys in the first, tensors in all.
    ///
    /// - Parameter counts: how many tensors each file has.
    func split(_ counts: [Int]) -> [GGUFBuilder] {
        var rest = tensors[...]
        return counts.enumerated().map { number, count in
            var part = number == 0 ? self : GGUFBuilder()
            part.tensors = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            part.set("split.no", .uint16(UInt16(number)))
            part.set("split.count", .uint16(UInt16(counts.count)))
            part.set("split.tensors.count", .int32(Int32(tensors.count)))
            return part
        }
    }
}

@Suite struct `A GGUF model in several files` {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func name(_ number: Int, of count: Int) -> String { "m-0000\(number)-of-0000\(count).gguf" }

    /// Writes the parts under their names and says where the first is.
    private func write(_ parts: [GGUFBuilder]) throws -> String {
        for (number, part) in parts.enumerated() {
            try scratch.write(part.bytes, to: name(number + 1, of: parts.count))
        }
        return "\(scratch.path)/\(name(1, of: parts.count))"
    }

    private func fault(_ path: String) -> GGUFError.Fault? {
        do throws(GGUFError) {
            _ = try GGUF(path: path)
            return nil
        } catch { return error.fault }
    }

    @Test(arguments: [[12], [0, 12], [5, 7], [1, 0, 11], [4, 4, 4], [12, 0]])
    func `reads like the same model in one file`(counts: [Int]) throws {
        let whole = GGUFBuilder.language()
        let path = try write(whole.split(counts))
        let one = try whole.open(), split = try GGUF(path: path)
        #expect(split.fileCount == counts.count && split.path == path)
        #expect(try LanguageModelConfiguration(split) == LanguageModelConfiguration(one))
        #expect(try Vocabulary(split) == Vocabulary(one))
        #expect(split.tensors.map(\.name) == one.tensors.map(\.name))
        for tensor in one.tensors {
            #expect(
                Array(try split.tensor(named: tensor.name).bytes) == Array(try one.tensor(named: tensor.name).bytes))
        }
        #expect(split.byteCount == whole.split(counts).reduce(0) { $0 + $1.bytes.count })
    }

    @Test func `gives the logits of the whole`() throws {
        let whole = GGUFBuilder.language()
        let backend = ReferenceBackend()
        func logits(_ file: GGUF) throws -> [Float] {
            let model = try LanguageModel(LanguageCheckpoint(file), backend: backend)
            let cache = model.makeCache(capacity: 8)
            let (pass, hidden) = model.forward(.tokens([1, 5, 6]), plan: .text(rows: 3, after: 0), cache: cache)
            return try pass.read(model.logits(of: hidden, in: pass))
        }
        #expect(try logits(GGUF(path: write(whole.split([3, 4, 5])))) == logits(whole.open()))
    }

    @Test func `is told apart by every part`() throws {
        let path = try write(GGUFBuilder.language().split([6, 6]))
        let before = try GGUF(path: path).identity()
        var other = GGUFBuilder.language()
        other.tensors[11].data[0] ^= 1
        try scratch.write(other.split([6, 6])[1].bytes, to: name(2, of: 2))
        #expect(try GGUF(path: path).identity() != before)
    }

    @Test func `lacks a part, which is named`() throws {
        let path = try write(GGUFBuilder.language().split([4, 4, 4]))
        try scratch.remove(name(2, of: 3))
        #expect(fault(path) == .missingPart(name(2, of: 3), count: 3))
        try scratch.link(name(2, of: 3), to: "/no/such/file")
        #expect(fault(path) == .missingPart(name(2, of: 3), count: 3))
    }

    @Test func `is opened by its first part alone`() throws {
        let path = try write(GGUFBuilder.language().split([4, 4, 4]))
        let later = "\(scratch.path)/\(name(3, of: 3))"
        #expect(fault(later) == .laterPart(number: 3, count: 3, first: path))
        try FileManager.default.moveItem(atPath: path, toPath: "\(scratch.path)/renamed.gguf")
        #expect(
            fault("\(scratch.path)/renamed.gguf") == .unnamedParts(count: 3, ending: "-00001-of-00003.gguf"))
    }

    @Test func `has parts that changed places, or belong to another model`() throws {
        let parts = GGUFBuilder.language().split([4, 4, 4])
        let path = try write([parts[0], parts[2], parts[1]])
        #expect(fault(path) == .wrongPart(found: "part 3 of 3", wanted: "part 2 of 3"))
        _ = try write([parts[0], GGUFBuilder.language(), parts[2]])
        #expect(fault(path) == .wrongPart(found: "a whole model", wanted: "part 2 of 3"))
        _ = try write([parts[0], GGUFBuilder.language().split([6, 6])[1], parts[2]])
        #expect(fault(path) == .wrongPart(found: "part 2 of 2", wanted: "part 2 of 3"))
        _ = try write([parts[0], GGUFBuilder.language().split([4, 3, 5])[1], parts[2]])
        #expect(fault(path) == .partTensors(found: 11, wanted: 12))
        _ = try write([parts[0], GGUFBuilder.language().split([3, 5, 4])[1], parts[2]])
        #expect(fault(path) == .duplicateTensor("blk.0.attn_norm.weight"))
    }

    @Test func `claims impossible numbers`() throws {
        var parts = GGUFBuilder.language().split([6, 6])
        parts[0].set("split.count", .uint16(60_000))
        let path = try write(parts)
        #expect(fault(path) == .absurdValue(key: "split.count", value: "60000", allowed: "from 0 to 512"))
        parts[0].set("split.count", .uint16(2))
        parts[0].set("split.no", .uint16(2))
        _ = try write(parts)
        #expect(fault(path) == .absurdValue(key: "split.no", value: "2", allowed: "from 0 to 1"))
        parts[0].set("split.no", nil)
        _ = try write(parts)
        #expect(fault(path) == .missingKey("split.no"))
        parts[0].set("split.count", .string("2"))
        _ = try write(parts)
        #expect(fault(path) == .wrongKeyType(key: "split.count", found: "text", wanted: "a whole number"))
    }

    @Test func `is described as one, and each later part by itself`() throws {
        let path = try write(GGUFBuilder.language().split([4, 4, 4]))
        #expect(try CheckpointDescription(of: path).text.contains("in 3 files, 12 tensors"))
        let later = try CheckpointDescription(of: "\(scratch.path)/\(name(2, of: 3))")
        #expect(later.summary[0].value.contains("part 2 of 3 of a model") && later.hasProblem)
        #expect(later.lines(of: "tensors").count == 4)
    }
}
