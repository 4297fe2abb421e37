import Foundation
import Testing

@testable import Engine

/// A file that must be refused with this fault.
private struct HostileSafetensors: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: HuggingFaceError.Fault
    let bytes: [UInt8]

    init(_ name: String, _ fault: HuggingFaceError.Fault, _ change: (inout SafetensorsBuilder) -> Void) {
        var builder = SafetensorsBuilder()
        builder.add("a", 2, 3)
        builder.add("b", 4)
        change(&builder)
        (testDescription, self.fault, bytes) = (name, fault, builder.bytes)
    }

    init(_ name: String, _ fault: HuggingFaceError.Fault, bytes: [UInt8]) {
        (testDescription, self.fault, self.bytes) = (name, fault, bytes)
    }

    private static func json(_ reason: String) -> HuggingFaceError.Fault { .badJSON(reason: reason) }

    private static func entry(_ type: String, _ shape: String, _ offsets: String) -> String {
        "{\"a\":{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
    }

    static let lengths: [HostileSafetensors] = [
        .init("seven bytes", .headerPastEnd(length: 0, size: 7), bytes: [1, 0, 0, 0, 0, 0, 0]),
        .init("a length beyond the file", .headerPastEnd(length: 1_000_000, size: 192)) {
            $0.claimedLength = 1_000_000
        },
        .init("a length of all ones", .headerPastEnd(length: .max, size: 192)) { $0.claimedLength = .max },
        .init("a length with the sign's bit", .headerPastEnd(length: 1 << 63, size: 192)) {
            $0.claimedLength = 1 << 63
        },
        .init(
            "a header longer than any", .headerTooLong(9 << 20, limit: 8 << 20),
            bytes: withUnsafeBytes(of: UInt64(9 << 20).littleEndian, Array.init)
                + [UInt8](repeating: 32, count: 9 << 20)),
        .init("a cut file", .tensorPastEnd("b", end: 192, size: 191)) { $0.missing = 1 },
    ]

    static let texts: [HostileSafetensors] = [
        .init("no JSON", json("is not valid JSON: there is 'D' where something else must be at byte 0")) {
            $0.header = "Dear model,"
        },
        .init("a header that ends early", json("is not valid JSON: it ends in the middle of a value at byte 5")) {
            $0.header = "{\"a\":"
        },
        .init("a list", .wrongValue(place: "")) { $0.header = "[1]" },
        .init("a bomb of brackets", json("nests more than 3 lists and objects at byte 3")) {
            $0.header = String(repeating: "[", count: 100_000)
        },
        .init("a bomb of values", json("holds more than 1000000 values")) {
            $0.header = "[" + String(repeating: "0,", count: 1_000_001) + "0]"
        },
        .init("a name twice", json("has the name 'a' twice in one object, at byte 55")) {
            $0.header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]} ,"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"
        },
        .init("a name twice, once with an escape", json("has the name 'a' twice in one object, at byte 54")) {
            $0.header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                + "\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"
        },
        .init("NaN for a size", json("is not valid JSON: there is 'N' where something else must be at byte 29")) {
            $0.header = entry("\"F32\"", "[NaN]", "[0,4]")
        },
    ]

    static let entries: [HostileSafetensors] = [
        .init("a tensor that is a number", .wrongValue(place: "a")) { $0.header = "{\"a\":1}" },
        .init("no shape", .wrongValue(place: "a")) { $0.header = "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}" },
        .init("a type that is a number", .wrongValue(place: "a")) { $0.header = entry("32", "[1]", "[0,4]") },
        .init("half a size", .wrongValue(place: "a")) { $0.header = entry("\"F32\"", "[1.5]", "[0,4]") },
        .init("a size of 1e300", .wrongValue(place: "a")) { $0.header = entry("\"F32\"", "[1e300]", "[0,4]") },
        .init("a negative size", .badShape(tensor: "a")) { $0.header = entry("\"F32\"", "[-1]", "[0,4]") },
        .init("nine dimensions", .badShape(tensor: "a")) {
            $0.header = entry("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]")
        },
        .init("a product that overflows", .badShape(tensor: "a")) {
            $0.header = entry("\"F32\"", "[4294967296,4294967296]", "[0,4]")
        },
        .init("a product that overflows behind a 0", .badShape(tensor: "a")) {
            $0.header = entry("\"F32\"", "[0,4294967296,4294967296]", "[0,0]")
        },
        .init("a product that overflows in an unknown type", .badShape(tensor: "a")) {
            $0.header = entry("\"F4\"", "[4294967296,4294967296]", "[0,4]")
        },
        .init("one offset", .badShape(tensor: "a")) { $0.header = entry("\"F32\"", "[1]", "[4]") },
        .init("a negative offset", .badShape(tensor: "a")) { $0.header = entry("\"F32\"", "[1]", "[-4,0]") },
        .init("an end before its begin", .badShape(tensor: "a")) { $0.header = entry("\"F32\"", "[1]", "[8,4]") },
        .init("an end at the end of all numbers", .tensorPastEnd("a", end: .max, size: 120)) {
            $0.header = entry("\"F32\"", "[1]", "[0,\(Int.max)]")
        },
        .init(
            "fewer bytes than the shape needs", .wrongSize(tensor: "a", type: "F32", shape: [2, 3], bytes: 20)
        ) { $0.header = entry("\"F32\"", "[2,3]", "[0,20]") },
        .init("more bytes than the type needs", .wrongSize(tensor: "a", type: "F16", shape: [6], bytes: 24)) {
            $0.header = entry("\"F16\"", "[6]", "[0,24]")
        },
        .init("two tensors in one place", .overlappingTensors("a", "b")) {
            $0.header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}"
        },
    ]
}

