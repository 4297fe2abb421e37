import Foundation
import Testing

@testable import Engine

/// A file that must be refused, made by changing a good one.
struct HostileFile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let fault: GGUFError.Fault

    init(_ name: String, _ fault: GGUFError.Fault, _ change: (inout GGUFBuilder) -> Void) {
        var builder = GGUFBuilder.projector()
        change(&builder)
        self.init(name, fault, bytes: builder.bytes)
    }

    init(_ name: String, _ fault: GGUFError.Fault, bytes: [UInt8]) {
        testDescription = name
        self.bytes = bytes
        self.fault = fault
    }

    private typealias Bytes = GGUFBuilder
    private static let half = GGUFBuilder.projector().header.count
    private static func list(_ type: UInt32, _ count: UInt64) -> [UInt8] { Bytes.bytes(type) + Bytes.bytes(count) }

    static let headers = [
        HostileFile("a text", .notGGUF, bytes: Array("Dear model,".utf8)),
        HostileFile("two bytes", .notGGUF, bytes: Array("GG".utf8)),
        HostileFile("another magic number", .notGGUF) { $0.magic = Array("GGML".utf8) },
        HostileFile("version 1", .wrongVersion(1)) { $0.version = 1 },
        HostileFile("version 0", .wrongVersion(0)) { $0.version = 0 },
        HostileFile("version 4", .wrongVersion(4)) { $0.version = 4 },
        HostileFile("big endian", .bigEndian) { $0.version = 0x0300_0000 },
        HostileFile(
            "nothing after the version", .truncated(place: "the header"), bytes: Array("GGUF".utf8) + [3, 0, 0, 0]),
        HostileFile("more keys than bytes", .tooMany("keys", .max)) { $0.claimedKeys = .max },
        HostileFile("more tensors than bytes", .tooMany("tensors", 1 << 40)) { $0.claimedTensors = 1 << 40 },
        HostileFile("a key of endless length", .textPastEnd(place: "key number 1", 1 << 62)) {
            $0.keys = [("", .raw(0, [1]))]
            $0.magic = Array("GGUF".utf8)
        }.with(Bytes.bytes(UInt64(1) << 62), at: 24),
        HostileFile("a value past the end", .textPastEnd(place: "the value of 'k'", .max)) {
            $0.keys = [("k", .raw(8, Bytes.bytes(UInt64.max)))]
        },
        HostileFile("text that is not UTF-8", .notUTF8(place: "the value of 'k'")) {
            $0.keys = [("k", .raw(8, Bytes.bytes(UInt64(2)) + [0xC3, 0x28]))]
        },
        HostileFile("a list of text that is not UTF-8", .notUTF8(place: "the value of 'k'")) {
            $0.keys = [("k", .raw(9, list(8, 1) + Bytes.bytes(UInt64(1)) + [0xFF]))]
        },
        HostileFile("a key longer than GGUF allows", .keyTooLong(65_536)) {
            $0.keys = [(String(repeating: "k", count: 65_536), .bool(true))]
        },
        HostileFile("a value type that there is not", .badValueType(key: "k", 13)) { $0.keys = [("k", .raw(13, [0]))] },
        HostileFile("a list of a type that there is not", .badValueType(key: "k", 99)) {
            $0.keys = [("k", .raw(9, list(99, 1)))]
        },
        HostileFile("a yes-or-no of 2", .badBool(key: "k")) { $0.keys = [("k", .raw(7, [2]))] },
        HostileFile("a yes-or-no of 2 in a list", .badBool(key: "k")) {
            $0.keys = [("k", .raw(9, list(7, 3) + [0, 1, 2]))]
        },
        HostileFile("a list of endless length", .listPastEnd(key: "k", .max)) {
            $0.keys = [("k", .raw(9, list(6, .max)))]
        },
        HostileFile("a list of text of endless length", .listPastEnd(key: "k", 1 << 32)) {
            $0.keys = [("k", .raw(9, list(8, 1 << 32)))]
        },
        HostileFile("lists in lists without end", .nestedTooDeeply(key: "k")) {
            $0.keys = [("k", .raw(9, (0..<1_000).flatMap { _ in list(9, 1) }))]
        },
        HostileFile("the same key twice", .duplicateKey("k")) { $0.keys = [("k", .bool(true)), ("k", .bool(false))] },
    ]

    static let alignments = [
        ("0", GGUFBuilder.Value.uint32(0)), ("12", .uint32(12)), ("4", .uint32(4)), ("131072", .uint32(131_072)),
        ("4294967295", .uint32(.max)), ("-32", .int32(-32)), ("text", .string("32")),
    ].map { shown, value in
        HostileFile("an alignment of \(shown)", .badAlignment(shown)) { $0.set("general.alignment", value) }
    }

    static let directories = [
        HostileFile("the same tensor twice", .duplicateTensor("mm.0.bias")) { $0.add("mm.0.bias", 8) },
        HostileFile("no dimension", .dimensionCount(tensor: "mm.0.weight", 0)) { $0.tensors[0].dimensions = [] },
        HostileFile("five dimensions", .dimensionCount(tensor: "mm.0.weight", 5)) {
            $0.tensors[0].dimensions = [1, 1, 1, 1, 1]
        },
        HostileFile("a dimension of 0", .dimension(tensor: "mm.0.weight", 0)) { $0.tensors[0].dimensions = [6, 0] },
        HostileFile("a dimension that no number holds", .dimension(tensor: "mm.0.weight", .max)) {
            $0.tensors[0].dimensions = [.max, 2]
        },
        HostileFile("dimensions that overflow", .dimension(tensor: "mm.0.weight", 1 << 32)) {
            $0.tensors[0].dimensions = [1 << 32, 1 << 32]
        },
        HostileFile("bytes that overflow", .dimension(tensor: "mm.0.weight", 1 << 62)) {
            $0.tensors[0].dimensions = [1 << 31, 1 << 31]
        },
        HostileFile("a row of one block and a half", .partialBlock(tensor: "t", type: "Q8_0", row: 48, block: 32)) {
            $0.tensors.append(.init(name: "t", type: 8, dimensions: [48, 2], data: [UInt8](repeating: 0, count: 102)))
        },
        HostileFile("an offset off the alignment", .unalignedTensor("mm.0.bias", alignment: 32)) {
            $0.tensors[1].claimedOffset = 200
        },
        HostileFile("an offset past every end", .tensorPastEnd("mm.0.bias", end: .max, size: 832)) {
            $0.tensors[1].claimedOffset = 0x7FFF_FFFF_FFFF_FFE0
        },
        HostileFile("an offset past the end", .tensorPastEnd("mm.2.bias", end: 1_376, size: 832)) {
            $0.tensors[3].claimedOffset = 1_024
        },
        HostileFile("two tensors in one place", .overlappingTensors("mm.0.weight", "mm.0.bias")) {
            $0.tensors[1].claimedOffset = 160
        },
        HostileFile("an unknown type past the end", .tensorPastEnd("t", end: 100_353, size: 864)) {
            $0.tensors.append(
                .init(name: "t", type: 77, dimensions: [1 << 40], data: [], claimedOffset: 100_000 / 32 * 32))
        },
    ]

    /// The same file with some of its bytes replaced.
    private func with(_ replacement: [UInt8], at offset: Int) -> HostileFile {
        var bytes = bytes
        bytes.replaceSubrange(offset..<offset + replacement.count, with: replacement)
        return HostileFile(testDescription, fault, bytes: bytes)
    }
}

