import Foundation
import Testing

@testable import Engine

/// A text model of `Goldens/rotary`, with the logits that transformers gives at some of its positions.
private struct RotaryGolden {
    private struct Index: Decodable {
        let ids: [Int32]
        let rows: [Int]
    }
    static let names = ["linear", "yarn", "llama3", "mistral"]
    static let folder = Golden.folder.appendingPathComponent("rotary")

    let path: String
    let ids: [Int32]
    let rows: [Int]
    let logits: [Float]

    init(_ name: String) throws {
        let folder = Self.folder.appendingPathComponent(name)
        path = folder.appendingPathComponent("language.gguf").path
        let index = try JSONDecoder().decode(
            Index.self, from: Data(contentsOf: folder.appendingPathComponent("golden.json")))
        (ids, rows) = (index.ids, index.rows)
        let data = try Data(contentsOf: folder.appendingPathComponent("arrays.bin"))
        logits = data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    /// The same logits by the engine, read in chunks as prompts are.
    func computed(on backend: any Backend) throws -> [Float] {
        let model = try LanguageModel(LanguageCheckpoint(path: path), backend: backend)
        let cache = model.makeCache(capacity: ids.count)
        var logits: [Float] = []
        for first in stride(from: 0, to: ids.count, by: 64) {
            let chunk = Array(ids[first..<min(first + 64, ids.count)])
            let (pass, hidden) = model.forward(
                .tokens(chunk), plan: .text(rows: chunk.count, after: first), cache: cache)
            cache.commit(rows: chunk.count)
            logits += try pass.read(model.logits(of: hidden, in: pass))
        }
        let columns = model.configuration.vocabulary
        return rows.flatMap { logits[$0 * columns..<($0 + 1) * columns] }
    }
}

/// A configuration with the frequencies that transformers works out for it.
private struct FrequencyGolden: Decodable {
    struct Configuration: Decodable {
        let maxPositionEmbeddings: Int
        let ropeParameters: Parameters
    }
    struct Parameters: Decodable {
        let ropeType: String
        let ropeTheta: Float
        let factor: Double?
        let originalMaxPositionEmbeddings: Int?
        let betaFast: Double?
        let betaSlow: Double?
        let attentionFactor: Double?
        let truncate: Bool?
        let mscale: Double?
        let mscaleAllDim: Double?
        let lowFreqFactor: Double?
        let highFreqFactor: Double?
    }
    let name: String
    let width: Int
    let config: Configuration
    let frequencies: [Double]
    let magnitude: Double

    static func all() throws -> [FrequencyGolden] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let url = RotaryGolden.folder.appendingPathComponent("frequencies.json")
        return try decoder.decode([FrequencyGolden].self, from: Data(contentsOf: url))
    }

    /// The same as the engine's value, put together by hand.
    func rotary() throws -> Rotary {
        let rope = config.ropeParameters
        let factor = rope.factor ?? 1
        let context = rope.originalMaxPositionEmbeddings ?? config.maxPositionEmbeddings
        var scaling = Rotary.Scaling.none
        var divisors: [Float] = []
        switch rope.ropeType {
        case "linear": scaling = .linear(factor: factor)
        case "yarn":
            let growth =
                YarnScaling.magnitude(factor: factor, weight: rope.mscale ?? 1)
                / YarnScaling.magnitude(factor: factor, weight: rope.mscaleAllDim ?? 0)
            scaling = .yarn(
                YarnScaling(
                    factor: factor, originalContext: context, fastTurns: rope.betaFast ?? 32,
                    slowTurns: rope.betaSlow ?? 1, hasWholeBorders: rope.truncate ?? true,
                    magnitude: rope.attentionFactor ?? growth))
        case "llama3":
            divisors = Rotary.divisors(
                base: rope.ropeTheta, width: width, factor: factor, low: try #require(rope.lowFreqFactor),
                high: try #require(rope.highFreqFactor), originalContext: context)
        default: #expect(rope.ropeType == "default")
        }
        return Rotary(base: rope.ropeTheta, width: width, pairing: .halves, scaling: scaling, divisors: divisors)
    }
}

@Suite struct `Rotary positions` {
    @Test(arguments: RotaryGolden.names)
    func `give transformers' logits, scaled or not, on both backends`(name: String) throws {
        let golden = try RotaryGolden(name)
        for backend in [ReferenceBackend(), try CPUBackend(threads: 2)] as [any Backend] {
            #expect(try relativeDifference(golden.computed(on: backend), golden.logits) < 1e-4, "\(backend.name)")
        }
    }

    @Test func `turn at transformers' frequencies for the configurations of published models`() throws {
        let goldens = try FrequencyGolden.all()
        #expect(goldens.count == 9)
        for golden in goldens {
            let rotary = try golden.rotary()
            #expect(abs(rotary.magnitude - golden.magnitude) < 1e-6, "\(golden.name)")
            for (found, expected) in zip(rotary.frequencies, golden.frequencies) {
                // transformers works in single precision.
                #expect(abs(found - expected) < 1e-6 * expected, "\(golden.name)")
            }
        }
    }

