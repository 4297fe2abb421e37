// KillRing.swift — what was cut, and what the text was before each change. Used by Composer.

/// The last pieces that were cut, as emacs keeps them.
struct KillRing: Sendable, Equatable {
    private var pieces: [[Character]] = []
    /// The piece that was put back last, counted from the newest.
    private var place = 0

    private static let capacity = 32

    var newest: [Character]? { pieces.last }

    /// - Parameters:
    ///   - joining: the cut follows another one directly, and the two become one piece.
    ///   - before: the piece stood before the cursor.
    mutating func add(_ piece: [Character], joining: Bool, before: Bool) {
        place = 0
        if joining, let last = pieces.popLast() {
            pieces.append(before ? piece + last : last + piece)
        } else {
            pieces.append(piece)
            if pieces.count > KillRing.capacity { pieces.removeFirst() }
        }
    }

    /// The piece before the one that was put back last; after the oldest comes the newest again.
    mutating func older() -> [Character]? {
        guard !pieces.isEmpty else { return nil }
        place = (place + 1) % pieces.count
        return pieces[pieces.count - 1 - place]
    }
}

/// What the text was, change by change.
struct UndoStack: Sendable, Equatable {
    struct Moment: Sendable, Equatable {
        var characters: [Character]
        var cursor: Int
        var folds: PasteFolds
    }
    private var moments: [Moment] = []

    private static let capacity = 200

    mutating func keep(_ moment: Moment) {
        moments.append(moment)
        if moments.count > UndoStack.capacity { moments.removeFirst() }
    }

    mutating func last() -> Moment? { moments.popLast() }
}
