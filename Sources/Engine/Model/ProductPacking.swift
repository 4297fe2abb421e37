// ProductPacking.swift — what becomes of a model's matrices when they are packed: their type, and where they are kept.

/// A type that matrices of floats can be made into while they are loaded.
public enum Quantisation: String, Sendable, Equatable, CaseIterable {
    case q8_0
    case q4_0
    case q4_k

    /// What files call the type.
    public var title: String { format.rawValue }

    var format: StoredTensor.Format {
        switch self {
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        case .q4_k: .q4_k
        }
    }
}

/// How a language model's matrices are packed.
struct ProductPacking {
    var quantisation: Quantisation?
    var shelf: (any WeightShelf)?

    /// The matrices of row-exact products of a model, in the order in which they are loaded.
    static func tensors(of checkpoint: LanguageCheckpoint) throws -> [StoredTensor] {
        let inner = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
        let names =
            (0..<checkpoint.configuration.blocks).flatMap { block in inner.map { "blk.\(block).\($0).weight" } }
            + [checkpoint.configuration.outputTensor]
        return try names.map { name -> StoredTensor in try checkpoint.tensors.tensor(named: name) }
    }

    /// The type that a matrix has when it is packed.
    ///
    /// Only floats are quantised: what is quantised already would lose again. The output head decides between tokens that
    /// are nearly alike, so it keeps eight bits. A matrix whose rows are no whole number of Q4_K's blocks becomes Q8_0,
    /// and one whose rows are none of those either stays as it is.
    func format(of tensor: StoredTensor) -> StoredTensor.Format {
        guard let quantisation, tensor.format.blockLength == 1 else { return tensor.format }
        let wanted = tensor.name.hasPrefix("blk.") ? quantisation.format : .q8_0
        return [wanted, .q8_0].first { tensor.columns % $0.blockLength == 0 } ?? tensor.format
    }
}