    @Test func `are read from config.json as transformers reads it`() throws {
        let data = try Data(contentsOf: RotaryGolden.folder.appendingPathComponent("frequencies.json"))
        let entries = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        for (entry, golden) in zip(entries, try FrequencyGolden.all()) {
            let config = try #require(entry["config"] as? [String: Any])
            var older = config
            var scaling = try #require(config["rope_parameters"] as? [String: Any])
            older["rope_parameters"] = nil
            older["rope_theta"] = scaling.removeValue(forKey: "rope_theta")
            scaling["type"] = scaling.removeValue(forKey: "rope_type")
            older["rope_scaling"] = scaling
            for spelling in [config, older] {
                let bytes = [UInt8](try JSONSerialization.data(withJSONObject: spelling))
                let rotary = try Rotary(
                    HuggingFaceConfiguration(bytes, path: "config.json"), headWidth: golden.width,
                    context: golden.config.maxPositionEmbeddings)
                #expect(abs(rotary.magnitude - golden.magnitude) < 1e-6, "\(golden.name)")
                for (found, expected) in zip(rotary.frequencies, golden.frequencies) {
                    #expect(abs(found - expected) < 1e-6 * expected, "\(golden.name)")
                }
            }
        }
    }

    @Test(arguments: [
        (#"{"rope_scaling": {"type": "dynamic", "factor": 2}}"#, "rotary scaling of type 'dynamic'"),
        (#"{"rope_scaling": {"type": "linear"}}"#, "'rope_scaling.factor' is nothing; it must be a number above 0"),
        (#"{"rope_parameters": {"rope_type": "yarn", "factor": -1}}"#, "'rope_parameters.factor' is -1.0"),
    ])
    func `that config.json words badly are refused with the fact`(text: String, fact: String) throws {
        let configuration = try HuggingFaceConfiguration([UInt8](text.utf8), path: "config.json")
        let error = #expect(throws: HuggingFaceError.self) {
            try Rotary(configuration, headWidth: 64, context: 4096)
        }
        #expect(error?.description.contains(fact) == true, "\(error?.description ?? "")")
    }

    @Test func `are read from the keys that llama.cpp's converter writes`() throws {
        func rotary(_ keys: [(String, GGUFBuilder.Value)]) throws -> Rotary {
            var file = GGUFBuilder.language()
            for (key, value) in keys { file.set("llama.rope.\(key)", value) }
            return try LanguageModelConfiguration(file.open()).rotary
        }
        #expect(try rotary([]).scaling == .none)
        #expect(try rotary([("scaling.type", .string("none")), ("scaling.factor", .float32(4))]).scaling == .none)
        #expect(
            try rotary([("scaling.type", .string("linear")), ("scaling.factor", .float32(4))]).scaling
                == .linear(factor: 4))
        #expect(try rotary([("scale_linear", .float32(2))]).scaling == .linear(factor: 2))
        #expect(try rotary([("scaling.type", .string("linear")), ("scaling.factor", .float32(0))]).scaling == .none)
        let yarn: [(String, GGUFBuilder.Value)] = [("scaling.type", .string("yarn")), ("scaling.factor", .float32(4))]
        let plain = YarnScaling(factor: 4, originalContext: 64, magnitude: YarnScaling.magnitude(factor: 4))
        #expect(try rotary(yarn).scaling == .yarn(plain))
        let odd = try rotary(
            yarn + [
                ("scaling.original_context_length", .uint32(16)), ("scaling.attn_factor", .float32(0.5)),
                ("scaling.yarn_beta_fast", .float32(20)), ("scaling.yarn_beta_slow", .float32(2)),
                ("scaling.yarn_log_multiplier", .float32(1)),
            ])
        // A growth that is divided by itself leaves the file's own factor alone.
        #expect(
            odd.scaling
                == .yarn(YarnScaling(factor: 4, originalContext: 16, fastTurns: 20, slowTurns: 2, magnitude: 0.5)))
    }

    @Test func `divisors are read from their tensor, which must fit`() throws {
        var file = GGUFBuilder.language()
        file.add("rope_freqs.weight", 2)
        let negative = #expect(throws: GGUFError.self) { try LanguageModelConfiguration(file.open()) }
        #expect(negative?.description.contains("'rope_freqs.weight' is -0.5; it must be numbers above 0") == true)
        file.remove("rope_freqs.weight")
        file.add("rope_freqs.weight", 3)
        #expect(throws: GGUFError.self) { try LanguageModelConfiguration(file.open()) }
        let model = try LanguageModelConfiguration(GGUF(path: RotaryGolden("llama3").path))
        #expect(model.rotary.divisors.first == 1 && model.rotary.divisors.last == 4)
    }

    @Test func `a window bounds the context, whatever is asked for`() throws {
        var file = GGUFBuilder.language()
        file.set("llama.attention.sliding_window", .uint32(32))
        let model = try LanguageModelConfiguration(file.open())
        #expect(model.slidingWindow == 32)
        #expect(model.longestText == 32)
        file.set("llama.attention.sliding_window", .uint32(0))
        #expect(try LanguageModelConfiguration(file.open()).longestText == 64)
        let message = ChatError.beyondWindow(model: "old-mistral", asked: 8192, window: 4096).description
        #expect(message.contains("no further than 4096 rows") && message.contains("--context 4096"))
    }
}
