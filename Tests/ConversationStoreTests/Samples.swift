// Samples.swift — what the tests save: conversations, answers, pictures, and folders of their own.

import Foundation
import Synchronization

@testable import ConversationStore
@testable import Engine

/// A folder that goes with the test.
final class TestFolder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/conversations.sqlite" }

    func write(_ name: String, _ bytes: some Collection<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }
}

/// A clock that moves a second with every look.
final class TestClock: Sendable {
    private let seconds = Mutex(1_700_000_000.0)

    func now() -> Date {
        seconds.withLock { seconds in
            seconds += 1
            return Date(timeIntervalSince1970: seconds)
        }
    }
}

enum Sample {
    static let model = ModelIdentity(
        name: "test model",
        target: ModelIdentity.File(path: "/models/target.gguf", byteCount: 12, digest: SHA256Digest(of: [1])),
        vision: ModelIdentity.File(path: "/models/vision.gguf", byteCount: 7, digest: SHA256Digest(of: [2])))

    static var settings: ConversationSettings {
        var settings = ConversationSettings()
        settings.sampler.seed = .max
        settings.sampler.temperature = 0.7
        settings.speculation.policy = .chain
        settings.draft = "small"
        return settings
    }

    static let conversation = NewConversation(model: model, template: "plain", settings: settings)

    static func question(_ text: String, pictures: [PictureRecord] = []) -> NewTurn {
        NewTurn(question: text, pictures: pictures, settings: settings)
    }

    /// A round whose tree has an accepted child, and whose bonus token is `index`.
    static func round(_ index: Int) -> SpeculationRound {
        var tree = DraftTree(root: 1)
        tree.append(7, below: 0, probability: 0.5, score: 0.5)
        tree.append(8, below: 0, probability: 0.25, score: 0.25)
        let piece = TokenPiece(bytes: Array("a".utf8), isControl: false)
        return SpeculationRound(
            index: index, position: 2 * index, tree: tree, accepted: [1], bonus: Int32(index),
            pieces: [piece, piece, piece, piece], draftPasses: 1,
            budget: BudgetChoice(nodes: 3, expectedTokens: 1.5, reason: "best rate at 3 nodes"),
            seconds: .init(draft: 0.25, verify: 0.5, choose: 0.25))
    }

    /// The progress of an answer after `rounds` rounds of which the last `new` were not written before.
    static func progress(rounds: Int, new: Int? = nil) -> TurnProgress {
        var progress = TurnProgress()
        for index in 0..<rounds { progress.add(round(index), text: "word\(index) ") }
        progress.rounds = Array(progress.rounds.suffix(new ?? rounds))
        return progress
    }

    static func report(text: String, tokens: [Int32]) -> GenerationReport {
        GenerationReport(
            text: text, tokens: tokens, promptTokens: 9, rounds: 2, drafted: 4, accepted: 1,
            seconds: GenerationReport.Seconds(), finish: .stop, speculation: "dynamic", draft: "small", seed: 3,
            temperature: 0, threads: 1, backend: "cpu", contextUsed: 12, contextLimit: 64)
    }

    static func image(width: Int, height: Int) -> PixelImage {
        PixelImage(
            width: width, height: height,
            pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 31) },
            source: .init(name: "picture.png", width: width, height: height))
    }

    /// A picture whose file lies in `folder`.
    static func picture(
        in folder: TestFolder, name: String = "picture.png", width: Int = 300, height: Int = 200, kept: Bool = false
    ) throws -> PictureRecord {
        let image = image(width: width, height: height)
        let path = try folder.write(name, image.png())
        return try PictureRecord(path: path, image: image, keepingBytes: kept)
    }
}

extension ConversationStore {
    /// A store whose time is the test's.
    static func opened(in folder: TestFolder) throws -> ConversationStore {
        let clock = TestClock()
        return try open(path: folder.store, now: { clock.now() })
    }

    /// Saves a conversation of complete turns.
    @discardableResult
    func save(_ turns: [(question: String, answer: String)]) throws -> ConversationID {
        let id = try begin(Sample.conversation)
        for turn in turns {
            var progress = TurnProgress()
            progress.answer = turn.answer
            try finish(try beginTurn(Sample.question(turn.question), in: id), progress, .complete)
        }
        return id
    }
}

/// Seeded randomness (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
