// ForwardPlan.swift — what one pass is about: where its rows stand and what each of them may see.

/// Everything about the rows of a pass, given once when it begins; the operations then take only matrices and weights.
struct ForwardPlan: Sendable, Equatable {
    /// Which arithmetic the rows are owed. It follows from the purpose of the pass, never from the number of rows.
    enum Arithmetic: Sendable, Equatable {
        /// The bits of an output row depend on nothing but its input row, the weights, and what it sees, in order of
        /// position (`decoding.md`, Rule 2). Every pass of a language model.
        case rowExact
        /// The shape of the work never varies, so a library that picks kernels by shape may serve it. Vision only.
        case fixedShape
    }

    /// What each row may see.
    enum Sight: Sendable, Equatable {
        /// Every row sees every row of this pass; nothing is cached. The vision tower.
        case everyRow
        /// Row i sees slots `0..<committed` and rows `0...i` of this pass. Prefill.
        case causal
        /// Row i sees slots `0..<committed`, then the listed slots in this order (its ancestors from the root down,
        /// written by this pass or an earlier one), then itself.
        case ancestors([[Int32]])
    }

    let arithmetic: Arithmetic
    let sight: Sight
    /// Slots `0..<committed` of the cache are text that every row sees.
    let committed: Int
    /// The position of each row in the text, for the rotary embedding.
    let positions: [Int32]
    /// The cache slot where each row's keys and values are written; empty without a cache.
    let slots: [Int32]

    var rows: Int { positions.count }

    /// A pass of the vision tower or a projector over `rows` rows.
    static func vision(rows: Int) -> ForwardPlan {
        ForwardPlan(
            arithmetic: .fixedShape, sight: .everyRow, committed: 0,
            positions: (0..<Int32(rows)).map { $0 }, slots: [])
    }

    /// A pass over the next `rows` rows of the text, after `committed` rows.
    static func text(rows: Int, after committed: Int) -> ForwardPlan {
        let places = (0..<rows).map { Int32(committed + $0) }
        return ForwardPlan(
            arithmetic: .rowExact, sight: .causal, committed: committed, positions: places, slots: places)
    }
}

/// Rows of a pass whose hidden states somebody will look at. The others need nothing of the last block but their keys and
/// values, which is a thirty-second part of a prompt's work in a model of 32 blocks.
enum WantedRows: Sendable {
    case all
    case last
}
