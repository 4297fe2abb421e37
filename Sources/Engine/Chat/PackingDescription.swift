// PackingDescription.swift — what a model would take with --quantize, in lines for people: `specchat inspect --quantize`.

internal import Foundation

extension CheckpointDescription {
    /// Describes what the files of a bundle take once they are loaded, its matrices of floats made into `quantisation`;
    /// what of that is kept on disk from one start to the next; and whether the file that is kept still fits. Nothing is
    /// loaded, written or deleted.
    ///
    /// - Parameters:
    ///   - name: the bundle's name on the command line.
    ///   - cache: where packed weights are kept; absent where they are not.
    public init(
        packing bundle: ModelBundle, named name: String, as quantisation: Quantisation, cache: WeightCacheOptions?
    ) throws {
        let packing = ModelPacking(
            backend: try CPUBackend(threads: 1), cache: cache, cancellation: Cancellation())
        let target = try LanguageCheckpoint(path: bundle.target.path)
        let preview = try packing.preview(of: target, as: quantisation)
        var models = [("target: \(bundle.target.lastPathComponent)", preview)]
        if let vision = bundle.vision {
            let checkpoint = try VisionCheckpoint(path: vision.path, language: bundle.target.path)
            models.append(("vision: \(vision.lastPathComponent)", try packing.preview(of: checkpoint)))
        }
        if let draft = bundle.draft {
            let checkpoint = try LanguageCheckpoint(path: draft.model.path)
            models.append(
                ("draft \(draft.name): \(draft.model.lastPathComponent)", try packing.preview(of: checkpoint)))
        }
        let changes = try packing.changes(target, by: quantisation)
        let type = preview.parts[0].packedType ?? quantisation.title
        let head = preview.parts[1].packedType ?? type
        let total = models.reduce(0) { $0 + $1.1.residentBytes }
        let option = "--quantize \(quantisation.rawValue)"
        var lines = [
            Line("model", bundle.name),
            Line(
                "becomes",
                changes
                    ? type == head ? type : "\(type), its output head \(head)"
                    : "nothing else: its weights are \(preview.parts[0].fileType) already, which \(option) leaves alone"
            ),
            PackingLines.memory(total),
        ]
        lines += PackingLines.keeping(preview.rule)
        let command = "specchat --model \(Wording.argument(name))"
        lines.append(Line("runs here", "yes: \(changes ? "\(command) \(option)" : command)"))
        let sections = models.enumerated().map { index, model in
            Section(
                model.0, model.1.parts.map(PackingLines.part) + (index == 0 ? [] : PackingLines.keeping(model.1.rule)))
        }
        self.init(lines, sections: sections)
    }
}

private enum PackingLines {
    typealias Line = CheckpointDescription.Line

    static func part(_ part: PackingPreview.Part) -> Line {
        let file =
            "\(Wording.count(part.count, "tensor")), \(Wording.size(part.fileBytes)) of \(part.fileType) in the file"
        guard let bytes = part.residentBytes else { return Line(part.name, "\(file), where it is left and looked up") }
        return Line(part.name, "\(file), \(Wording.size(bytes))\(part.packedType.map { " of \($0)" } ?? "") in memory")
    }

    /// - Parameter machine: bytes of its memory.
    static func memory(_ bytes: Int, of machine: UInt64 = ProcessInfo.processInfo.physicalMemory) -> Line {
        let fits = UInt64(bytes) < machine
        return Line(
            "memory",
            "\(Wording.size(bytes)) of weights once loaded; this machine has \(Wording.size(Int(clamping: machine)))"
                + (fits ? "" : ", so they are read from the disk for every token: choose a smaller type or model"))
    }

    static func keeping(_ rule: PackingPreview.Rule?) -> [Line] {
        func not(_ reason: String) -> [Line] { [Line("kept", "no: \(reason)")] }
        switch rule {
        case nil: return []
        case .turnedOff: return not("--weight-cache is 0, so it is packed anew at every start")
        case .tooSmall(let least):
            return not("its matrices take less than \(Wording.size(least)) in the file, and are packed in a moment")
        case .tooLarge(let bytes, let limit):
            return not("\(Wording.size(bytes)) are more than the \(Wording.size(limit)) that --weight-cache allows")
        case .kept(let keeping):
            return [Line(advice: sentence(keeping.kept), as: "kept"), Line(advice: place(keeping), as: "its file")]
                + keeping.others.map { Line(advice: earlier($0), as: "not used") }
        }
    }

    private static func sentence(_ kept: WeightCache.Kept) -> String {
        switch kept {
        case .absent(nil): "not yet: the first start packs it and writes its file, later ones map that"
        case .absent(let lack?): "not yet, nor at the next start: \(lack.reason)"
        case .damaged: "no: its file is damaged; the next start deletes it and packs the model anew"
        case .unread: "yes, and its file is of this model; the next start reads it once to its end, then maps it"
        case .whole: "yes, and its file fits the model's: the next start maps it"
        }
    }

    private static func place(_ keeping: PackingPreview.Keeping) -> String {
        "\(Wording.size(keeping.byteCount)), \(keeping.path)"
    }

    private static func earlier(_ path: String) -> String {
        "\(path), of the same weights: of this model before its file was changed or moved, or of another"
    }
}
