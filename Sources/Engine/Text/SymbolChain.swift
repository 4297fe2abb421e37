// SymbolChain.swift — a text on its way from characters to pieces: what Tokenizer merges by scores.

/// A text cut into symbols, at first its characters, that merge with their right neighbours.
struct SymbolChain {
    private let text: ArraySlice<UInt8>
    private var start: [Int32] = []
    private var length: [Int32] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []

    /// `text` is well-formed UTF-8 and not empty.
    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        for character in Characters(text) {
            start.append(Int32(character.lowerBound))
            length.append(Int32(character.count))
            previous.append(Int32(previous.count) - 1)
            next.append(Int32(next.count) + 1)
        }
        next[next.count - 1] = -1
    }

    var indices: Range<Int32> { 0..<Int32(start.count) }

    /// Bytes of the symbol at `left` and its right neighbour; absent where either is gone.
    func pair(at left: Int32) -> (size: Int, bytes: ArraySlice<UInt8>)? {
        let left = Int(left)
        guard length[left] > 0, next[left] >= 0 else { return nil }
        let size = Int(length[left] + length[Int(next[left])])
        return (size, text[Int(start[left])..<Int(start[left]) + size])
    }

    /// Merges the right neighbour into `left`; returns the symbol before it.
    mutating func joinNext(to left: Int32) -> Int32? {
        let here = Int(left)
        let right = Int(next[here])
        length[here] += length[right]
        length[right] = 0
        next[here] = next[right]
        if next[here] >= 0 { previous[Int(next[here])] = left }
        return previous[here] >= 0 ? previous[here] : nil
    }

    /// The symbols that are left, in the order of the text.
    var remaining: [ArraySlice<UInt8>] {
        start.indices.filter { length[$0] > 0 }.map { text[Int(start[$0])..<Int(start[$0] + length[$0])] }
    }
}

/// The characters of well-formed UTF-8, each as the range of its bytes.
struct Characters: Sequence, IteratorProtocol {
    private let text: ArraySlice<UInt8>
    private var place: Int

    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        place = text.startIndex
    }

    mutating func next() -> Range<Int>? {
        guard place < text.endIndex else { return nil }
        let size =
            switch text[place] {
            case ..<0xC0: 1
            case ..<0xE0: 2
            case ..<0xF0: 3
            default: 4
            }
        let end = Swift.min(place + size, text.endIndex)
        defer { place = end }
        return place..<end
    }
}

/// Two neighbouring symbols that together are a piece.
struct SymbolPair: Comparable {
    let score: Float
    let left: Int32
    /// Bytes of both when the pair was seen: tells a stale one.
    let size: Int32

    static func < (one: SymbolPair, other: SymbolPair) -> Bool {
        one.score < other.score || (one.score == other.score && one.left > other.left)
    }
}
