// MergeRanks.swift — merging as Hugging Face's `tokenizers` does it: a list of pairs, the first in the list first. Used
// by Tokenizer for vocabularies that come as tokenizer.json.

internal import HeapModule

/// The pairs of tokens that merge, each with its place in the list and the token that the two become.
struct MergeRanks: Sendable, Equatable {
    private struct Merge: Sendable, Equatable {
        let rank: Int32
        let token: Int32
    }

    private var merges: [UInt64: Merge] = [:]

    /// Whether a run of unknown characters is one unknown token.
    var fusesUnknown: Bool

    /// - Parameter pairs: of a pair that is listed twice the last counts, as in `tokenizers`.
    init(_ pairs: [(left: Int32, right: Int32, token: Int32)], fusesUnknown: Bool) {
        self.fusesUnknown = fusesUnknown
        merges.reserveCapacity(pairs.count)
        for (rank, pair) in pairs.enumerated() {
            merges[Self.key(pair.left, pair.right)] = Merge(rank: Int32(rank), token: pair.token)
        }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// A pair that can merge, as it was when it was seen.
    private struct Candidate: Comparable {
        let rank: Int32
        let left: Int
        let token: Int32

        /// The one to merge first is the least.
        static func < (one: Candidate, other: Candidate) -> Bool {
            one.rank < other.rank || (one.rank == other.rank && one.left < other.left)
        }
    }

    /// Merges neighbours, the pair that is listed first and the leftmost of equals, until none is listed.
    func merge(_ symbols: [Int32]) -> [Int32] {
        var tokens = symbols
        var next = Array(1..<symbols.count + 1)
        var previous = Array(-1..<symbols.count - 1)
        var isGone = [Bool](repeating: false, count: symbols.count)
        var candidates = Heap<Candidate>()
        func merge(at left: Int) -> Merge? {
            guard !isGone[left], next[left] < tokens.count else { return nil }
            return merges[Self.key(tokens[left], tokens[next[left]])]
        }
        func offer(_ left: Int) {
            guard let merge = merge(at: left) else { return }
            candidates.insert(Candidate(rank: merge.rank, left: left, token: merge.token))
        }
        for left in symbols.indices { offer(left) }
        while let best = candidates.popMin() {
            // What `tokenizers` asks of a pair that it saw earlier: that it would still become the same token.
            guard let merge = merge(at: best.left), merge.token == best.token else { continue }
            let right = next[best.left]
            tokens[best.left] = best.token
            isGone[right] = true
            next[best.left] = next[right]
            if next[right] < tokens.count { previous[next[right]] = best.left }
            if previous[best.left] >= 0 { offer(previous[best.left]) }
            offer(best.left)
        }
        return tokens.indices.filter { !isGone[$0] }.map { tokens[$0] }
    }
}
