// TreeMemo.swift — the drawing of the tree on the panel, kept as long as it is the same. Read by DraftTreePane.

import Engine
import Synchronization

/// The tree that was laid out last. A round stands for several frames and three phases, between which no lane moves.
///
/// It never changes what is drawn: a state with it and one without show the same.
final class TreeMemo: Sendable, Equatable {
    /// What a drawing depends on.
    struct Key: Sendable, Equatable {
        let round: SpeculationRound
        let rows: Int
        let width: Int
        let symbols: Symbols
        let cursor: Int?
        /// Whether the panel scrolls, so that all nodes may be drawn.
        let scrolls: Bool
    }

    private let last = Mutex<(key: Key, drawing: TreeDrawing)?>(nil)

    func drawing(_ key: Key, make: () -> TreeDrawing) -> TreeDrawing {
        last.withLock { last in
            if let last, last.key == key { return last.drawing }
            let drawing = make()
            last = (key, drawing)
            return drawing
        }
    }

    static func == (a: TreeMemo, b: TreeMemo) -> Bool { true }
}
