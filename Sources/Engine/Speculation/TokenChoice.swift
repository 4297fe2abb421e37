// TokenChoice.swift — Rule 1: the next token is a pure function of logits, position, text before it, sampler and seed.

import CKernels
import Foundation
import HeapModule

/// Chooses tokens for the target, and ranks them for a draft with the very same filters and noise, so that a draft that
/// predicts the logits well predicts the choice well at any temperature (Daliri, Musco, Suresh 2024).
///
/// There is no generator inside, whose state speculation could get out of step: the noise is a function of seed, position
/// and token, and what is remembered of it only saves the work of drawing the same row for every node of a depth.
struct TokenChoice {
    let options: SamplerOptions
    private let noise: NoiseRows

    init(options: SamplerOptions) {
        self.options = options
        noise = NoiseRows(seed: options.seed)
    }

    /// A token that a draft proposes, with the draft's confidence that the target will choose it, in 0...1.
    struct Proposal: Sendable, Equatable {
        let token: Int32
        let confidence: Float
    }

    /// True when the choice is the plain argmax of the logits, which a backend can compute where the logits are.
    var isPlainArgmax: Bool { options.temperature == 0 && options.repetitionPenalty == 1 }

    /// The next token.
    ///
    /// - Parameters:
    ///   - logits: one row; overwritten.
    ///   - position: generated tokens of the conversation before this one.
    ///   - seen: every token of the text before it, for the repetition penalty.
    func choose(_ logits: inout [Float], position: Int, seen: SeenTokens) -> Int32 {
        score(&logits, position: position, seen: seen)
        return Int32(ck_largest(logits, logits.count))
    }

    /// The `count` tokens likeliest to be chosen by the target, best first.
    ///
    /// At temperature 0 the confidence is the draft's probability. Above it the noise is known, so the confidence is the
    /// softmax of the noisy scores: a margin that the target's logits are unlikely to overturn counts as sure.
    func propose(_ count: Int, from logits: inout [Float], position: Int, seen: SeenTokens) -> [Proposal] {
        score(&logits, position: position, seen: seen)
        let first = Int(ck_largest(logits, logits.count))
        let largest = logits[first]
        let sum = ck_sum_exp(logits, logits.count, largest)
        var proposals = [Proposal(token: Int32(first), confidence: 1 / sum)]
        while proposals.count < min(count, logits.count) {
            logits[Int(proposals[proposals.count - 1].token)] = -.infinity
            let next = Int(ck_largest(logits, logits.count))
            guard logits[next] > -.infinity else { break }
            let confidence = ck_sum_exp([logits[next]], 1, largest) / sum
            proposals.append(Proposal(token: Int32(next), confidence: confidence))
        }
        return proposals
    }

    /// The noise of one token of a vocabulary of `count`; absent at temperature 0.
    func noise(of token: Int32, at position: Int, among count: Int) -> Float? {
        options.temperature > 0 ? noise.row(at: position, count: count)[Int(token)] : nil
    }

    /// From logits to the scores whose argmax is the choice: penalty, temperature, filters, noise.
    private func score(_ logits: inout [Float], position: Int, seen: SeenTokens) {
        temper(&logits, seen: seen)
        guard options.temperature > 0 else { return }
        filter(&logits)
        ck_add(&logits, logits.count, noise.row(at: position, count: logits.count))
    }

    /// Applies the repetition penalty and divides by the temperature, which 0 leaves out.
    func temper(_ logits: inout [Float], seen: SeenTokens) {
        if options.repetitionPenalty != 1 {
            seen.forEach { token in
                let logit = logits[Int(token)]
                logits[Int(token)] = logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty
            }
        }
        if options.temperature > 0 { ck_divide(&logits, logits.count, options.temperature) }
    }

    /// Removes what top-k, then top-p, then min-p leave out, each measured on the distribution that the one before left.
    func filter(_ scores: inout [Float]) {
        guard options.topK > 0 || options.topP < 1 || options.minP > 0 else { return }
        let largest = scores[Int(ck_largest(scores, scores.count))]
        func weight(_ token: Int) -> Float { ck_sum_exp([scores[token]], 1, largest) }
        // A tie goes to the lower id, so the support is the same wherever it is computed.
        let order = likeliest(of: scores, largest: largest).sorted { (scores[$0], $1) > (scores[$1], $0) }
        var kept = options.topK > 0 ? min(options.topK, order.count) : order.count
        if options.topP < 1 {
            let sum =
                options.topK > 0
                ? order[..<kept].reduce(0) { $0 + weight($1) } : ck_sum_exp(scores, scores.count, largest)
            var reached: Float = 0
            var count = 0
            while count < kept && reached < options.topP * sum {
                reached += weight(order[count])
                count += 1
            }
            kept = max(1, count)
        }
        if options.minP > 0 {
            kept = max(1, order[..<kept].prefix { weight($0) >= options.minP }.count)
        }
        let support = order[..<kept].map { ($0, scores[$0]) }
        for index in scores.indices { scores[index] = -.infinity }
        for (token, score) in support { scores[token] = score }
    }

    /// Every token that the filters might keep, and few more: sorting a whole vocabulary would take longer than a pass of
    /// the draft.
    private func likeliest(of scores: [Float], largest: Float) -> [Int] {
        var floor = -Float.infinity
        if options.topP < 1 {
            // Tokens below this hold less than 1 - top-p of the sum together, even if all of them were that likely. After
            // top-k the sum is another one, of few tokens.
            if options.topK == 0 { floor = largest + log((1 - options.topP) / Float(scores.count)) }
        } else if options.minP > 0 {
            floor = largest + log(options.minP)
        }
        // Rounding may be on either side.
        let candidates = scores.indices.filter { scores[$0] >= floor - 0.01 }
        guard options.topK > 0, options.topK < candidates.count else { return candidates }
        var best = Heap<Ranked>()
        for token in candidates {
            let entry = Ranked(score: scores[token], token: token)
            if best.count < options.topK {
                best.insert(entry)
            } else if let worst = best.min, worst < entry {
                best.replaceMin(with: entry)
            }
        }
        return best.unordered.map(\.token)
    }

    /// A token by its score; of equal ones the lower id is the better.
    private struct Ranked: Comparable {
        let score: Float
        let token: Int

        static func < (left: Ranked, right: Ranked) -> Bool {
            (left.score, right.token) < (right.score, left.token)
        }
    }
}

/// The noise of the positions that the present round may reach, each drawn once for draft and target together.
private final class NoiseRows {
    private let seed: UInt64
    /// A ring by position; a tree is never deeper.
    private var rows = [(position: Int, noise: [Float])](repeating: (-1, []), count: TreeGrowth.largest)

    init(seed: UInt64) { self.seed = seed }

    /// gumbel(seed, position, token) for each token below `count`.
    func row(at position: Int, count: Int) -> [Float] {
        let place = position % rows.count
        if rows[place].position != position || rows[place].noise.count != count {
            var noise = [Float](repeating: 0, count: count)
            ck_gumbel(seed, UInt64(position), count, &noise)
            rows[place] = (position, noise)
        }
        return rows[place].noise
    }
}

/// The tokens that stand before a place in the text: what is settled, then the path from the tree's root to the place.
struct SeenTokens {
    /// Distinct tokens of the settled text, the root included.
    let settled: Set<Int32>
    var path: [Int32] = []

    /// Calls `body` once for each distinct token.
    func forEach(_ body: (Int32) -> Void) {
        settled.forEach(body)
        for (index, token) in path.enumerated() where !settled.contains(token) && !path[..<index].contains(token) {
            body(token)
        }
    }
}
