// OpenModel.swift — the model that the settings name, found and ready to be loaded.

import Engine
import Foundation

/// A bundle and how an engine for it is to be made.
struct OpenModel: Sendable {
    let bundle: ModelBundle
    var options: EngineOptions

    /// The same with encoded pictures and answers kept for later conversations, as the settings have it.
    func keeping(_ settings: Settings) -> OpenModel {
        var opened = self
        opened.options.pictureCache = settings.pictureCacheOptions
        opened.options.answerStore = settings.answerStoreOptions
        return opened
    }

    func makeEngine() -> ChatEngine { ChatEngine(bundle: bundle, options: options) }
}

extension Settings {
    /// Where encoded pictures are kept; absent where they shall take no room or nothing is to be stored.
    var pictureCacheOptions: PictureCacheOptions? {
        guard save, pictureCache > 0 else { return nil }
        var options = PictureCacheOptions.standard(environment: ProcessInfo.processInfo.environment)
        options?.byteLimit = pictureCache
        return options
    }

    /// Where packed weights are kept; absent where they shall take no room.
    var weightCacheOptions: WeightCacheOptions? {
        guard weightCache > 0 else { return nil }
        var options = WeightCacheOptions.standard(environment: ProcessInfo.processInfo.environment)
        options?.byteLimit = weightCache
        return options
    }

    /// Where answers are kept to draft from; absent where they shall not be or nothing is to be stored.
    var answerStoreOptions: AnswerStoreOptions? {
        save && keepAnswers ? AnswerStoreOptions.standard(environment: ProcessInfo.processInfo.environment) : nil
    }

    /// The model with the draft that the settings name.
    func openModel() throws(ModelBundleError) -> OpenModel { try openModel(draft: draft) }

    /// The same, without a draft where nothing is to be drafted.
    func openModelForAnswers() throws(ModelBundleError) -> OpenModel {
        try openModel(draft: generation.speculation.policy == .off ? "none" : draft)
    }

    /// The model with another draft, or with "none".
    func openModel(draft: String?) throws(ModelBundleError) -> OpenModel {
        let projector = draft == self.draft ? draftProjector : nil
        let bundle = try ModelBundle.open(model: model, mmproj: mmproj, draft: draft, draftProjector: projector)
        var options = EngineOptions()
        options.threads = threads
        options.contextLength = context
        options.template = template
        options.cacheFormat = cacheFormat
        options.quantisation = quantize
        options.weightCache = weightCacheOptions
        return OpenModel(bundle: bundle, options: options)
    }
}
