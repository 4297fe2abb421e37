// AddedPieces.swift — pieces that Tokenizer finds in a text before it merges the rest.

/// Pieces by their beginnings (a trie), so that a text is searched once however many pieces there are.
struct AddedPieces: Sendable {
    /// The node that follows a node (0 is the root) by a byte: its key is the node's number and the byte.
    private var children: [UInt64: UInt64] = [:]
    /// Tokens of the nodes at which a piece ends.
    private var tokens: [UInt64: Int32] = [:]

    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a piece; of two that are spelt alike the first counts, and an empty one is no piece.
    mutating func insert(_ piece: ArraySlice<UInt8>, _ token: Int32) {
        guard !piece.isEmpty else { return }
        var node: UInt64 = 0
        for byte in piece {
            let key = node << 8 | UInt64(byte)
            node = children[key] ?? UInt64(children.count + 1)
            children[key] = node
        }
        if tokens[node] == nil { tokens[node] = token }
    }

    /// The longest piece that stands at `place` of `text`.
    func longest(in text: [UInt8], at place: Int) -> (token: Int32, length: Int)? {
        var node: UInt64 = 0
        var best: (token: Int32, length: Int)?
        for (offset, byte) in text[place...].enumerated() {
            guard let next = children[node << 8 | UInt64(byte)] else { break }
            node = next
            if let token = tokens[node] { best = (token, offset + 1) }
        }
        return best
    }
}