@Suite struct `Safetensors file` {
    @Test(arguments: HostileSafetensors.lengths + HostileSafetensors.texts + HostileSafetensors.entries)
    fileprivate func `hostile files are refused with the reason`(file: HostileSafetensors) {
        #expect(throws: HuggingFaceError("f", file.fault)) {
            try SafetensorsFile(FileBytes(copying: file.bytes), path: "f")
        }
    }

    @Test func `tensors have their type, shape and numbers`() throws {
        var builder = SafetensorsBuilder()
        builder.add("first", 2, 3)
        builder.add("counts", 5, type: "I64")
        builder.add("second", 4, type: "BF16")
        let file = try builder.open()
        #expect(file.tensors.map(\.name) == ["first", "counts", "second"])
        let first = try #require(file["first"])
        #expect(first.shape == [2, 3] && first.type == "F32")
        let stored = try file.stored(first, as: "ours", rows: 2, columns: 3)
        #expect(stored.name == "ours" && stored.format == .float32)
        #expect(stored.floats() == SafetensorsBuilder.numbers(6))
        let second = try file.stored(#require(file["second"]), as: "ours", rows: 1, columns: 4)
        #expect(second.floats() == SafetensorsBuilder.numbers(4))
        let counts = try #require(file["counts"])
        #expect(throws: HuggingFaceError("f", .unsupportedType(tensor: "counts", type: "I64"))) {
            try file.stored(counts, as: "ours", rows: 1, columns: 5)
        }
    }

    @Test(arguments: ["F32", "BF16"])
    func `tensors may begin at any byte`(type: String) throws {
        // Files of early versions have headers of any length; the numbers behind them then lie as they fall.
        for padding in 0..<4 {
            var builder = SafetensorsBuilder()
            builder.add("a", 3, 32, type: type)
            builder.header = builder.ownHeader + String(repeating: " ", count: padding)
            let file = try builder.open()
            let stored = try file.stored(#require(file["a"]), as: "a", rows: 3, columns: 32)
            let backend = try CPUBackend(threads: 1)
            let pass = backend.begin(.vision(rows: 3))
            let rows = try pass.read(pass.embed([0, 1, 2], from: backend.makeWeight(stored, for: .table)))
            #expect(rows == SafetensorsBuilder.numbers(96))
        }
    }

    @Test func `empty tensors take no room and lie nowhere in the way`() throws {
        var builder = SafetensorsBuilder()
        builder.add("a", 2)
        builder.add("none", 0, 7)
        builder.add("b", 2)
        #expect(try builder.open().tensors.map(\.byteCount) == [8, 0, 8])
    }

    @Test func `a random change of a header never stops the program`() throws {
        var generator = SeededGenerator(seed: 11)
        var builder = SafetensorsBuilder()
        builder.add("a", 2, 3)
        builder.add("model.embed_tokens.weight", 4, type: "BF16")
        let bytes = builder.bytes
        for _ in 0..<4_000 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                broken[Int.random(in: 0..<150, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do throws(HuggingFaceError) {
                let file = try SafetensorsFile(FileBytes(copying: broken), path: "f")
                for tensor in file.tensors { #expect(tensor.offset + tensor.byteCount <= broken.count) }
            } catch {
                #expect(error.description.count < 1_000)
            }
        }
    }
}