/// Reads everything that a file's users read.
private func readAll(_ bytes: [UInt8]) -> GGUFError? {
    do throws(GGUFError) {
        let file = try GGUF(FileBytes(copying: bytes), file: "f")
        _ = CheckpointDescription(file)
        for tensor in file.tensors where tensor.type.format != nil {
            let stored = try file.tensor(named: tensor.name)
            // Touch the first and the last byte.
            precondition(
                stored.bytes.count == tensor.byteCount && (stored.bytes.first != nil || stored.bytes.last != nil))
        }
        _ = try? LanguageModelConfiguration(file)
        _ = try? VisionConfiguration(file)
        _ = try? ProjectorConfiguration(file)
        if let vocabulary = try? Vocabulary(file) { _ = Tokenizer(vocabulary).encode("a b</s>é") }
        return nil
    } catch {
        precondition(!error.description.contains("\n"))
        return error
    }
}

/// The most memory that this process has held, in bytes.
private func peakMemory() -> Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return Int(usage.ru_maxrss) * 1024
}

@Suite struct `Hostile GGUF files` {
    @Test(arguments: HostileFile.headers + HostileFile.alignments + HostileFile.directories)
    func `are refused with the fact`(file: HostileFile) {
        #expect(throws: GGUFError(file: "f", file.fault)) { try GGUF(FileBytes(copying: file.bytes), file: "f") }
    }

