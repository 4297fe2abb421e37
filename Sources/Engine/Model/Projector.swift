// Projector.swift — from the tower's features to rows that a language model reads as tokens.

/// LLaVA-1.5's two-layer perceptron with exact GELU between (arXiv 2310.03744, section 3). A draft has its own, over the
/// same features.
final class Projector {
    private let backend: any Backend
    private let first: BiasedProduct
    private let second: BiasedProduct

    init(_ checkpoint: ProjectorCheckpoint, backend: any Backend) throws {
        let loader = WeightLoader(backend: backend, tensors: checkpoint.tensors)
        self.backend = backend
        first = try loader.biased("mm.0")
        second = try loader.biased("mm.2")
    }

    /// Shape: features [n, vision hidden] in, visual tokens [n, language hidden] out.
    func project(_ features: any Matrix) -> any Matrix {
        let pass = backend.begin(.vision(rows: features.rows))
        return second(first(features, in: pass, activation: .gelu), in: pass)
    }
}
