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

/// A model whose file is sound but says what cannot be.
struct HostileModel: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: GGUFError.Fault
    let builder: GGUFBuilder

    init(_ name: String, _ fault: GGUFError.Fault, _ base: GGUFBuilder, _ change: (inout GGUFBuilder) -> Void) {
        var builder = base
        change(&builder)
        (testDescription, self.fault, self.builder) = (name, fault, builder)
    }

    private static func absurd(_ key: String, _ value: String, _ allowed: String) -> GGUFError.Fault {
        .absurdValue(key: key, value: value, allowed: allowed)
    }
    private static func pinpoints(_ shown: String) -> GGUFError.Fault {
        absurd(
            "clip.vision.image_grid_pinpoints", shown,
            "widths and heights that are multiples of 28, up to 64 tiles in each")
    }
    private static func language(
        _ name: String, _ fault: GGUFError.Fault, _ change: (inout GGUFBuilder) -> Void
    ) -> HostileModel { HostileModel(name, fault, .language(), change) }
    private static func vision(
        _ name: String, _ fault: GGUFError.Fault, _ change: (inout GGUFBuilder) -> Void
    ) -> HostileModel { HostileModel(name, fault, .vision(), change) }

    private static let wantsLanguage = "a language model of architecture 'llama'"
    private static let wantsVision = "a vision model (llama.cpp's mmproj)"

    static let languageModels = [
        HostileModel("a vision file", .wrongKind(found: "a vision model", wanted: wantsLanguage), .vision()) { _ in },
        language("another architecture", .wrongKind(found: "a model of architecture 'qwen2'", wanted: wantsLanguage)) {
            $0.set("general.architecture", .string("qwen2"))
        },
        language("no architecture", .missingKey("general.architecture")) { $0.set("general.architecture", nil) },
        language("no block count", .missingKey("llama.block_count")) { $0.set("llama.block_count", nil) },
        language(
            "a block count in text", .wrongKeyType(key: "llama.block_count", found: "text", wanted: "a whole number")
        ) { $0.set("llama.block_count", .string("1")) },
        language("a hidden size of 0", absurd("llama.embedding_length", "0", "from 1 to 65536")) {
            $0.set("llama.embedding_length", .uint32(0))
        },
        language("four billion blocks", absurd("llama.block_count", "4294967295", "from 1 to 1024")) {
            $0.set("llama.block_count", .uint32(.max))
        },
        language("a negative number of heads", absurd("llama.attention.head_count", "-2", "from 1 to 1024")) {
            $0.set("llama.attention.head_count", .int32(-2))
        },
        language("more key heads than heads", absurd("llama.attention.head_count_kv", "3", "from 1 to 2")) {
            $0.set("llama.attention.head_count_kv", .uint32(3))
        },
        language(
            "key heads that do not divide the heads",
            absurd("llama.attention.head_count_kv", "2", "a divisor of the 3 query heads")
        ) {
            $0.set("llama.attention.head_count", .uint32(3))
            $0.set("llama.attention.head_count_kv", .uint32(2))
            $0.set("llama.attention.key_length", .uint32(4))
        },
        language("an odd rotary width", absurd("llama.rope.dimension_count", "3", "an even number")) {
            $0.set("llama.rope.dimension_count", .uint32(3))
        },
        language("a context without end", absurd("llama.context_length", "\(Int.max)", "from 1 to 16777216")) {
            $0.set("llama.context_length", .uint64(.max))
        },
        language(
            "an epsilon that is no number", absurd("llama.attention.layer_norm_rms_epsilon", "nan", "a number above 0")
        ) { $0.set("llama.attention.layer_norm_rms_epsilon", .float32(.nan)) },
        language("values of another width", absurd("llama.attention.value_length", "2", "4, the width of the keys")) {
            $0.set("llama.attention.value_length", .uint32(2))
        },
        language("no embedding", .missingTensor("token_embd.weight")) { $0.remove("token_embd.weight") },
        language("a block without a tensor", .missingTensor("blk.0.attn_v.weight")) {
            $0.remove("blk.0.attn_v.weight")
        },
        language(
            "a tensor of another shape", .wrongShape(tensor: "blk.0.attn_v.weight", found: [8, 5], wanted: [8, 4])
        ) {
            $0.remove("blk.0.attn_v.weight")
            $0.add("blk.0.attn_v.weight", 8, 5)
        },
        language("experts", .unsupported("a mixture of experts")) { $0.set("llama.expert_count", .uint32(8)) },
        language("rotary scaling", .unsupported("rotary scaling of type 'longrope'")) {
            $0.set("llama.rope.scaling.type", .string("longrope"))
        },
        language("a rotary factor below 0", absurd("llama.rope.scaling.factor", "-4.0", "a number above 0")) {
            $0.set("llama.rope.scaling.factor", .float32(-4))
        },
        language("a window without end", absurd("llama.attention.sliding_window", "-1", "from 1 to 16777216")) {
            $0.set("llama.attention.sliding_window", .int32(-1))
        },
        language(
            "rotary divisors of another width", .wrongShape(tensor: "rope_freqs.weight", found: [3], wanted: [2])
        ) { $0.add("rope_freqs.weight", 3) },
        language("a bias", .unsupported("a bias in 'attn_q'")) { $0.add("blk.0.attn_q.bias", 8) },
    ]

    static let visionModels = [
        HostileModel("a language file", .wrongKind(found: "a language model", wanted: wantsVision), .language()) { _ in
        },
        vision("another architecture", .wrongKind(found: "a model of architecture 'bert'", wanted: wantsVision)) {
            $0.set("general.architecture", .string("bert"))
        },
        HostileModel(
            "a projector alone", .wrongKind(found: "a projector alone", wanted: "a vision model"), .projector()
        ) { _ in },
        vision("a patch larger than the picture", absurd("clip.vision.patch_size", "29", "from 1 to 28")) {
            $0.set("clip.vision.patch_size", .uint32(29))
        },
        vision("heads that do not divide", absurd("clip.vision.attention.head_count", "4", "a divisor of 6")) {
            $0.set("clip.vision.attention.head_count", .uint32(4))
        },
        vision("a size that is no whole number of tiles", pinpoints("28.0, 42.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 42]))
        },
        vision("an odd number of sizes", pinpoints("28.0, 56.0, 28.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56, 28]))
        },
        vision("more tiles than anyone wants", pinpoints("28.0, 1820.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 1820]))
        },
        vision("tiles of no size", pinpoints("0.0, 28.0")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([0, 28]))
        },
        vision("tiles without sizes", .missingKey("clip.vision.image_grid_pinpoints")) {
            $0.set("clip.vision.image_aspect_ratio", .string("anyres"))
        },
        vision("line ends without tiles", .missingKey("clip.vision.image_grid_pinpoints")) {
            $0.add("model.image_newline", 8)
        },
        vision(
            "a line end of another width", .wrongShape(tensor: "model.image_newline", found: [7], wanted: [8])
        ) {
            $0.add("model.image_newline", 7)
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
        },
        vision("no line end", .missingTensor("model.image_newline")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
            $0.set("clip.vision.mm_patch_merge_type", .string("spatial_unpad"))
        },
        vision("another order of tiles", .unsupported("tiles merged by 'perceiver'")) {
            $0.set("clip.vision.image_grid_pinpoints", .ints([28, 56]))
            $0.set("clip.vision.mm_patch_merge_type", .string("perceiver"))
        },
        vision(
            "line ends in padded pictures", .unsupported("line ends in pictures that are brought to a square by 'pad'")
        ) {
            $0.add("model.image_newline", 8)
            $0.set("clip.vision.image_aspect_ratio", .string("pad"))
        },
        vision("no mean", .missingKey("clip.vision.image_mean")) { $0.set("clip.vision.image_mean", nil) },
        vision(
            "a deviation of 0",
            absurd("clip.vision.image_std", "0.5, 0.0, 0.5", "one sensible number for each of three colours")
        ) { $0.set("clip.vision.image_std", .floats([0.5, 0, 0.5])) },
        vision(
            "a mean of two colours",
            absurd("clip.vision.image_mean", "0.5, 0.5", "one sensible number for each of three colours")
        ) { $0.set("clip.vision.image_mean", .floats([0.5, 0.5])) },
        vision("a feature layer past the last", absurd("clip.vision.feature_layer", "3", "from 1 to 2")) {
            $0.set("clip.vision.feature_layer", .uint32(3))
        },
        vision("a feature layer past the last, in a list", absurd("clip.vision.feature_layer", "-2.0", "from 1 to 2")) {
            $0.set("clip.vision.feature_layer", .ints([-2]))
        },
        vision("several feature layers", .unsupported("features of 2 layers at once")) {
            $0.set("clip.vision.feature_layer", .ints([1, 2]))
        },
        vision("another projector", .unsupported("a projector of type 'ldp'")) {
            $0.set("clip.projector_type", .string("ldp"))
        },
        vision("SiLU", .unsupported("SiLU in the vision tower")) { $0.set("clip.use_silu", .bool(true)) },
        vision(
            "positions of another picture size",
            .wrongShape(tensor: "v.position_embd.weight", found: [6, 5], wanted: [6, 17])
        ) { $0.set("clip.vision.image_size", .uint32(56)) },
        vision(
            "a projector of another width", .wrongShape(tensor: "mm.0.weight", found: [5, 8], wanted: [6, 8])
        ) {
            $0.remove("mm.0.weight")
            $0.add("mm.0.weight", 5, 8)
        },
    ]

    static let vocabularies = [
        language("no tokenizer", .missingKey("tokenizer.ggml.model")) { $0.set("tokenizer.ggml.model", nil) },
        language("another tokenizer", .unsupported("a tokenizer of type 'gpt2'")) {
            $0.set("tokenizer.ggml.model", .string("gpt2"))
        },
        language(
            "tokens that are no text",
            .wrongKeyType(key: "tokenizer.ggml.tokens", found: "a list", wanted: "a list of text")
        ) { $0.set("tokenizer.ggml.tokens", .ints([1])) },
        language("no tokens", .badVocabulary("it has no tokens")) { $0.set("tokenizer.ggml.tokens", .strings([])) },
        language("too few scores", .badVocabulary("it has 8 tokens and 2 scores")) {
            $0.set("tokenizer.ggml.scores", .floats([1, 2]))
        },
        language("a score that is no number", .badVocabulary("the score of token 1 is no number")) {
            $0.set("tokenizer.ggml.scores", .floats([0, .nan, 0, 0, 0, 0, 0, 0]))
        },
        language("too few kinds", .badVocabulary("it has 8 tokens and 1 kinds")) {
            $0.set("tokenizer.ggml.token_type", .ints([1]))
        },
        language("a kind that there is not", .badVocabulary("the kind of token 0 is 9.0")) {
            $0.set("tokenizer.ggml.token_type", .ints([9, 3, 3, 6, 1, 1, 1, 1]))
        },
        language("a byte without a value", .badVocabulary("token 5, 'a', is to be a byte but names none")) {
            $0.set("tokenizer.ggml.token_type", .ints([2, 3, 3, 6, 1, 6, 1, 1]))
        },
        language("an end token out of range", absurd("tokenizer.ggml.eos_token_id", "8", "from 0 to 7")) {
            $0.set("tokenizer.ggml.eos_token_id", .uint32(8))
        },
        language("more tokens than rows", .badVocabulary("it has 8 tokens and the embedding 7 rows")) {
            $0.remove("token_embd.weight")
            $0.add("token_embd.weight", 8, 7)
        },
    ]
}

@Suite struct `Hostile models` {
    @Test(arguments: HostileModel.languageModels)
    func `a language model that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) {
            try LanguageModelConfiguration(model.builder.open())
        }
    }

    @Test(arguments: HostileModel.visionModels)
    func `a vision model that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) { try VisionConfiguration(model.builder.open()) }
    }

    @Test(arguments: HostileModel.vocabularies)
    func `a vocabulary that cannot be is refused with the fact`(model: HostileModel) {
        #expect(throws: GGUFError(file: "model.gguf", model.fault)) { try Vocabulary(model.builder.open()) }
    }

    @Test func `a projector's layers must fit together`() {
        var builder = GGUFBuilder.projector()
        builder.remove("mm.2.weight")
        builder.add("mm.2.weight", 7, 8)
        #expect(
            throws: GGUFError(file: "model.gguf", .wrongShape(tensor: "mm.2.weight", found: [7, 8], wanted: [8, 8]))
        ) { try ProjectorConfiguration(builder.open()) }
    }
}
