// PictureWorld.swift — two pictures, a conversation about them and a folder to keep them in, for the tests of what is kept.

import Foundation

@testable import Engine

/// A folder of its own that is gone after the test.
final class PictureFolder {
    let options: PictureCacheOptions

    init(bytes: Int = 64 << 20) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-pictures-\(UUID().uuidString)")
        var options = PictureCacheOptions(folder: folder)
        options.byteLimit = bytes
        self.options = options
    }

    deinit {
        chmod(options.folder.path, 0o700)
        try? FileManager.default.removeItem(at: options.folder)
    }

    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: options.folder.path)) ?? []).sorted()
            .map { options.folder.appending(path: $0).path }
    }
}

/// What a conversation about two pictures was, and what it took.
struct PictureTalk: Equatable {
    var tokens: [[Int32]] = []
    var context: [Int] = []
    var notices: [String] = []
    /// Pictures that went through the vision tower.
    var encoded = 0
}

enum PictureWorld {
    static let pictures: [PixelImage] = (0..<2).map { number in
        var random = SeededGenerator(seed: UInt64(100 + number))
        let pixels = (0..<30 * 30 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return PixelImage(
            width: 30, height: 30, pixels: pixels, source: .init(name: "picture \(number)", width: 30, height: 30))
    }

    enum Draft: CaseIterable { case none, text, picture }

    static func models(
        _ draft: Draft, cache: PictureCacheOptions?, quantisation: Quantisation? = nil
    ) throws -> LoadedModels {
        let golden = try Golden("grouped")
        let bundle = try ModelBundle.open(
            model: golden.path("language.gguf"), mmproj: golden.path("vision.gguf"),
            draft: draft == .none ? "none" : Golden(draft == .text ? "theta" : "grouped").path("language.gguf"),
            draftProjector: draft == .picture ? golden.path("vision.gguf") : nil)
        var options = EngineOptions()
        (options.threads, options.contextLength, options.pictureCache) = (1, 300, cache)
        options.quantisation = quantisation
        return try LoadedModels(bundle: bundle, options: options, emit: { _ in }, cancellation: Cancellation())
    }

    /// A conversation from its beginning: one picture, an answer, another picture, an answer.
    static func talk(_ models: LoadedModels, restoring past: [PastTurn] = []) throws -> PictureTalk {
        let conversation = Conversation(models: models)
        var outcome = PictureTalk()
        var options = GenerationOptions()
        (options.sampler.temperature, options.maximumTokens) = (0.8, 8)
        let emit: ChatEngine.Emit = { event in
            switch event {
            case .progress(let progress):
                if progress.phase == .encodingImage, progress.completed == progress.total { outcome.encoded += 1 }
            case .picture: break
            case .notice(let notice): outcome.notices.append(notice.text)
            case .round: break
            case .finished(let report):
                outcome.tokens.append(report.tokens)
                outcome.context.append(report.contextUsed)
            }
        }
        if past.isEmpty {
            try conversation.attach(pictures[0], emit: emit, cancellation: Cancellation())
        } else {
            try conversation.restore(past, emit: emit, cancellation: Cancellation())
        }
        try conversation.ask("What is it?", options: options, emit: emit, cancellation: Cancellation())
        try conversation.attach(pictures[1], emit: emit, cancellation: Cancellation())
        try conversation.ask("And this?", options: options, emit: emit, cancellation: Cancellation())
        return outcome
    }
}
