// GGUFDescription.swift — a GGUF file in lines for people. Used by ModelInspection.

extension CheckpointDescription {
    init(_ file: GGUF) {
        var lines = DescriptionLines()
        let count = "\(Wording.count(file.tensors.count, "tensor")), \(Wording.count(file.keys.count, "key"))"
        let parts = file.fileCount > 1 ? " in \(file.fileCount) files" : ""
        lines.add("file", "GGUF version \(file.version), \(Wording.size(file.byteCount))\(parts), \(count)")
        lines.attempt { try Self.model(file) }
        if let architecture = try? file.string("general.architecture"), architecture == "clip" {
            Self.addVision(of: file, to: &lines)
        } else {
            Self.addLanguage(of: file, to: &lines)
        }
        self.init(
            lines.lines,
            sections: [
                Section("keys", file.keys.map { Line($0, Self.shown($0, file)) }),
                Section("tensors", file.tensors.map(Self.line)),
            ])
    }

    private static func line(_ tensor: GGUFTensor) -> Line {
        let size = tensor.byteCount.map(Wording.size) ?? "unknown size"
        return Line(tensor.name, "\(tensor.type.name), \(Wording.shape(tensor.dimensions)), \(size)")
    }

    private static func model(_ file: GGUF) throws -> [Line] {
        let architecture = try file.string("general.architecture") ?? "none named"
        let name = try file.string("general.name").map { " (\($0))" } ?? ""
        return [Line("architecture", architecture + name)]
    }

    private static func addLanguage(of file: GGUF, to lines: inout DescriptionLines) {
        lines.attempt { try ModelLines.language(LanguageModelConfiguration(file)) }
        lines.attempt { [ModelLines.vocabulary(try Vocabulary(file), origin: "SentencePiece")] }
        lines.attempt { [ModelLines.template(try file.string("tokenizer.chat_template"), of: "file")] }
        lines.add(types(of: file))
        lines.attempt {
            try ModelLines.checkTypes(of: LanguageModelConfiguration(file), in: file)
            return [ModelLines.memory(file.byteCount)]
        }
        lines.conclude("specchat --model \(Wording.argument(file.path))")
    }

    private static func addVision(of file: GGUF, to lines: inout DescriptionLines) {
        let path = Wording.argument(file.path)
        guard file.hasTensor("v.patch_embd.weight") else {
            lines.attempt { [ModelLines.projector(try ProjectorConfiguration(file))] }
            lines.add(types(of: file))
            return lines.conclude("with a draft, specchat --model MODEL --draft DRAFT --draft-projector \(path)")
        }
        lines.attempt {
            let tower = try VisionConfiguration(file)
            return ModelLines.vision(tower) + [ModelLines.projector(tower.projector)]
        }
        lines.add(types(of: file))
        lines.attempt {
            try ModelLines.checkTypes(of: VisionConfiguration(file), in: file)
            return [ModelLines.memory(file.byteCount)]
        }
        lines.conclude("with its language model, specchat --model MODEL --mmproj \(path)")
    }

    private static func types(of file: GGUF) -> [Line] {
        var totals = TypeTotals()
        for tensor in file.tensors {
            totals.add(tensor.type.name, numbers: tensor.count, bytes: tensor.byteCount ?? 0)
        }
        return totals.lines
    }

    // MARK: Keys

    private static func shown(_ key: String, _ file: GGUF) -> String {
        switch file[key] {
        case .unsigned(let value)?: return "\(value)"
        case .signed(let value)?: return "\(value)"
        case .float(let value)?: return Wording.number(Float(value))
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
            : (try? file.numbers(key))?.prefix(few).map(Wording.number)
        guard let first, !first.isEmpty else { return "" }
        return ": " + first.joined(separator: ", ") + (list.count > few ? ", …" : "")
    }
}
