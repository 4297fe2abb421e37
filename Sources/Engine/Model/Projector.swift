// Projector.swift — from the tower's features to rows that a language model reads as tokens.

/// LLaVA-1.5's two-layer perceptron with exact GELU between (arXiv 2310.03744, section 3), and LLaVA-1.6's learned row
/// for the end of a line of patches. A draft has its own, over the same features.
final class Projector {
    private let backend: any Backend
    private let first: BiasedProduct
    private let second: BiasedProduct
    /// What stands at the end of a line; absent where the checkpoint has none.
    private let lineEnd: [Float]?

    init(_ checkpoint: ProjectorCheckpoint, backend: any Backend) throws {
        let loader = WeightLoader(backend: backend, tensors: checkpoint.tensors)
        self.backend = backend
        first = try loader.biased("mm.0")
        second = try loader.biased("mm.2")
        lineEnd = checkpoint.configuration.hasLineEnd ? try loader.numbers(ProjectorConfiguration.lineEnd) : nil
    }

    /// Shape: features [n, vision hidden] in, visual tokens [n, language hidden] out.
    ///
    /// A row of zeros, which no patch gives, is the end of a line: the learned row stands in its place, or, with a draft
    /// that has learned none, what its layers make of nothing.
    func project(_ features: any Matrix) throws -> any Matrix {
        let pass = backend.begin(.vision(rows: features.rows))
        let projected = second(first(features, in: pass, activation: .gelu), in: pass)
        guard let lineEnd else { return projected }
        let ends = try Self.zeroRows(of: pass.read(features), columns: features.columns)
        guard !ends.isEmpty else { return projected }
        var numbers = try pass.read(projected)
        for row in ends { numbers.replaceSubrange(row * lineEnd.count..<(row + 1) * lineEnd.count, with: lineEnd) }
        return pass.load(numbers, columns: lineEnd.count)
    }

    private static func zeroRows(of numbers: [Float], columns: Int) -> [Int] {
        (0..<numbers.count / columns).filter { row in
            numbers[row * columns..<(row + 1) * columns].allSatisfy { $0 == 0 }
        }
    }
}
