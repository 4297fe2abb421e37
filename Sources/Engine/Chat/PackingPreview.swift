// PackingPreview.swift — what a model takes once it is packed, and what of it is kept already, without packing anything or
// touching what is kept. Told by PackingDescription.

/// The weights of one checkpoint, kind by kind.
struct PackingPreview: Equatable {
    /// Weights that are treated alike.
    struct Part: Equatable {
        let name: String
        let count: Int
        /// The type in the file, such as "F16 and F32", and what it takes there.
        let fileType: String
        let fileBytes: Int
        /// The type that it becomes; absent for the vision model's own form, which has no name in files.
        let packedType: String?
        /// Bytes of memory once loaded; absent for what stays in the file.
        let residentBytes: Int?
    }

    /// The file of packed weights.
    struct Keeping: Equatable {
        let path: String
        /// Bytes that it has, or would have.
        let byteCount: Int
        let kept: WeightCache.Kept
        /// Files of the same weights under other keys.
        let others: [String]
    }

    /// Whether there is a file of packed weights, and why not.
    enum Rule: Equatable {
        case kept(Keeping)
        case turnedOff
        case tooSmall(least: Int)
        case tooLarge(Int, limit: Int)
    }

    let parts: [Part]
    /// Absent for weights that are never kept: a vision model's.
    let rule: Rule?

    /// Bytes of memory once loaded.
    var residentBytes: Int { parts.reduce(0) { $0 + ($1.residentBytes ?? 0) } }
}

extension ModelPacking {
    /// Whether a quantisation changes any matrix of a model.
    func changes(_ checkpoint: LanguageCheckpoint, by quantisation: Quantisation) throws -> Bool {
        let packing = ProductPacking(quantisation: quantisation)
        return try ProductPacking.tensors(of: checkpoint).contains { packing.format(of: $0) != $0.format }
    }

    /// - Parameter quantisation: what its matrices of floats become.
    func preview(of checkpoint: LanguageCheckpoint, as quantisation: Quantisation? = nil) throws -> PackingPreview {
        let packing = ProductPacking(quantisation: quantisation)
        let matrices = try ProductPacking.tensors(of: checkpoint)
        let layout = layout(of: matrices, in: checkpoint, packing)
        func part(_ name: String, _ tensors: [StoredTensor]) -> PackingPreview.Part {
            PackingPreview.Part(
                name: name, count: tensors.count, fileType: types(of: tensors),
                fileBytes: tensors.reduce(0) { $0 + $1.bytes.count },
                packedType: Set(tensors.map { packing.format(of: $0).rawValue }).sorted().joined(separator: " and "),
                residentBytes: zip(matrices, layout.entries).reduce(0) { sum, pair in
                    tensors.contains { $0.name == pair.0.name } ? sum + pair.1.byteCount : sum
                })
        }
        let configuration = checkpoint.configuration
        let vectors = try configuration.shapes.filter { $0.rows == 1 }.map { shape in
            try checkpoint.tensors.tensor(named: shape.name, rows: 1, columns: shape.columns) as StoredTensor
        }
        let table = try checkpoint.tensors.tensor(named: "token_embd.weight") as StoredTensor
        return PackingPreview(
            parts: [
                part("blocks", matrices.filter { $0.name.hasPrefix("blk.") }),
                part("output head", matrices.filter { !$0.name.hasPrefix("blk.") }),
                PackingPreview.Part(
                    name: "embedding", count: 1, fileType: types(of: [table]), fileBytes: table.bytes.count,
                    packedType: nil, residentBytes: nil),
                self.part("norms", vectors.map { ($0, .vector) }, becoming: StoredTensor.Format.float32.rawValue),
            ], rule: rule(for: matrices, layout))
    }

    /// A vision tower with its projector, whose weights are packed at every start.
    func preview(of checkpoint: VisionCheckpoint) throws -> PackingPreview {
        func weights(_ shapes: [TensorShape]) throws -> [(StoredTensor, WeightUse)] {
            try shapes.map { shape in
                let tensor =
                    try checkpoint.tensors.tensor(
                        named: shape.name, rows: shape.rows, columns: shape.columns) as StoredTensor
                let isMatrix = shape.rows > 1 && shape.name != "v.position_embd.weight"
                return (tensor, isMatrix ? .fixedShapeProduct : .vector)
            }
        }
        let tower = checkpoint.configuration
        return try PackingPreview(
            parts: [
                part("vision tower", weights(tower.shapes)), part("projector", weights(tower.projector.shapes)),
            ], rule: nil)
    }

    private func part(
        _ name: String, _ weights: [(tensor: StoredTensor, use: WeightUse)], becoming type: String? = nil
    ) -> PackingPreview.Part {
        PackingPreview.Part(
            name: name, count: weights.count, fileType: types(of: weights.map(\.tensor)),
            fileBytes: weights.reduce(0) { $0 + $1.tensor.bytes.count }, packedType: type,
            residentBytes: weights.reduce(0) { $0 + backend.bytes(of: $1.tensor, for: $1.use) })
    }

    private func rule(for matrices: [StoredTensor], _ layout: PackedWeightLayout) -> PackingPreview.Rule {
        guard let cache else { return .turnedOff }
        guard cache.isWorthKeeping(matrices) else { return .tooSmall(least: cache.leastBytes) }
        let folder = WeightCache(cache)
        guard folder.wouldKeep(layout) else { return .tooLarge(layout.byteCount, limit: cache.byteLimit) }
        return .kept(
            PackingPreview.Keeping(
                path: folder.place(of: layout), byteCount: layout.byteCount,
                kept: folder.look(layout, checksum: backend.checksum),
                others: folder.others(like: layout, checksum: backend.checksum)))
    }
}
