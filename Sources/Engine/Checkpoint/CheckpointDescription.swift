// CheckpointDescription.swift — what a GGUF file holds, in lines for people: `specchat inspect`.

/// A model file in words: kind, sizes, types, vocabulary, template, keys and tensors.
public struct CheckpointDescription: Sendable, Equatable {
    /// One fact: a name and what the file says. No control characters, whatever the file holds.
    public struct Line: Sendable, Equatable {
        public let name: String
        public let value: String

        init(_ name: String, _ value: String) {
            self.name = printable(name)
            self.value = printable(value)
        }
    }

    /// What the file is, most telling first.
    public let summary: [Line]
    /// Every metadata key with its value; of a list, its length and its beginning.
    public let keys: [Line]
    /// Every tensor with its type, shape and size.
    public let tensors: [Line]

    /// Reads the header of the file at `path`. A model that cannot be run is described all the same, with the reason.
    public init(path: String) throws(GGUFError) {
        self.init(try GGUF(path: path))
    }

    init(_ file: GGUF) {
        let count = "\(file.tensors.count) tensors, \(file.keys.count) keys"
        summary =
            [Line("file", "GGUF version \(file.version), \(Self.size(file.byteCount)), \(count)")] + Self.model(file)
            + Self.types(file)
        keys = file.keys.map { Line($0, Self.shown($0, file)) }
        tensors = file.tensors.map { tensor in
            let shape = tensor.dimensions.map(String.init).joined(separator: " × ")
            let size = tensor.byteCount.map(Self.size) ?? "unknown size"
            return Line(tensor.name, "\(tensor.type.name), \(shape), \(size)")
        }
    }

    /// All lines as one text, names in a column.
    public var text: String {
        func block(_ lines: [Line], indent: String) -> [String] {
            let width = lines.map(\.name.count).max() ?? 0
            return lines.map { indent + $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.value }
        }
        var lines = block(summary, indent: "")
        if !keys.isEmpty { lines += ["", "keys"] + block(keys, indent: "  ") }
        if !tensors.isEmpty { lines += ["", "tensors"] + block(tensors, indent: "  ") }
        return lines.joined(separator: "\n")
    }

    /// Token ids of a text by the vocabulary in the file at `path`, without the beginning token.
    public static func tokenize(_ text: String, path: String) throws(GGUFError) -> [Int32] {
        Tokenizer(try Vocabulary(GGUF(path: path))).encode(text)
    }

    // MARK: The parts of the summary

    private static func model(_ file: GGUF) -> [Line] {
        do throws(GGUFError) {
            let architecture = try file.string("general.architecture") ?? "none named"
            let name = try file.string("general.name").map { " (\($0))" } ?? ""
            let line = Line("architecture", architecture + name)
            if architecture == "clip" { return [line] + vision(file) }
            return [line] + language(file) + vocabulary(file)
        } catch {
            return [problem(error)]
        }
    }

    private static func language(_ file: GGUF) -> [Line] {
        do throws(GGUFError) {
            let model = try LanguageModelConfiguration(file)
            let heads = "heads \(model.heads) of \(model.headWidth), key heads \(model.keyHeads)"
            let widths = "hidden \(model.hidden), feed-forward \(model.feedForward)"
            return [
                Line("sizes", "blocks \(model.blocks), \(widths), \(heads)"),
                Line("context", context(of: model)),
                Line("output", "\(model.vocabulary) rows" + (model.isOutputTied ? ", tied to the embedding" : "")),
            ]
        } catch {
            return [problem(error)]
        }
    }

    private static func context(of model: LanguageModelConfiguration) -> String {
        let scaling =
            switch model.rotary.scaling {
            case .none: ""
            case .linear(let factor): ", positions \(number(Float(factor))) times as close"
            case .yarn(let yarn):
                ", stretched \(number(Float(yarn.factor))) times from \(yarn.originalContext) positions (YaRN)"
            }
        let divided = model.rotary.divisors.isEmpty ? "" : ", frequencies of its own"
        let window = model.slidingWindow.map { ", looks back \($0)" } ?? ""
        return "\(model.contextLength) positions, rotary base \(number(model.rotary.base))" + scaling + divided + window
    }

