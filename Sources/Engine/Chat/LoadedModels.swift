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
    /// Where pictures are kept, and what their numbers depend on; absent where none are.
    private let pictureCache: (options: PictureCacheOptions, identity: ModelIdentity)?

    /// Where answers are kept to draft from, and the model's own name among those of others; absent where none are.
    private let answerStore: (options: AnswerStoreOptions, model: SHA256Digest)?

    struct Vision {
        let tower: VisionTower
        let projector: Projector
        let preprocessor: ImagePreprocessor
        let identity: SHA256Digest
    }

    struct Draft {
        let name: String
        let model: LanguageModel
        let projector: Projector?
        /// Absent where it sees no pictures.
        let identity: SHA256Digest?
    }

    /// Reads every file of the bundle that is needed.
    ///
    /// A draft that does not fit is left out with a notice; anything wrong with target or vision file is an error.
    init(
        bundle: ModelBundle, options: EngineOptions, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let backend = try CPUBackend(threads: options.threads, cache: options.cacheFormat)
        let packing = ModelPacking(backend: backend, cache: options.weightCache, cancellation: cancellation)
        let checkpoint = try LanguageCheckpoint(path: bundle.target.path)
        let target = try packing.load(
            checkpoint, named: bundle.name, quantisation: options.quantisation, isShown: true, emit: emit)
        let vocabulary = try checkpoint.vocabulary()
        self.bundle = bundle
        self.backend = backend
        self.target = target
        tokenizer = Tokenizer(vocabulary)
        template = try Self.template(options, of: checkpoint, named: bundle.name, emit: emit)
        vision = try Self.vision(of: bundle, target: target, backend: backend)
        draft = Self.draft(
            of: bundle, target: target, vocabulary: vocabulary,
            featureWidth: vision?.tower.configuration.hidden, packing: packing, emit: emit)
        pictureCache = Self.pictureCache(
            options, target: checkpoint, vision: vision, draft: draft,
            setting: [
                template.rawValue, vision.map { "\($0.preprocessor)" } ?? "", backend.arithmetic,
                options.quantisation?.rawValue ?? "",
            ])
        answerStore = options.answerStore.flatMap { options in
            bundle.looksUp ? (options, ModelIdentity.digest(of: [checkpoint.tensors])) : nil
        }
        contextLength = try Self.contextLength(options, of: target, named: bundle.name)
        warmUp()
        loadSeconds = (clock.now - start).seconds
        emit(.progress(Progress(phase: .loading, completed: 1, total: 1)))
    }

    private static func contextLength(
        _ options: EngineOptions, of target: LanguageModel, named name: String
    ) throws(ChatError) -> Int {
        let configuration = target.configuration
        guard let asked = options.contextLength else { return min(configuration.longestText, 4096) }
        // Beyond its window such a model forgets what comes first; here it would go on seeing it, and answer otherwise.
        if let window = configuration.slidingWindow, asked > window {
            throw .beyondWindow(model: name, asked: asked, window: window)
        }
        return asked
    }

    /// The family of prompts that the user names, or that the checkpoint's own template belongs to.
    private static func template(
        _ options: EngineOptions, of checkpoint: LanguageCheckpoint, named name: String, emit: ChatEngine.Emit
    ) throws -> ChatTemplate {
        if let template = options.template { return template }
        guard let text = try checkpoint.template() else { return .vicunaV1 }
        if let template = ChatTemplate.recognised(in: text) { return template }
        let names = ChatTemplate.allCases.map(\.rawValue).joined(separator: ", ")
        emit(
            .notice(
                Notice(
                    "The chat template of \(name) fits no family of prompts that is known here; going on with vicuna_v1. "
                        + "--template chooses another: \(names).")))
        return .vicunaV1
    }

    /// Who drafts in a conversation.
    struct Drafters {
        /// Everybody together; absent where nobody drafts.
        let all: (any Drafter)?
        let model: DraftModelDrafter?
        let lookup: LookupDrafter?
    }

    /// - Parameter earlier: answers of other conversations to draft from, the oldest first.
    func makeDrafters(earlier: [[Int32]]) -> Drafters {
        let model = draft.map { draft in
            DraftModelDrafter(
                name: draft.name, model: draft.model, projector: draft.projector, stopTokens: stopTokens, costs: costs,
                capacity: contextLength, targetVocabulary: target.configuration.vocabulary)
        }
        let lookup = bundle.looksUp ? LookupDrafter(stopTokens: stopTokens, earlier: earlier) : nil
        let both: [(any Drafter)?] = [lookup, model]
        let all = both.compactMap { $0 }
        return Drafters(
            all: all.count > 1 ? CombinedDrafter(all) : all.first, model: model, lookup: lookup)
    }

    /// Earlier answers of the same model; absent where none are kept.
    func makeAnswerStore() -> AnswerStore? {
        answerStore.map { AnswerStore($0.options, model: $0.model, vocabulary: target.configuration.vocabulary) }
    }

    func makePictureMemory() -> PictureMemory? {
        pictureCache.map { PictureMemory(identity: $0.identity, options: $0.options) }
    }

    private static func pictureCache(
        _ options: EngineOptions, target: LanguageCheckpoint, vision: Vision?, draft: Draft?, setting: [String]
    ) -> (PictureCacheOptions, ModelIdentity)? {
        guard let cache = options.pictureCache, let vision else { return nil }
        let identity = ModelIdentity(
            target: ModelIdentity.digest(of: [target.tensors]), vision: vision.identity, draft: draft?.identity,
            setting: setting)
        return (cache, identity)
    }

    var stopTokens: Set<Int32> { tokenizer.vocabulary.stops }

    /// Where the rows of a picture come from, and how many it takes.
    func layout(of image: PixelImage) throws(ChatError) -> PictureLayout {
        guard let vision else { throw .noVision(model: bundle.name) }
        return vision.preprocessor.layout(width: image.width, height: image.height)
    }

    /// Vision features [n, vision hidden] and visual tokens [n, hidden] of a picture.
    func see(_ image: PixelImage, progress: (Int, Int) throws -> Void) throws -> SeenPicture {
        guard let vision else { throw ChatError.noVision(model: bundle.name) }
        let layout = try layout(of: image)
        var squares: [any Matrix] = []
        for square in vision.preprocessor.squares(of: image) {
            let patches = vision.preprocessor.patches(ofSquare: square)
            squares.append(
                try vision.tower.encode(patches: patches) { done, total in
                    try progress(squares.count * total + done, layout.squares * total)
                })
        }
        let features = layout.sheet == nil ? squares[0] : try vision.tower.pack(squares, as: layout)
        return SeenPicture(visualTokens: try vision.projector.project(features), features: features)
    }

    private static func vision(
        of bundle: ModelBundle, target: LanguageModel, backend: any Backend
    ) throws -> Vision? {
        guard let path = bundle.vision?.path else { return nil }
        let checkpoint = try VisionCheckpoint(path: path, language: bundle.target.path)
        let tower = try VisionTower(checkpoint, backend: backend)
        let outputs = tower.configuration.projector.outputs
        guard outputs == target.configuration.hidden else {
            throw ChatError.visionMismatch(
                model: bundle.target.path, vision: path, wanted: target.configuration.hidden, found: outputs)
        }
        let preprocessor = ImagePreprocessor(tower.configuration, framing: bundle.preprocessing)
        return Vision(
            tower: tower, projector: try Projector(checkpoint.projector, backend: backend), preprocessor: preprocessor,
            identity: ModelIdentity.digest(of: [checkpoint.tensors]))
    }

    /// The draft of this name, or nothing and a notice that says why.
    private static func draft(
        of bundle: ModelBundle, target: LanguageModel, vocabulary: Vocabulary, featureWidth: Int?,
        packing: ModelPacking, emit: ChatEngine.Emit
    ) -> Draft? {
        guard let files = bundle.draft else { return nil }
        let name = files.name
        do {
            let checkpoint = try LanguageCheckpoint(path: files.model.path)
            if let reason = try checkpoint.vocabulary().difference(from: vocabulary) {
                emit(.notice(Notice("Going on without the draft \(name): \(reason).")))
                return nil
            }
            let model = try packing.load(checkpoint, named: name, isShown: false, emit: emit)
            let bridge = try files.projector.map { url in try ProjectorCheckpoint(path: url.path) }
            let projector = try bridge.flatMap { bridge -> Projector? in
                let sizes = bridge.configuration
                let fits = sizes.inputs == featureWidth && sizes.outputs == model.configuration.hidden
                return fits ? try Projector(bridge, backend: packing.backend) : nil
            }
            if files.projector != nil && projector == nil {
                emit(
                    .notice(
                        Notice("The draft \(name) cannot read this model's pictures; it drafts from the text alone.")))
            }
            let identity = projector.flatMap { _ in
                bridge.map { ModelIdentity.digest(of: [checkpoint.tensors, $0.tensors]) }
            }
            return Draft(name: name, model: model, projector: projector, identity: identity)
        } catch {
            emit(.notice(Notice("Going on without the draft \(name): \(error)")))
            return nil
        }
    }

    /// Times target and draft passes of several sizes, the shortest of each, until a moment is spent.
    private func warmUp() {
        guard draft != nil || bundle.looksUp else { return }
        guard draft != nil || target.configuration.isQuick else { return costs.learnWhileDecoding() }
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(100)
        var models: [(pass: CostModel.Pass, model: LanguageModel, cache: KVCache, sizes: [Int])] = [
            (.verify, target, target.makeCache(capacity: 32), [1, 4, 8, 2, 3, 5, 6, 12, 16, 32])
        ]
        if let draft { models.append((.draft, draft.model, draft.model.makeCache(capacity: 4), [1, 4, 2, 3])) }
        func time(_ model: LanguageModel, rows: Int, cache: KVCache) -> Double? {
            let tokens = [Int32](repeating: 0, count: rows)
            let start = clock.now
            let (pass, hidden) = model.forward(.tokens(tokens), plan: .text(rows: rows, after: 0), cache: cache)
            guard (try? pass.argmax(model.logits(of: hidden, in: pass))) != nil else { return nil }
            return (clock.now - start).seconds
        }
        // The first pass touches every weight for the first time; it says nothing about the next one.
        for entry in models { _ = time(entry.model, rows: 1, cache: entry.cache) }
        var shortest = models.map { _ in [Int: Double]() }
        // In turns, so that a moment in which the machine is busy lengthens passes of every size. Of the first turn these
        // are made whatever they take: where a pass takes long, it must still be known up to where rows begin to cost.
        let needed = [1, 4, 8]
        for turn in 0..<20 {
            for (index, entry) in models.enumerated() {
                for rows in entry.sizes where clock.now < end || (turn == 0 && needed.contains(rows)) {
                    guard let seconds = time(entry.model, rows: rows, cache: entry.cache) else { return }
                    shortest[index][rows] = min(seconds, shortest[index][rows] ?? seconds)
                }
            }
        }
        for (entry, measured) in zip(models, shortest) {
            for (rows, seconds) in measured { costs.calibrate(entry.pass, rows: rows, seconds: seconds) }
        }
    }
}

extension LanguageModelConfiguration {
    /// Whether passes are short beside the time that it takes to load the model, so that some may be made to time them.
    fileprivate var isQuick: Bool { blocks * hidden * (4 * hidden + 3 * feedForward) < 100_000_000 }
}
