// RoundInspector.swift — looks at the logits of a verified tree once more, for the eye alone. Used by SpeculativeLoop.

import CKernels

/// Logits of every node of a tree, row by row.
struct LogitRows {
    let values: [Float]
    let columns: Int
    /// What it took to fetch them beyond what the verification needed anyway.
    let secondsToRead: Double

    func row(_ index: Int) -> [Float] { Array(values[index * columns..<(index + 1) * columns]) }
}

/// Says what the target thought of a tree. It only reads: the text cannot depend on it.
struct RoundInspector {
    let choice: TokenChoice
    let piece: (Int32) -> TokenPiece
    /// Successors that are listed for a node.
    private static let listed = 5

    /// - Parameters:
    ///   - position: generated tokens of the conversation before the round.
    ///   - seen: the text up to the root, which is part of it.
    func inspect(
        _ tree: DraftTree, _ verdict: Verdict, logits: LogitRows, position: Int, seen: SeenTokens
    ) -> RoundInspection {
        let clock = ContinuousClock()
        let start = clock.now
        let chosenLast = verdict.accepted.last ?? 0
        var tokens = [RoundInspection.Token?](repeating: nil, count: tree.count)
        var successors: [[RoundInspection.Successor]] = []
        for node in tree.nodes.indices {
            let path = tree.path(to: node).dropFirst().map { tree.nodes[$0].token }
            let children = tree.children(of: node)
            var row = logits.row(node)
            choice.temper(&row, seen: SeenTokens(settled: seen.settled, path: path))
            let bonus = node == chosenLast ? [verdict.bonus] : []
            let thoughts = thoughts(
                of: children.map { tree.nodes[$0].token } + bonus, row: &row, position: position + path.count)
            // The root has no entry, so those of the children stand one before their nodes.
            let places = children.map { $0 - 1 } + [tree.count - 1]
            for (place, thought) in zip(places, thoughts) { tokens[place] = thought }
            successors.append(likeliest(of: &row))
        }
        return RoundInspection(
            tokens: tokens.compactMap { $0 }, successors: successors,
            seconds: logits.secondsToRead + (clock.now - start).seconds)
    }

    /// What the target thinks of some tokens; leaves the filtered row.
    private func thoughts(of asked: [Int32], row: inout [Float], position: Int) -> [RoundInspection.Token] {
        let ranks = asked.map { rank(of: $0, in: row) }
        if choice.options.temperature > 0 { choice.filter(&row) }
        let scale = Scale(row)
        return zip(asked, ranks).map { token, rank in
            RoundInspection.Token(
                probability: scale.probability(of: row[Int(token)]), rank: rank,
                noise: choice.noise(of: token, at: position, among: row.count))
        }
    }

    /// How many tokens stand above this one; of equal ones the lower id does.
    private func rank(of token: Int32, in row: [Float]) -> Int {
        let score = row[Int(token)]
        var above = 0
        for other in row[..<Int(token)] where other >= score { above += 1 }
        for other in row[(Int(token) + 1)...] where other > score { above += 1 }
        return above
    }

    private func likeliest(of row: inout [Float]) -> [RoundInspection.Successor] {
        let scale = Scale(row)
        var found: [RoundInspection.Successor] = []
        while found.count < min(Self.listed, row.count) {
            let token = Int(ck_largest(row, row.count))
            guard row[token] > -.infinity else { break }
            found.append(
                .init(
                    token: Int32(token), probability: scale.probability(of: row[token]), piece: piece(Int32(token))))
            row[token] = -.infinity
        }
        return found
    }

    /// What turns the scores of a row into probabilities.
    private struct Scale {
        private let largest: Float
        private let sum: Float

        init(_ row: [Float]) {
            largest = row[Int(ck_largest(row, row.count))]
            sum = ck_sum_exp(row, row.count, largest)
        }

        func probability(of score: Float) -> Float {
            guard score > -.infinity else { return 0 }
            let probability = ck_sum_exp([score], 1, largest) / sum
            // A model of broken weights has logits that are no numbers; a trace must be written all the same.
            return probability.isFinite ? min(1, probability) : 0
        }
    }
}
