// KVCache.swift — what a language model remembers of the text: committed rows, and one provisional tree above them.

/// Keys and values of one text, one layer per decoder block.
///
/// Slots `0..<committed` are the text in order. Passes over a tree write the slots above; `commit` keeps an accepted
/// path by moving it down, and forgetting the rest is free: the next pass writes over it.
final class KVCache {
    let layers: [any CacheLayer]
    let capacity: Int
    private(set) var committed = 0
    private let backend: any Backend

    init(backend: any Backend, blocks: Int, capacity: Int, heads: Int, headWidth: Int) {
        self.backend = backend
        self.capacity = capacity
        layers = (0..<blocks).map { _ in
            backend.makeCacheLayer(capacity: capacity, heads: heads, headWidth: headWidth)
        }
    }

    /// Slots that are still free.
    var free: Int { capacity - committed }

    /// Takes `rows` rows that a causal pass wrote right above the committed text.
    func commit(rows: Int) {
        precondition(committed + rows <= capacity, "KVCache: \(rows) rows do not fit above \(committed)")
        committed += rows
    }

    /// Keeps the rows at `path` (ascending slots, in text order) and forgets every other provisional row.
    func commit(path: [Int32]) {
        // A path that already lies in place needs no move: chains and plain decoding copy nothing.
        let inPlace = path.indices.prefix { path[$0] == Int32(committed + $0) }.count
        if inPlace < path.count {
            backend.move(Array(path[inPlace...]), to: committed + inPlace, in: layers)
        }
        commit(rows: path.count)
    }

    /// Forgets everything from row `length` on.
    func truncate(to length: Int) {
        precondition(length <= committed, "KVCache: cannot truncate \(committed) rows to \(length)")
        committed = length
    }
}
