// HistoryTalk.swift — a conversation with a golden model that tests hold, undo and put back. Used by HistoryTests.

import Foundation
import Testing

@testable import Engine

/// One turn that a test asks for.
struct Wish {
    var pictures: [Int] = []
    let question: String
    var tokens = 10
    /// Rounds after which the answer is cancelled; absent lets it end.
    var stopsAfter: Int?
}

/// A conversation on this thread with one of the golden models.
final class Talk {
    let conversation: Conversation
    let options: GenerationOptions
    private(set) var reports: [GenerationReport] = []
    private(set) var wishes: [Wish] = []
    /// Largest number of rows that one reading had before it, since it was last set to 0.
    var rowsRead = 0

    init(_ models: LoadedModels, _ options: GenerationOptions) {
        conversation = Conversation(models: models)
        self.options = options
    }

    func note(_ event: GenerationEvent) {
        if case .progress(let progress) = event, progress.phase == .prefill { rowsRead = max(rowsRead, progress.total) }
    }

    func attach(_ picture: Int) throws {
        try conversation.attach(HistoryWorld.pictures[picture], emit: note, cancellation: Cancellation())
    }

    @discardableResult
    func ask(_ wish: Wish) throws -> GenerationReport {
        var options = options
        options.maximumTokens = wish.tokens
        let cancellation = Cancellation()
        var rounds = 0
        try conversation.ask(
            wish.question, options: options,
            emit: { event in
                note(event)
                if case .round = event { rounds += 1 }
                if rounds == wish.stopsAfter { cancellation.cancel() }
                if case .finished(let report) = event { reports.append(report) }
            }, cancellation: cancellation)
        wishes.append(wish)
        return try #require(reports.last)
    }

    func play(_ wishes: some Sequence<Wish>) throws {
        for wish in wishes {
            for picture in wish.pictures { try attach(picture) }
            try ask(wish)
        }
    }

    /// The first turns as a store would have kept them.
    func stored(_ count: Int) -> [PastTurn] {
        zip(wishes, conversation.turns).prefix(count).map { wish, turn in
            PastTurn(
                images: wish.pictures.map { HistoryWorld.pictures[$0] }, question: wish.question, answer: turn.answer)
        }
    }
}

/// The golden model of these tests, its pictures, and what is asked of it.
enum HistoryWorld {
    static let pictures: [PixelImage] = (0..<3).map { number in
        var random = SeededGenerator(seed: UInt64(number))
        let pixels = (0..<32 * 24 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return PixelImage(
            width: 32, height: 24, pixels: pixels, source: .init(name: "picture \(number)", width: 32, height: 24))
    }

    /// A picture in the first turn, none in the second, two in the third, an answer that is stopped in between.
    static let wishes = [
        Wish(pictures: [0], question: "What is it?"), Wish(question: "Why?", tokens: 60, stopsAfter: 2),
        Wish(pictures: [1, 2], question: "And these?", tokens: 7), Wish(question: "So?"),
    ]

    /// - Parameter draft: "text" drafts without the pictures, "picture" sees them by a projector of its own.
    static func models(
        draft: String, context: Int = 400, cache: PictureCacheOptions? = nil
    ) throws -> LoadedModels {
        let golden = try Golden("grouped")
        let bundle = try ModelBundle.open(
            model: golden.path("language.gguf"), mmproj: golden.path("vision.gguf"),
            draft: Golden(draft == "text" ? "theta" : "grouped").path("language.gguf"),
            draftProjector: draft == "text" ? nil : golden.path("vision.gguf"))
        var options = EngineOptions()
        options.threads = 1
        options.contextLength = context
        options.pictureCache = cache
        return try LoadedModels(bundle: bundle, options: options, emit: { _ in }, cancellation: Cancellation())
    }

    static func options(_ policy: SpeculationPolicy = .dynamic, _ temperature: Float = 0.8) -> GenerationOptions {
        var options = GenerationOptions()
        options.speculation.policy = policy
        (options.sampler.temperature, options.sampler.repetitionPenalty, options.sampler.seed) = (temperature, 1.2, 5)
        return options
    }
}

/// Whether two answers are the same in everything that does not depend on time.
func expectEqual(
    _ found: [GenerationReport], _ wanted: [GenerationReport], sourceLocation: SourceLocation = #_sourceLocation
) {
    for key: (GenerationReport) -> String in [
        { "\($0.tokens)" }, { $0.text }, { "\($0.turn) \($0.promptTokens) \($0.contextUsed)" },
    ] {
        #expect(found.map(key) == wanted.map(key), sourceLocation: sourceLocation)
    }
}
