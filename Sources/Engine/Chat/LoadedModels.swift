// LoadedModels.swift — a bundle's files as models in one backend: what a conversation talks to.

import Foundation

/// The target with its tokenizer, its vision tower and projector, and the chosen draft.
final class LoadedModels {
    let bundle: ModelBundle
    let backend: any Backend
    let target: LanguageModel
    let tokenizer: Tokenizer
    let template: ChatTemplate
    let vision: Vision?
    let draft: Draft?
    let costs = CostModel()
    let contextLength: Int
    private(set) var loadSeconds = 0.0

    struct Vision {
        let tower: VisionTower
        let projector: Projector
        let preprocessor: ImagePreprocessor
    }

    struct Draft {
        let name: String
        let model: LanguageModel
        let projector: Projector?
    }

    /// Reads every file of the bundle that is needed.
    ///
    /// A draft that does not fit is left out with a notice; anything wrong with target or vision file is an error.
    init(
        bundle: ModelBundle, options: EngineOptions, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let backend: any Backend = try CPUBackend(threads: options.threads)
        let file = try GGUF(path: bundle.target.path)
        let target = try LanguageModel(file, backend: backend) { done, total in
            try cancellation.check()
            emit(.progress(Progress(phase: .loading, completed: done, total: total + 1)))
        }
        let vocabulary = try Vocabulary(file)
        self.bundle = bundle
        self.backend = backend
        self.target = target
        tokenizer = Tokenizer(vocabulary)
        template = ChatTemplate(metadata: try file.string("tokenizer.chat_template"))
        vision = try Self.vision(of: bundle, target: target, backend: backend)
        draft = Self.draft(
            of: bundle, target: target, vocabulary: vocabulary,
            featureWidth: vision?.tower.configuration.hidden, backend: backend, emit: emit)
        contextLength = options.contextLength ?? min(target.configuration.contextLength, 4096)
        warmUp()
        loadSeconds = (clock.now - start).seconds
        emit(.progress(Progress(phase: .loading, completed: 1, total: 1)))
    }

    func makeDrafter() -> DraftModelDrafter? {
        draft.map { draft in
            DraftModelDrafter(
                name: draft.name, model: draft.model, projector: draft.projector, stopTokens: stopTokens, costs: costs,
                capacity: contextLength)
        }
    }

    var stopTokens: Set<Int32> { tokenizer.vocabulary.stops }

    /// Vision features [n, vision hidden] and visual tokens [n, hidden] of a picture.
    func see(
        _ image: PixelImage, progress: (Int, Int) throws -> Void
    ) throws -> (visualTokens: any Matrix, features: any Matrix) {
        guard let vision else { throw ChatError.noVision(model: bundle.name) }
        let features = try vision.tower.encode(patches: vision.preprocessor.patches(of: image), progress: progress)
        return (vision.projector.project(features), features)
    }

    private static func vision(
        of bundle: ModelBundle, target: LanguageModel, backend: any Backend
    ) throws -> Vision? {
        guard let path = bundle.vision?.path else { return nil }
        let file = try GGUF(path: path)
        let tower = try VisionTower(file, backend: backend)
        let outputs = tower.configuration.projector.outputs
        guard outputs == target.configuration.hidden else {
            throw ChatError.visionMismatch(
                model: bundle.target.path, vision: path, wanted: target.configuration.hidden, found: outputs)
        }
        let preprocessor = ImagePreprocessor(
            size: tower.configuration.imageSize, patch: tower.configuration.patchSize,
            framing: bundle.preprocessing == .pad ? .pad : .crop, mean: tower.configuration.mean,
            deviation: tower.configuration.standardDeviation)
        return Vision(tower: tower, projector: try Projector(file, backend: backend), preprocessor: preprocessor)
    }

    /// The draft of this name, or nothing and a notice that says why.
    private static func draft(
        of bundle: ModelBundle, target: LanguageModel, vocabulary: Vocabulary, featureWidth: Int?,
        backend: any Backend, emit: ChatEngine.Emit
    ) -> Draft? {
        guard let files = bundle.draft else { return nil }
        let name = files.name
        do {
            let file = try GGUF(path: files.model.path)
            if let reason = try Vocabulary(file).difference(from: vocabulary) {
                emit(.notice(Notice("Going on without the draft \(name): \(reason).")))
                return nil
            }
            let model = try LanguageModel(file, backend: backend)
            let projector = try files.projector.flatMap { url -> Projector? in
                let file = try GGUF(path: url.path)
                let sizes = try ProjectorConfiguration(file)
                let fits = sizes.inputs == featureWidth && sizes.outputs == model.configuration.hidden
                return fits ? try Projector(file, backend: backend) : nil
            }
            if files.projector != nil && projector == nil {
                emit(
                    .notice(
                        Notice("The draft \(name) cannot read this model's pictures; it drafts from the text alone.")))
            }
            return Draft(name: name, model: model, projector: projector)
        } catch {
            emit(.notice(Notice("Going on without the draft \(name): \(error)")))
            return nil
        }
    }

    /// Times target and draft passes of several sizes, the shortest of each, until a moment is spent.
    private func warmUp() {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(100)
        func time(_ model: LanguageModel, rows: Int, cache: KVCache) -> Double? {
            let tokens = [Int32](repeating: 0, count: rows)
            let start = clock.now
            let (pass, hidden) = model.forward(.tokens(tokens), plan: .text(rows: rows, after: 0), cache: cache)
            guard (try? pass.argmax(model.logits(of: hidden, in: pass))) != nil else { return nil }
            return (clock.now - start).seconds
        }
        guard let draft else { return }
        let caches = (target.makeCache(capacity: 32), draft.model.makeCache(capacity: 4))
        // The first pass touches every weight for the first time; it says nothing about the next one.
        _ = (time(target, rows: 1, cache: caches.0), time(draft.model, rows: 1, cache: caches.1))
        var shortest: [Int: (verify: Double, draft: Double)] = [:]
        // In turns, so that a moment in which the machine is busy lengthens passes of every size.
        for turn in 0..<30 {
            for rows in [1, 2, 4, 8, 16, 32] where clock.now < end || (turn == 0 && rows <= 2) {
                guard let verify = time(target, rows: rows, cache: caches.0),
                    let draft = time(draft.model, rows: min(rows, 4), cache: caches.1)
                else { return }
                let known = shortest[rows] ?? (verify, draft)
                shortest[rows] = (min(known.verify, verify), min(known.draft, draft))
            }
        }
        for (rows, seconds) in shortest.sorted(by: { $0.key < $1.key }) {
            costs.verify.record(rows: rows, seconds: seconds.verify)
            costs.draft.record(rows: min(rows, 4), seconds: seconds.draft)
        }
    }
}
