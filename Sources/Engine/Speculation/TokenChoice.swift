// TokenChoice.swift — Rule 1: the next token is a pure function of logits, position, text before it, sampler and seed.

import CKernels

/// Chooses tokens for the target, and ranks them for a draft with the very same filters and noise, so that a draft that
/// predicts the logits well predicts the choice well at any temperature (Daliri, Musco, Suresh 2024).
///
/// A value without a generator inside: there is no state that speculation could get out of step.
struct TokenChoice: Sendable {
    let options: SamplerOptions

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

    /// From logits to the scores whose argmax is the choice: penalty, temperature, filters, noise.
    private func score(_ logits: inout [Float], position: Int, seen: SeenTokens) {
        if options.repetitionPenalty != 1 {
            seen.forEach { token in
                let logit = logits[Int(token)]
                logits[Int(token)] = logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty
            }
        }
        guard options.temperature > 0 else { return }
        for index in logits.indices { logits[index] /= options.temperature }
        filter(&logits)
        ck_add_gumbel(options.seed, UInt64(position), 0, logits.count, &logits)
    }

    /// Removes what top-k, then top-p, then min-p leave out, each measured on the distribution that the one before left.
    private func filter(_ scores: inout [Float]) {
        guard options.topK > 0 || options.topP < 1 || options.minP > 0 else { return }
        // A tie goes to the lower id, so the support is the same wherever it is computed.
        let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        var kept = options.topK > 0 ? min(options.topK, order.count) : order.count
        let largest = scores[order[0]]
        if options.topP < 1 {
            let sum = order[..<kept].reduce(Float(0)) { $0 + ck_sum_exp([scores[$1]], 1, largest) }
            var reached: Float = 0
            var count = 0
            while count < kept && reached < options.topP {
                reached += ck_sum_exp([scores[order[count]]], 1, largest) / sum
                count += 1
            }
            kept = max(1, count)
        }
        if options.minP > 0 {
            kept = max(1, order[..<kept].prefix { ck_sum_exp([scores[$0]], 1, largest) >= options.minP }.count)
        }
        for index in order[kept...] { scores[index] = -.infinity }
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
