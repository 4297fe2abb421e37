// Scoring.swift — the probability of a given answer: what anyone needs to compare us with another implementation.

import Foundation

/// The prompt whose answer is scored.
public enum ScorePrompt: Sendable, Equatable {
    /// Goes through the chat template.
    case question(String)
    /// Taken as it is after the beginning token, with `<image>` where the picture's rows go; the text before it and the
    /// text after it are tokenised separately.
    case raw(String)
}

/// The log-probability of one token of the answer.
public struct TokenScore: Sendable, Equatable {
    public struct Candidate: Sendable, Equatable {
        public let token: Int32
        /// Natural logarithm.
        public let logProbability: Double
    }
    public let token: Int32
    /// Natural logarithm of the probability that the target gives to this token at this place.
    public let logProbability: Double
    /// The five likeliest tokens at this place.
    public let best: [Candidate]
    /// What the target gives to every token of its vocabulary at this place, before any softmax; absent unless asked for.
    public let logits: [Float]?
}

extension LoadedModels {
    /// Scores of the tokens of `answer`, in order.
    func score(
        _ prompt: ScorePrompt, image: PixelImage?, answer: String, keepingLogits: Bool
    ) throws -> [TokenScore] {
        let tokens = tokenizer.encode(answer)
        var parts = try self.parts(of: prompt, image: image)
        parts.append(.tokens(Array(tokens.dropLast())))
        let needed = parts.reduce(0) { $0 + $1.rows }
        guard !tokens.isEmpty else { throw ChatError.badSetting("there is no answer to score. Give one with --text.") }
        guard needed <= contextLength else {
            throw ChatError.contextFull(needed: needed, free: contextLength, limit: contextLength)
        }
        let cache = target.makeCache(capacity: needed)
        let feed = PromptFeed(target: target, cache: cache, drafter: nil)
        for part in parts { feed.append(part) }
        // The row before the answer, be it a token's or a picture's, and the answer's own rows are those that predict it.
        try feed.read(holdingBack: tokens.count - 1) { _, _ in }
        guard let before = feed.newest else {
            throw ChatError.badSetting(
                "there is nothing before the answer. Give a prompt with --prompt or --raw-prompt.")
        }
        var predictions = [(target.logits(of: before.hidden, in: before.pass), before.pass)]
        let pending = feed.takeHeldBack()
        if !pending.isEmpty {
            let plan = ForwardPlan.text(rows: pending.count, after: cache.committed)
            let (pass, hidden) = target.forward(.tokens(pending), plan: plan, cache: cache)
            predictions.append((target.logits(of: hidden, in: pass), pass))
        }
        var scores: [TokenScore] = []
        for (logits, pass) in predictions {
            let numbers = try pass.read(logits)
            for (row, best) in try pass.best(5, of: logits).enumerated() {
                let values = numbers[row * logits.columns..<(row + 1) * logits.columns]
                scores.append(
                    Self.score(of: tokens[scores.count], in: values, best: best, keepingLogits: keepingLogits))
            }
        }
        return scores
    }

    private static func score(
        of token: Int32, in logits: ArraySlice<Float>, best: [ScoredToken], keepingLogits: Bool
    ) -> TokenScore {
        let normalizer = logSumExp(logits)
        return TokenScore(
            token: token, logProbability: Double(logits[logits.startIndex + Int(token)]) - normalizer,
            best: best.map { .init(token: $0.token, logProbability: Double($0.logit) - normalizer) },
            logits: keepingLogits ? Array(logits) : nil)
    }

    private func parts(of prompt: ScorePrompt, image: PixelImage?) throws -> [PromptPart] {
        let segments: [ChatTemplate.Segment]
        switch prompt {
        case .question(let question):
            segments = template.opening() + template.user(question, isFirst: true, pictures: image == nil ? 0 : 1)
        case .raw(let text):
            let pieces = text.components(separatedBy: "<image>")
            guard pieces.count - 1 == (image == nil ? 0 : 1) else {
                throw ChatError.badSetting(
                    "the prompt has \(pieces.count - 1) times <image> and there \(image == nil ? "is no picture" : "is one picture"). "
                        + "Write <image> once for a picture given with --image, and never without.")
            }
            segments =
                [.beginning]
                + pieces.enumerated().flatMap { index, piece -> [ChatTemplate.Segment] in
                    (index == 0 ? [] : [.picture]) + (piece.isEmpty ? [] : [.text(piece)])
                }
        }
        let seen = try image.map { try see($0) { _, _ in } }
        let picture = seen.map { PromptPart.picture(visualTokens: $0.visualTokens, features: $0.features) }
        let texts = segments.split(separator: .picture, omittingEmptySubsequences: false)
        return texts.enumerated().flatMap { index, text -> [PromptPart] in
            let tokens = tokenizer.encode(Array(text))
            let before = index == 0 ? [] : [picture].compactMap { $0 }
            return before + (tokens.isEmpty ? [] : [.tokens(tokens)])
        }
    }

    private static func logSumExp(_ values: ArraySlice<Float>) -> Double {
        let largest = Double(values.max() ?? 0)
        return largest + log(values.reduce(0.0) { $0 + exp(Double($1) - largest) })
    }
}
