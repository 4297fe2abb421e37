// KVCache.swift — what a language model remembers of the text: committed rows, and one provisional tree above them.

/// Keys and values of one text, one layer per decoder block.
///
/// Slots `0..<committed` are the text in order. Passes over a tree write the slots above; `commit` keeps an accepted
/// path by moving it down, and forgetting the rest is free: the next pass writes over it.
final class KVCache {
    let layers: [any CacheLayer]
    let capacity: Int
    private(set) var committed = 0
    let backend: any Backend
    /// Numbers of one row in one layer: its key and its value.
    private let rowNumbers: Int

    init(backend: any Backend, blocks: Int, capacity: Int, heads: Int, headWidth: Int) {
        self.backend = backend
        self.capacity = capacity
        rowNumbers = 2 * heads * headWidth
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

    /// Numbers of `rows` rows in all layers.
    func numberCount(ofRows rows: Int) -> Int { rows * rowNumbers * layers.count }

    /// The first rows of the text as host numbers, an array for each layer.
    func numbers(ofRows rows: Int) -> [[Float]] {
        precondition(rows <= committed, "KVCache: \(rows) rows of \(committed)")
        return layers.map { backend.numbers(ofRows: rows, in: $0) }
    }

    /// Whether `numbers` can be the first rows of a text in this cache.
    func fits(_ numbers: [[Float]], rows: Int) -> Bool {
        rows <= capacity && numbers.count == layers.count && numbers.allSatisfy { $0.count == rows * rowNumbers }
    }

    /// Begins a text with rows that `numbers` gave, in place of computing them.
    func begin(with numbers: [[Float]], rows: Int) {
        precondition(committed == 0 && fits(numbers, rows: rows), "KVCache: these are not the first rows of a text")
        for (layer, values) in zip(layers, numbers) { backend.write(values, rows: rows, to: layer) }
        commit(rows: rows)
    }

    /// Forgets everything from row `length` on.
    func truncate(to length: Int) {
        precondition(length <= committed, "KVCache: cannot truncate \(committed) rows to \(length)")
        committed = length
    }
}
