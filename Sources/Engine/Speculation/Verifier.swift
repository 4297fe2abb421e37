// Verifier.swift — Rule 3: one target pass over the whole tree, then a walk. The only thing that turns a tree into text.

/// What the walk found.
struct Verdict: Sendable, Equatable {
    /// Accepted nodes from the root's child down.
    var accepted: [Int]
    /// The target's choice after the last of them: a token that no node of the tree stands for, a stop token, or the last
    /// one that the limit allows. It is not in the cache; the next round begins with it.
    var bonus: Int32
}

/// A verdict with what it took.
struct Verification {
    let verdict: Verdict
    let seconds: (verify: Double, choose: Double)
    /// Of every node of the tree; only where they were asked for.
    let logits: LogitRows?
}

/// Verifies trees against the target.
struct Verifier {
    let target: LanguageModel
    let choice: TokenChoice
    let stopTokens: Set<Int32>

    /// Evaluates every node of the tree above the committed text and follows the target's choices.
    ///
    /// Node i is written to slot `committed + i`; the accepted path is then committed, the rest forgotten.
    ///
    /// - Parameters:
    ///   - position: generated tokens of the conversation so far; the root's successor is the next one.
    ///   - limit: tokens that may still be generated, at least 1.
    ///   - keepsLogits: whether the nodes' logits are wanted; they are read after the times were taken.
    func verify(
        _ tree: DraftTree, cache: KVCache, position: Int, seen: SeenTokens, limit: Int, keepsLogits: Bool = false
    ) throws -> Verification {
        let clock = ContinuousClock()
        let start = clock.now
        let (pass, hidden) = target.forward(
            .tokens(tree.nodes.map(\.token)), plan: .tree(tree, after: cache.committed), cache: cache)
        let logits = target.logits(of: hidden, in: pass)
        let walk: Verdict
        var numbers: [Float]?
        let evaluated: ContinuousClock.Instant
        if choice.isPlainArgmax {
            let choices = try pass.argmax(logits)
            evaluated = clock.now
            walk = Self.walk(tree, stopTokens: stopTokens, limit: limit) { node, _ in choices[node] }
        } else {
            let rows = try pass.read(logits)
            numbers = rows
            evaluated = clock.now
            walk = Self.walk(tree, stopTokens: stopTokens, limit: limit) { node, path in
                var row = Array(rows[node * logits.columns..<(node + 1) * logits.columns])
                let here = SeenTokens(settled: seen.settled, path: path)
                return choice.choose(&row, position: position + path.count, seen: here)
            }
        }
        let path = [0] + walk.accepted
        cache.commit(path: path.map { Int32(cache.committed + $0) })
        let chosen = clock.now
        let seconds = (verify: (evaluated - start).seconds, choose: (chosen - evaluated).seconds)
        if keepsLogits && numbers == nil { numbers = try pass.read(logits) }
        let kept = numbers.map {
            LogitRows(values: $0, columns: logits.columns, secondsToRead: (clock.now - chosen).seconds)
        }
        return Verification(verdict: walk, seconds: seconds, logits: keepsLogits ? kept : nil)
    }

    /// From the root, follows the child whose token the target chose, as long as there is one.
    ///
    /// - Parameter choose: the target's token after a node, given the accepted tokens on the way to it.
    static func walk(
        _ tree: DraftTree, stopTokens: Set<Int32>, limit: Int, choose: (Int, [Int32]) -> Int32
    ) -> Verdict {
        var accepted: [Int] = []
        var path: [Int32] = []
        while true {
            let node = accepted.last ?? 0
            let token = choose(node, path)
            let ends = stopTokens.contains(token) || path.count + 1 == limit
            guard !ends, let child = tree.children(of: node).first(where: { tree.nodes[$0].token == token }) else {
                return Verdict(accepted: accepted, bonus: token)
            }
            accepted.append(child)
            path.append(token)
        }
    }
}

extension ForwardPlan {
    /// A pass over every node of a tree whose root stands right after `committed` rows.
    static func tree(_ tree: DraftTree, after committed: Int) -> ForwardPlan {
        // Ancestors of each node as slots from the root down, grown from the parent's list.
        var ancestors: [[Int32]] = []
        for node in tree.nodes {
            ancestors.append(node.parent.map { ancestors[$0] + [Int32(committed + $0)] } ?? [])
        }
        return ForwardPlan(
            arithmetic: .rowExact, sight: .ancestors(ancestors), committed: committed,
            positions: tree.nodes.map { Int32(committed + $0.depth) },
            slots: tree.nodes.indices.map { Int32(committed + $0) })
    }
}

extension Duration {
    /// This duration as seconds.
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
