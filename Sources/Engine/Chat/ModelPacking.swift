// ModelPacking.swift — loads a language model with its matrices packed once: quantised if that is asked for, kept on disk
// if that pays. Used by LoadedModels.

import Foundation

/// How the language models of a bundle are loaded.
struct ModelPacking {
    let backend: CPUBackend
    let cache: WeightCacheOptions?
    let cancellation: Cancellation

    /// A file that is being written while a model is packed.
    private struct Keeping {
        let cache: WeightCache
        let layout: PackedWeightLayout
        let writer: PackedWeightWriter
    }

    /// - Parameters:
    ///   - name: what messages call it.
    ///   - quantisation: what its matrices of floats become.
    ///   - isShown: whether its loading is what the user waits for.
    func load(
        _ checkpoint: LanguageCheckpoint, named name: String, quantisation: Quantisation? = nil, isShown: Bool,
        emit: ChatEngine.Emit
    ) throws -> LanguageModel {
        var packing = ProductPacking(quantisation: quantisation)
        let tensors = try ProductPacking.tensors(of: checkpoint)
        let changes = tensors.contains { packing.format(of: $0) != $0.format }
        func notice(_ text: String) { emit(.notice(Notice(text))) }
        func complain(_ fault: WeightCacheFault) {
            notice("Going on without keeping packed weights for later: \(fault.reason).")
        }
        func report(_ phase: Progress.Phase, _ done: Int, _ total: Int) throws {
            try cancellation.check()
            // One more: the head, or what is left after reading a file whole.
            if isShown { emit(.progress(Progress(phase: phase, completed: done, total: total + 1))) }
        }
        if let quantisation, !changes {
            notice(
                "--quantize \(quantisation.rawValue) leaves \(name) as it is: its weights are \(types(of: tensors)) already."
            )
        }
        var keeping: Keeping?
        if let cache, cache.isWorthKeeping(tensors) {
            let folder = WeightCache(cache), layout = layout(of: tensors, in: checkpoint, packing)
            let found = try folder.find(layout, checksum: backend.checksum) { try report(.loading, $0, $1) }
            if case .damaged = found {
                notice("The packed weights of \(name) in \(cache.folder.path) were damaged; they are made anew.")
            }
            if case .whole(let file) = found {
                packing.shelf = file
            } else if folder.wouldKeep(layout) {
                do throws(WeightCacheFault) {
                    let writer = try folder.begin(layout, checksum: backend.checksum)
                    keeping = Keeping(cache: folder, layout: layout, writer: writer)
                    packing.shelf = writer
                } catch {
                    complain(error)
                }
            }
        }
        let phase = changes && !(packing.shelf is PackedWeightFile) ? Progress.Phase.quantizing : .loading
        let model = try LanguageModel(checkpoint, backend: backend, packing: packing) { try report(phase, $0, $1) }
        if let keeping {
            do throws(WeightCacheFault) {
                try keeping.cache.finish(keeping.writer, keeping.layout)
            } catch {
                complain(error)
            }
        }
        return model
    }

    /// What the file of this model's packed weights must look like. Its key is the model's files as they are now, the
    /// types that its matrices become, and the way in which they are packed.
    func layout(
        of tensors: [StoredTensor], in checkpoint: LanguageCheckpoint, _ packing: ProductPacking
    ) -> PackedWeightLayout {
        let shapes = tensors.map { tensor in
            PackedShape(
                name: tensor.name, format: packing.format(of: tensor), outputs: tensor.rows, inputs: tensor.columns)
        }
        let words = shapes.map { "\($0.name) \($0.format.rawValue) \($0.outputs) \($0.inputs)" }
        let key = SHA256Digest(
            of: ModelIdentity.digest(of: [checkpoint.tensors]).bytes + checkpoint.tensors.stamp()
                + Array(([CPUBackend.packing] + words).joined(separator: "\n").utf8))
        return PackedWeightLayout(
            key: key.bytes, weights: shapes.map { ($0, backend.packedBytes(of: $0)) })
    }

    /// "Q4_K and Q6_K".
    func types(of tensors: [StoredTensor]) -> String {
        Set(tensors.map(\.format.rawValue)).sorted().joined(separator: " and ")
    }
}

extension WeightCacheOptions {
    /// Whether packing these matrices takes so long that they are kept.
    func isWorthKeeping(_ tensors: [StoredTensor]) -> Bool {
        tensors.reduce(0) { $0 + $1.bytes.count } >= leastBytes
    }
}
