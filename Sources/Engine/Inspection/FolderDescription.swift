// FolderDescription.swift — a Hugging Face folder in lines for people, whole or in part. Used by ModelInspection.

internal import Foundation

extension CheckpointDescription {
    /// - Parameters:
    ///   - path: a folder with a config.json or an adapter's.
    ///   - places: where the tower of an original LLaVA may be.
    init(folder path: String, places: ModelPlaces) {
        var lines = DescriptionLines()
        let files = FolderFiles(path)
        lines.add("folder", files.sentence)
        let configuration = try? HuggingFaceConfiguration(path: "\(path)/config.json")
        if let configuration { lines.attempt { try FolderLines.architecture(configuration) } }
        var sections: [Section] = []
        do {
            let kind = try HuggingFaceFolder.kind(of: path)
            lines.add("kind", FolderLines.title(of: kind))
            let folder = try HuggingFaceFolder(path: path)
            FolderLines.add(folder, places: places, to: &lines)
            sections = FolderLines.tensors(of: folder)
        } catch {
            // What config.json and the tokenizer say is worth telling where the weights are missing.
            if let configuration { lines.attempt { try FolderLines.sizes(configuration) } }
            if files.hasTokenizer { lines.attempt { [try FolderLines.words(of: path, rows: nil)] } }
            lines.attempt { throw error }
        }
        lines.conclude(FolderLines.command(path))
        let keys = configuration.map { FolderLines.keys($0.values) } ?? []
        self.init(
            lines.lines, sections: [Section("config.json", keys), Section("files", files.lines)] + sections)
    }
}

/// What lies in a folder, by name and size.
struct FolderFiles {
    let names: [String]
    /// Bytes of each; absent for a folder.
    private let sizes: [Int?]
    private static let mostLines = 100

    init(_ path: String) {
        names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        // Caches hold links to the files proper.
        sizes = names.map { name in
            let file = URL(filePath: "\(path)/\(name)").resolvingSymlinksInPath().path
            let facts = try? FileManager.default.attributesOfItem(atPath: file)
            return facts?[.type] as? FileAttributeType == .typeDirectory ? nil : facts?[.size] as? Int ?? 0
        }
    }

    var sentence: String {
        "\(names.count) \(names.count == 1 ? "entry" : "entries"), \(Wording.size(sizes.reduce(0) { $0 + ($1 ?? 0) }))"
    }
    var hasTokenizer: Bool { names.contains("tokenizer.json") || names.contains("tokenizer.model") }
    var lines: [CheckpointDescription.Line] {
        let shown = zip(names, sizes).prefix(Self.mostLines).map { name, size in
            CheckpointDescription.Line(name, size.map(Wording.size) ?? "a folder")
        }
        let left = names.count - shown.count
        return left > 0 ? shown + [CheckpointDescription.Line("…", "and \(left) more")] : shown
    }
}

/// The lines of a folder, subject by subject.
private enum FolderLines {
    typealias Line = CheckpointDescription.Line
    typealias Section = CheckpointDescription.Section

    static func architecture(_ configuration: HuggingFaceConfiguration) throws(HuggingFaceError) -> [Line] {
        let names = (configuration["architectures"]?.list ?? []).compactMap(\.text)
        let type = try configuration.string("model_type")
        let words = [names.isEmpty ? nil : names.joined(separator: ", "), type.map { "type '\($0)'" }]
        let told = words.compactMap { $0 }
        return told.isEmpty ? [] : [Line("architecture", told.joined(separator: ", "))]
    }

    static func title(of kind: HuggingFaceKind) -> String {
        switch kind {
        case .language: "a language model of LLaMA's kind, which reads text only and may be a draft"
        case .llava: "a LLaVA: language model, vision tower and projector"
        case .originalLlava: "an original LLaVA: language model and projector, its tower perhaps elsewhere"
        case .tower: "CLIP's vision tower, for an original LLaVA"
        }
    }

    static func add(_ folder: HuggingFaceFolder, places: ModelPlaces, to lines: inout DescriptionLines) {
        let count = folder.shards.count
        let isIndexed = FileManager.default.fileExists(atPath: "\(folder.path)/\(HuggingFaceShards.indexName)")
        lines.add(
            "weights",
            count == 1 ? "one .safetensors file" : "\(count) .safetensors files" + (isIndexed ? " by an index" : ""))
        if folder.kind == .tower {
            lines.attempt { try sizes(folder.configuration) }
        } else {
            lines.attempt {
                let model = try LanguageModelConfiguration(folder)
                try ModelLines.checkTypes(of: model, in: folder)
                return ModelLines.language(model)
            }
            lines.attempt {
                let checkpoint = try LanguageCheckpoint(folder)
                return [
                    try words(of: folder.path, rows: checkpoint.configuration.vocabulary),
                    ModelLines.template(try checkpoint.template(), of: "folder"),
                ]
            }
        }
        if folder.kind == .llava || folder.kind == .originalLlava {
            lines.attempt { try eyes(of: folder, places: places) }
        }
        lines.add(types(of: folder))
        lines.add(missing(in: folder))
        lines.add([ModelLines.memory(folder.byteCount)])
    }