    private static func vocabulary(_ file: GGUF) -> [Line] {
        do throws(GGUFError) {
            let vocabulary = try Vocabulary(file)
            func named(_ token: Int32?) -> String { token.map { "'\(vocabulary.pieces[Int($0)])' (\($0))" } ?? "none" }
            let template = try file.string("tokenizer.chat_template").map { ChatTemplate.recognised(in: $0) }
            let family =
                switch template {
                case .some(.some(let family)): family.rawValue
                case .some(.none): "vicuna_v1, as the file's own fits no known family"
                case .none: "vicuna_v1, as the file has none"
                }
            let ends = "begins with \(named(vocabulary.beginning)), ends with \(named(vocabulary.end))"
            return [
                Line("vocabulary", "\(vocabulary.pieces.count) pieces (SentencePiece), \(ends)"),
                Line("template", family),
            ]
        } catch {
            return [problem(error)]
        }
    }

    private static func vision(_ file: GGUF) -> [Line] {
        do throws(GGUFError) {
            let projector = try ProjectorConfiguration(file)
            let line = Line(
                "projector", "\(projector.inputs) to \(projector.hidden) to \(projector.outputs), GELU between")
            guard file.hasTensor("v.patch_embd.weight") else { return [line] }
            let tower = try VisionConfiguration(file)
            let widths = "hidden \(tower.hidden), feed-forward \(tower.feedForward), heads \(tower.heads)"
            let picture =
                "\(tower.imageSize) × \(tower.imageSize) pixels in \(tower.patches) patches of \(tower.patchSize)"
            let swapped = tower.feedForwardNamesSwapped ? ", ffn_up and ffn_down swapped" : ""
            return [
                Line("sizes", "blocks to run \(tower.blocks), \(widths)\(swapped)"), Line("picture", picture),
            ] + tiles(tower) + [line]
        } catch {
            return [problem(error)]
        }
    }

    private static func tiles(_ tower: VisionConfiguration) -> [Line] {
        guard let tiling = tower.tiling else { return [] }
        let sheets = tiling.sheets.map { "\($0.columns) × \($0.rows)" }.joined(separator: ", ")
        return [Line("tiles", "the whole picture, then \(sheets), merged by \(tiling.merge.rawValue)")]
    }

    private static func types(_ file: GGUF) -> [Line] {
        var order: [String] = []
        var totals: [String: (count: Int, numbers: Int, bytes: Int)] = [:]
        for tensor in file.tensors {
            let name = tensor.type.name
            if totals[name] == nil { order.append(name) }
            let old = totals[name] ?? (0, 0, 0)
            // Tensors of unknown size may claim any number of numbers.
            let numbers = old.numbers.addingReportingOverflow(tensor.count)
            totals[name] = (
                old.count + 1, numbers.overflow ? .max : numbers.partialValue, old.bytes + (tensor.byteCount ?? 0)
            )
        }
        return order.map { name in
            let total = totals[name] ?? (0, 0, 0)
            return Line(name, "\(total.count) tensors, \(total.numbers) numbers, \(size(total.bytes))")
        }
    }

    private static func problem(_ error: GGUFError) -> Line { Line("problem", error.description) }

    private static func shown(_ key: String, _ file: GGUF) -> String {
        switch file[key] {
        case .unsigned(let value)?: return "\(value)"
        case .signed(let value)?: return "\(value)"
        case .float(let value)?: return number(Float(value))
        case .bool(let value)?: return value ? "yes" : "no"
        case .string(let text)?: return "'\(text)'"
        case .array(let list)?: return "\(list.count) elements" + beginning(key, list, file)
        case nil: return ""
        }
    }

    /// The first few elements of a list.
    private static func beginning(_ key: String, _ list: GGUFArray, _ file: GGUF) -> String {
        let few = 4
        let first: [String]? =
            list.element == .string
            ? (try? file.strings(key))?.prefix(few).map { "'\($0)'" }
            : (try? file.numbers(key))?.prefix(few).map(number)
        guard let first, !first.isEmpty else { return "" }
        return ": " + first.joined(separator: ", ") + (list.count > few ? ", …" : "")
    }

    /// A whole number without its empty fraction.
    private static func number(_ value: Float) -> String {
        Int32(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// Bytes in the unit that reads best; decimal, as file managers show them.
    private static func size(_ bytes: Int) -> String {
        let units: [(String, Double)] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
        for (unit, worth) in units where Double(bytes) >= worth {
            let tenths = Int((Double(bytes) / worth * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) bytes"
    }
}
