// ModelLines.swift — sizes, words and eyes of a model in lines for people, whatever the format. Used by the descriptions
// of files and folders.

internal import Foundation

enum ModelLines {
    typealias Line = CheckpointDescription.Line

    static func language(_ model: LanguageModelConfiguration) -> [Line] {
        let heads = "heads \(model.heads) of \(model.headWidth), key heads \(model.keyHeads)"
        let widths = "hidden \(model.hidden), feed-forward \(model.feedForward)"
        return [
            Line("sizes", "blocks \(model.blocks), \(widths), \(heads)"),
            Line("context", context(of: model)),
            Line("output", "\(model.vocabulary) rows" + (model.isOutputTied ? ", tied to the embedding" : "")),
        ]
    }

    private static func context(of model: LanguageModelConfiguration) -> String {
        let scaling =
            switch model.rotary.scaling {
            case .none: ""
            case .linear(let factor): ", positions \(Wording.number(Float(factor))) times as close"
            case .yarn(let yarn):
                ", stretched \(Wording.number(Float(yarn.factor))) times from \(yarn.originalContext) positions (YaRN)"
            }
        let divided = model.rotary.divisors.isEmpty ? "" : ", frequencies of its own"
        let window = model.slidingWindow.map { ", looks back \($0)" } ?? ""
        let base = Wording.number(model.rotary.base)
        return "\(model.contextLength) positions, rotary base \(base)" + scaling + divided + window
    }

    static func vision(_ tower: VisionConfiguration) -> [Line] {
        let widths = "hidden \(tower.hidden), feed-forward \(tower.feedForward), heads \(tower.heads)"
        let picture = "\(tower.imageSize) × \(tower.imageSize) pixels in \(tower.patches) patches of \(tower.patchSize)"
        let swapped = tower.feedForwardNamesSwapped ? ", ffn_up and ffn_down swapped" : ""
        return [
            Line("eyes", "blocks to run \(tower.blocks), \(widths)\(swapped)"), Line("picture", picture),
            Line("prepared", preparation(of: tower)),
        ]
    }

    private static func preparation(of tower: VisionConfiguration) -> String {
        func list(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
        let normalised = "less the mean \(list(tower.mean)), over \(list(tower.standardDeviation))"
        if let tiling = tower.tiling {
            let sheets = tiling.sheets.map { "\($0.columns) × \($0.rows)" }.joined(separator: ", ")
            return "the whole picture, then tiles of \(sheets), merged by \(tiling.merge.rawValue); \(normalised)"
        }
        return (tower.cutsOutMiddle ? "the middle cut out" : "padded to a square") + "; \(normalised)"
    }

    static func projector(_ projector: ProjectorConfiguration) -> Line {
        let lineEnd = projector.hasLineEnd ? ", with a row for the end of a line" : ""
        return Line(
            "projector", "\(projector.inputs) to \(projector.hidden) to \(projector.outputs), GELU between\(lineEnd)")
    }

    /// - Parameter origin: what the vocabulary was read from, in brackets.
    static func vocabulary(_ vocabulary: Vocabulary, origin: String) -> Line {
        func named(_ token: Int32?) -> String { token.map { "'\(vocabulary.pieces[Int($0)])' (\($0))" } ?? "none" }
        let ends = "begins with \(named(vocabulary.beginning)), ends with \(named(vocabulary.end))"
        return Line("vocabulary", "\(vocabulary.pieces.count) pieces (\(origin)), \(ends)")
    }

    /// - Parameter text: the template as the checkpoint words it, or a family's name; absent where it has none.
    static func template(_ text: String?, of holder: String) -> Line {
        guard let text else { return Line("template", "vicuna_v1, as the \(holder) has none") }
        guard let family = ChatTemplate.recognised(in: text) else {
            return Line(
                "template", "vicuna_v1, as the \(holder)'s own fits no known family; --template chooses another")
        }
        return Line("template", family.rawValue)
    }

    /// Throws where a weight of the model is of a type that is not read.
    static func checkTypes(of model: LanguageModelConfiguration, in tensors: any TensorSource) throws {
        for shape in model.shapes {
            _ = try tensors.tensor(named: shape.name, rows: shape.rows, columns: shape.columns)
        }
    }

    static func checkTypes(of tower: VisionConfiguration, in tensors: any TensorSource) throws {
        for shape in tower.shapes + tower.projector.shapes {
            _ = try tensors.tensor(named: shape.name, rows: shape.rows, columns: shape.columns)
        }
    }

    /// The weights beside the machine's memory: what does not fit is read from the disk again and again.
    static func memory(_ bytes: Int, of machine: UInt64 = ProcessInfo.processInfo.physicalMemory) -> Line {
        let fits = UInt64(bytes) < machine
        let advice =
            fits
            ? ""
            : ", so they are read from the disk for every token: take a smaller or a quantised model, or --quantize this one"
        return Line(
            "memory",
            "\(Wording.size(bytes)) of weights; this machine has \(Wording.size(Int(clamping: machine)))\(advice)")
    }
}
