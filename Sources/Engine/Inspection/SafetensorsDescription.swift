// SafetensorsDescription.swift — one .safetensors file in lines for people: whose numbers they are, by their names. Used by
// ModelInspection.

internal import Foundation

enum SafetensorsLines {
    typealias Line = CheckpointDescription.Line

    static func tensors(of file: SafetensorsFile) -> [Line] {
        file.tensors.map { tensor in
            Line(tensor.name, "\(tensor.type), \(Wording.shape(tensor.shape)), \(Wording.size(tensor.byteCount))")
        }
    }

    /// What the tensors belong to, as far as their names tell.
    static func holds(_ file: SafetensorsFile) -> String {
        let names = file.tensors.map(\.name)
        if names.contains(where: { $0.contains("lora_A") || $0.contains("lora_B") || $0.contains("lora_down") }) {
            return "an adapter (LoRA), not a model: merge it into its base model"
        }
        if names.contains(where: { $0.hasPrefix("model.diffusion_model") || $0.hasPrefix("down_blocks.") }) {
            return "a model that makes pictures, not one that reads them"
        }
        if names.contains(where: { $0.hasSuffix(".qweight") || $0.hasSuffix(".weight_packed") }) {
            return
                "quantised weights (GPTQ's or AWQ's kind), which are not read here: take an unquantised or a GGUF file"
        }
        let ours = names.compactMap(HuggingFaceNames.canonical)
        if names.contains("fc.weight") { return "a feature head (EAGLE's kind), not a model of its own" }
        var parts: [String] = []
        let blocks = Set(ours.compactMap { $0.hasPrefix("blk.") ? $0.split(separator: ".")[1] : nil }).count
        if blocks > 0 { parts.append(Wording.count(blocks, "block") + " of a language model") }
        if ours.contains("token_embd.weight") { parts.append("its embedding") }
        if ours.contains("output.weight") { parts.append("its output head") }
        let tower = Set(ours.compactMap { $0.hasPrefix("v.blk.") ? $0.split(separator: ".")[2] : nil }).count
        if tower > 0 { parts.append(Wording.count(tower, "block") + " of a vision tower") }
        if ours.contains("mm.0.weight") { parts.append("a projector") }
        return parts.isEmpty ? "no tensor of a LLaVA or LLaMA model" : parts.joined(separator: ", ")
    }
}

extension CheckpointDescription {
    /// - Parameter file: one that lies in no model's folder.
    init(_ file: SafetensorsFile) {
        var lines = DescriptionLines()
        let count = Wording.count(file.tensors.count, "tensor")
        lines.add("file", "safetensors, \(Wording.size(file.byteCount)), \(count)")
        lines.add("holds", SafetensorsLines.holds(file))
        var totals = TypeTotals()
        for tensor in file.tensors {
            totals.add(tensor.type, numbers: tensor.shape.reduce(1, *), bytes: tensor.byteCount)
        }
        lines.add(totals.lines)
        let parent = URL(filePath: file.path).deletingLastPathComponent().path
        if HuggingFaceFolder.isOne(parent) {
            lines.add("folder", "\(parent); `specchat inspect \(Wording.argument(parent))` explains all of it")
            lines.conclude("with its folder, specchat --model \(Wording.argument(parent))")
        } else {
            lines.add("missing", "config.json and the tokenizer's files, which say what the numbers are for")
            lines.add("runs here", "no: put the other files of its Hugging Face folder beside it")
        }
        self.init(lines.lines, sections: [Section("tensors", SafetensorsLines.tensors(of: file))])
    }
}

extension SafetensorsFile {
    var fileName: String { (path as NSString).lastPathComponent }
}