    private static func eyes(of folder: HuggingFaceFolder, places: ModelPlaces) throws -> [Line] {
        let vision = try HuggingFaceVision(path: folder.path, language: nil, places: places)
        let tower = try VisionConfiguration(vision)
        try ModelLines.checkTypes(of: tower, in: vision)
        let elsewhere = vision.tower.path == folder.path ? [] : [Line("tower", "in \(vision.tower.path)")]
        return elsewhere + ModelLines.vision(tower) + [ModelLines.projector(tower.projector)]
    }

    static func words(of path: String, rows: Int?) throws -> Line {
        let origin =
            FileManager.default.fileExists(atPath: "\(path)/tokenizer.json") ? "tokenizer.json" : "tokenizer.model"
        return ModelLines.vocabulary(try TokenizerFolder(folder: path).vocabulary(rows: rows), origin: origin)
    }

    /// The sizes that config.json gives, where there is nothing to compare them with.
    static func sizes(_ configuration: HuggingFaceConfiguration) throws(HuggingFaceError) -> [Line] {
        var part = configuration
        for key in ["vision_config", "text_config"] { part = try configuration.object(key) ?? part }
        let names = [
            ("blocks", "num_hidden_layers"), ("hidden", "hidden_size"), ("feed-forward", "intermediate_size"),
            ("heads", "num_attention_heads"), ("key heads", "num_key_value_heads"), ("vocabulary", "vocab_size"),
            ("positions", "max_position_embeddings"), ("pixels", "image_size"), ("patch", "patch_size"),
        ]
        var told: [String] = []
        for (word, key) in names {
            if let value = try part.number(key), let whole = Int(exactly: value) { told.append("\(word) \(whole)") }
        }
        return told.isEmpty ? [] : [Line("sizes", told.joined(separator: ", ") + ", by config.json")]
    }

    /// Files that may be left out, and what counts in their place.
    private static func missing(in folder: HuggingFaceFolder) -> [Line] {
        func has(_ names: String...) -> Bool {
            names.contains { FileManager.default.fileExists(atPath: "\(folder.path)/\($0)") }
        }
        var lines: [Line] = []
        if folder.kind != .tower, !has("generation_config.json") {
            lines.append(Line("missing", "generation_config.json; config.json says what ends an answer"))
        }
        if folder.kind == .llava, !has("preprocessor_config.json", "processor_config.json") {
            lines.append(Line("missing", "preprocessor_config.json; pictures are prepared by CLIP's own numbers"))
        }
        return lines
    }

    private static func types(of folder: HuggingFaceFolder) -> [Line] {
        var totals = TypeTotals()
        var unused: [String] = []
        for tensor in folder.shards.flatMap(\.tensors) {
            totals.add(tensor.type, numbers: tensor.shape.reduce(1, *), bytes: tensor.byteCount)
            if HuggingFaceNames.canonical(tensor.name) == nil { unused.append(tensor.name) }
        }
        let rest = unused.count > 3 ? ", …" : ""
        return totals.lines
            + (unused.isEmpty
                ? []
                : [
                    Line(
                        "not used",
                        Wording.count(unused.count, "tensor") + ": " + unused.prefix(3).joined(separator: ", ") + rest)
                ])
    }

    static func tensors(of folder: HuggingFaceFolder) -> [Section] {
        folder.shards.map { shard in
            Section(
                folder.shards.count == 1 ? "tensors" : "tensors of \(shard.fileName)",
                SafetensorsLines.tensors(of: shard))
        }
    }

    static func command(_ path: String) -> String {
        let name = Wording.argument(path)
        return (try? HuggingFaceFolder.kind(of: path)) == .tower
            ? "with an original LLaVA, specchat --model LLAVA --mmproj \(name)" : "specchat --model \(name)"
    }

    /// Every value of a JSON object under the keys that lead to it; of a list, its length and its beginning.
    static func keys(_ value: JSONValue) -> [Line] {
        let most = 300
        var lines: [Line] = []
        func add(_ name: String, _ value: JSONValue) {
            guard lines.count < most else { return }
            switch value {
            case .object(let members): for member in members { add("\(name).\(member.name)", member.value) }
            case .list(let values):
                let first = values.prefix(4).map(word).joined(separator: ", ")
                lines.append(
                    Line(name, "\(Wording.count(values.count, "element")): \(first)\(values.count > 4 ? ", …" : "")"))
            default: lines.append(Line(name, word(value)))
            }
        }
        for member in value.members ?? [] { add(member.name, member.value) }
        return lines
    }

    private static func word(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "yes" : "no"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): "'\(text)'"
        case .list(let values): "(\(values.prefix(4).map(word).joined(separator: ", ")))"
        case .object: "an object"
        }
    }
}
