// Rotary.swift — how queries and keys turn with their position, and how positions beyond the trained ones are reached.
// Read from a checkpoint, performed by the backends.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Rotary position embedding (RoFormer): pair i of a head turns by position · base^(-2i / width), scaled.
struct Rotary: Sendable, Equatable {
    enum Pairing: Sendable, Equatable {
        /// Numbers 2i and 2i+1 form a pair: the order in which GGUF stores queries and keys.
        case adjacent
        /// Numbers i and i + width/2 form a pair: the order of Hugging Face checkpoints.
        case halves
    }

    /// How a model that was trained on short texts is made to read long ones.
    enum Scaling: Sendable, Equatable {
        case none
        /// Every pair turns so many times more slowly.
        case linear(factor: Double)
        case yarn(YarnScaling)
    }

    let base: Float
    /// Numbers of a head that turn; the rest pass through.
    let width: Int
    let pairing: Pairing
    let scaling: Scaling
    /// What each pair's frequency is divided by before any scaling; empty for nothing. LLaMA 3.1 has such a list.
    let divisors: [Float]

    init(base: Float, width: Int, pairing: Pairing, scaling: Scaling = .none, divisors: [Float] = []) {
        precondition(divisors.isEmpty || divisors.count == width / 2, "Rotary: \(divisors.count) divisors of \(width)")
        self.base = base
        self.width = width
        self.pairing = pairing
        self.scaling = scaling
        self.divisors = divisors
    }

    /// Radians by which each pair turns from one position to the next.
    var frequencies: [Double] {
        (0..<width / 2).map { pair in
            let plain = pow(Double(base), -2 * Double(pair) / Double(width))
            let frequency = divisors.isEmpty ? plain : plain / Double(divisors[pair])
            switch scaling {
            case .none: return frequency
            case .linear(let factor): return frequency / factor
            case .yarn(let yarn):
                let kept = 1 - yarn.interpolatedShare(ofPair: pair, base: Double(base), width: width)
                return frequency / yarn.factor * (1 - kept) + frequency * kept
            }
        }
    }

    /// What cosines and sines are multiplied by: yarn's sharper attention. Both queries and keys grow by it.
    var magnitude: Double {
        if case .yarn(let yarn) = scaling { yarn.magnitude } else { 1 }
    }
}

/// YaRN (arXiv 2309.00071): pairs that turn often within the trained context keep their frequency, pairs that hardly
/// turn are interpolated, and those between get a share of both.
///
/// transformers and llama.cpp agree on it; the names are those of the paper.
struct YarnScaling: Sendable, Equatable {
    /// The context is longer than the trained one by it; above 0.
    let factor: Double
    /// Positions of the original training.
    let originalContext: Int
    /// Turns within the trained context from which on a pair is left alone.
    var fastTurns = 32.0
    /// Turns up to which a pair is interpolated wholly.
    var slowTurns = 1.0
    /// Whether the border pairs are whole numbers.
    var hasWholeBorders = true
    /// What cosines and sines are multiplied by.
    let magnitude: Double

    /// 0 for a pair that keeps its frequency, 1 for one that is slowed down by `factor`.
    func interpolatedShare(ofPair pair: Int, base: Double, width: Int) -> Double {
        func pairThatTurns(_ turns: Double) -> Double {
            Double(width) * log(Double(originalContext) / (turns * 2 * .pi)) / (2 * log(base))
        }
        var (low, high) = (pairThatTurns(fastTurns), pairThatTurns(slowTurns))
        if hasWholeBorders { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, Double(width - 1)))
        // Both borders on one pair: a step, and no division by zero.
        return min(1, max(0, (Double(pair) - low) / (low == high ? 0.001 : high - low)))
    }

    /// The paper's growth of cosines and sines for a longer context.
    ///
    /// - Parameter weight: of the growth; some checkpoints ask for less than all of it.
    static func magnitude(factor: Double, weight: Double = 1) -> Double {
        factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
    }
}

extension Rotary {
    /// LLaMA 3.1's divisors: `factor` for pairs that turn less than `low` times within the original context, 1 for those
    /// that turn more than `high` times, and between them a mean of both frequencies.
    static func divisors(
        base: Float, width: Int, factor: Double, low: Double, high: Double, originalContext: Int
    ) -> [Float] {
        Rotary(base: base, width: width, pairing: .halves).frequencies.map { frequency in
            let turns = Double(originalContext) * frequency / (2 * .pi)
            if turns < low { return Float(factor) }
            if turns > high { return 1 }
            let kept = (turns - low) / (high - low)
            return Float(1 / ((1 - kept) / factor + kept))
        }
    }
}
