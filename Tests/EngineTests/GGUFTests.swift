import Foundation
import Testing

@testable import Engine

@Suite struct `GGUF file` {
    @Test(arguments: [UInt32(2), 3])
    func `all thirteen value types are read`(version: UInt32) throws {
        var builder = GGUFBuilder()
        builder.version = version
        builder.keys = [
            ("a", .uint8(255)), ("b", .int8(-128)), ("c", .uint16(65535)), ("d", .int16(-32768)),
            ("e", .uint32(4_294_967_295)), ("f", .int32(-2_147_483_648)), ("g", .float32(0.5)), ("h", .bool(true)),
            ("i", .string("é▁")), ("j", .strings(["x", ""])), ("k", .uint64(.max)), ("l", .int64(.min)),
            ("m", .float64(0.1)), ("n", .lists([[1, 2], []])),
        ]
        let file = try builder.open()
        #expect(file.version == version)
        #expect(file.keys == builder.keys.map(\.0))
        #expect(["a", "c", "e"].map { file[$0] } == [.unsigned(255), .unsigned(65535), .unsigned(4_294_967_295)])
        #expect(["b", "d", "f"].map { file[$0] } == [.signed(-128), .signed(-32768), .signed(-2_147_483_648)])
        #expect(file["k"] == .unsigned(.max))
        #expect(file["l"] == .signed(.min))
        #expect(file["m"] == .float(0.1))
        #expect(try file.number("g") == 0.5)
        #expect(try file.bool("h") == true)
        #expect(try file.string("i") == "é▁")
        #expect(try file.strings("j") == ["x", ""])
        #expect(try file.string("absent") == nil)
        guard case .array(let list) = file["n"] else { return #expect(Bool(false), "a list of lists is a list") }
        #expect(list.count == 2)
    }

    @Test func `lists of numbers are read whatever their width`() throws {
        var builder = GGUFBuilder()
        builder.keys = [("floats", .floats([1.5, -2])), ("ints", .ints([3, -4]))]
        let file = try builder.open()
        #expect(try file.numbers("floats") == [1.5, -2])
        #expect(try file.numbers("ints") == [3, -4])
    }

    @Test func `a tensor is the bytes that its entry names, first dimension in a row`() throws {
        let builder = GGUFBuilder.language()
        let file = try builder.open()
        let tensor = try file.tensor(named: "blk.0.attn_k.weight")
        #expect(tensor.rows == 4 && tensor.columns == 8)
        #expect(tensor.format == .float32)
        #expect(Array(tensor.bytes) == builder.tensors.first { $0.name == tensor.name }?.data)
    }

    @Test func `a tensor outlives the file that it came from`() throws {
        func read() throws -> StoredTensor { try GGUFBuilder.language().open().tensor(named: "output.weight") }
        let tensor = try read()
        #expect(tensor.bytes.reduce(0) { $0 + Int($1) } > 0)
        #expect(tensor.owner is FileBytes)
    }

    @Test func `a convolution's kernel folds into a matrix and nothing is cut`() throws {
        let file = try GGUFBuilder.vision().open()
        let kernel = try file.tensor(named: "v.patch_embd.weight", rows: 6, columns: 3 * 14 * 14)
        #expect(kernel.bytes.count == 6 * 3 * 14 * 14 * 4)
        #expect(throws: GGUFError.self) { try file.tensor(named: "v.patch_embd.weight", rows: 7 * 3 * 6, columns: 28) }
    }

    @Test(arguments: [
        (UInt32(0), 4, 1), (1, 2, 1), (30, 2, 1), (8, 34, 32), (2, 18, 32), (3, 20, 32), (6, 22, 32), (7, 24, 32),
        (10, 84, 256), (11, 110, 256), (12, 144, 256), (13, 176, 256), (14, 210, 256), (20, 18, 32), (23, 136, 256),
    ])
    func `the types that the engine uses have the size that llama.cpp gives them`(
        type: UInt32, bytes: Int, length: Int
    ) throws {
        var builder = GGUFBuilder()
        let row = 3 * max(length, 32)
        let data = [UInt8](repeating: 7, count: 2 * row / length * bytes)
        builder.tensors = [.init(name: "t", type: type, dimensions: [UInt64(row), 2], data: data)]
        let tensor = try builder.open().tensor(named: "t")
        #expect(tensor.bytes.count == data.count && tensor.rows == 2 && tensor.columns == row)
        #expect((tensor.format.blockLength, tensor.format.blockBytes) == (length, bytes))
        #expect(!tensor.isMapped)
    }

    @Test func `a type that the engine cannot use is listed and fails only when it is used`() throws {
        var builder = GGUFBuilder()
        builder.tensors = [
            .init(name: "known", type: 17, dimensions: [256], data: [UInt8](repeating: 0, count: 74)),
            .init(name: "unknown", type: 77, dimensions: [5], data: [1, 2, 3]),
        ]
        let file = try builder.open()
        #expect(file.tensors.map(\.type.name) == ["IQ2_XS", "type 77"])
        #expect(throws: GGUFError(file: "model.gguf", .unsupportedType(tensor: "known", type: "IQ2_XS"))) {
            try file.tensor(named: "known")
        }
    }

    @Test func `a file on disk reads as its bytes do`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).gguf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var builder = GGUFBuilder.language()
        builder.set("general.alignment", .uint32(64))
        builder.alignment = 64
        try Data(builder.bytes).write(to: URL(filePath: path))
        let mapped = try GGUF(path: path)
        let copied = try builder.open()
        #expect(mapped.alignment == 64)
        #expect(mapped.tensors == copied.tensors)
        let name = "blk.0.ffn_down.weight"
        #expect(try Array(mapped.tensor(named: name).bytes) == Array(copied.tensor(named: name).bytes))
        // Pages that were given back come again, unchanged, from the file.
        let tensor = try mapped.tensor(named: name)
        #expect(tensor.isMapped)
        tensor.giveBackPages()
        #expect(try Array(tensor.bytes) == Array(copied.tensor(named: name).bytes))
    }
}