    @Test func `a file cut at any byte is refused, never read past its end`() {
        for builder in [GGUFBuilder.language(), .vision()] {
            let whole = builder.bytes
            #expect(readAll(whole) == nil)
            for length in 0..<builder.header.count {
                #expect(readAll(Array(whole[..<length])) != nil, "\(length) bytes")
            }
            // The last tensor ends before the padding does.
            #expect(readAll(Array(whole[..<(whole.count - 32)])) != nil)
        }
    }

    @Test(arguments: 0..<8)
    func `flipped bits never crash the readers or make them take much memory`(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let before = peakMemory()
        var refused = 0
        for builder in [GGUFBuilder.language(), .vision()] {
            let whole = builder.bytes
            let header = builder.header.count
            for _ in 0..<400 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[.random(in: 0..<header, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                if readAll(bytes) != nil { refused += 1 }
            }
        }
        #expect(refused > 100)
        // Other tests run beside this one, so the bound is wide; one honoured count of 2^32 would break it.
        #expect(peakMemory() - before < 1 << 30)
    }

    @Test(arguments: 0..<4)
    func `whole words overwritten with extreme numbers never crash the readers`(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let extremes: [UInt64] = [
            0, 1, 0x7F, 0xFF, 0xFFFF, 1 << 31, 1 << 32, 1 << 40, 1 << 62, 1 << 63, .max, .max - 31,
        ]
        for builder in [GGUFBuilder.language(), .vision()] {
            let whole = builder.bytes
            for offset in 0..<builder.header.count - 8 where Int.random(in: 0..<4, using: &random) == 0 {
                var bytes = whole
                let word = GGUFBuilder.bytes(extremes.randomElement(using: &random) ?? 0)
                bytes.replaceSubrange(offset..<offset + 8, with: word)
                _ = readAll(bytes)
            }
        }
    }

    @Test func `what the fuzzer kept is read or refused`() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let corpus = package.appending(path: "Fuzz/gguf-corpus").path
        let inputs = try FileManager.default.contentsOfDirectory(atPath: corpus)
        #expect(inputs.count > 50)
        for input in inputs {
            _ = readAll(Array(try Data(contentsOf: URL(filePath: "\(corpus)/\(input)"))))
        }
    }

    @Test func `what is no file or no regular file is refused`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func fault(_ path: String) -> GGUFError.Fault? {
            do throws(GGUFError) {
                _ = try GGUF(path: path)
                return nil
            } catch { return error.fault }
        }
        let empty = folder.appending(path: "empty").path
        #expect(FileManager.default.createFile(atPath: empty, contents: nil))
        #expect(fault(empty) == .empty)
        #expect(fault(folder.path) == .notRegular)
        #expect(fault("/dev/zero") == .notRegular)
        #expect(fault(folder.appending(path: "absent").path) == .unreadable(reason: "no such file or directory"))
        // Opening a pipe that nobody writes to must not wait.
        let pipe = folder.appending(path: "pipe").path
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(fault(pipe) == .notRegular)
    }
}
