// NewTurn.swift — what the store is given: a conversation that begins, a question, the progress of its answer.

public import Engine
import Foundation

/// A conversation that begins; it is written with its first question.
public struct NewConversation: Sendable, Equatable {
    public var model: ModelIdentity
    public var template: String?
    public var settings: ConversationSettings

    public init(model: ModelIdentity, template: String? = nil, settings: ConversationSettings) {
        self.model = model
        self.template = template
        self.settings = settings
    }
}

/// A question that was put.
public struct NewTurn: Sendable, Equatable {
    public var question: String
    public var pictures: [PictureRecord]
    public var settings: ConversationSettings

    public init(question: String, pictures: [PictureRecord] = [], settings: ConversationSettings) {
        self.question = question
        self.pictures = pictures
        self.settings = settings
    }
}

/// A turn in the store, to be written on.
public struct TurnReference: Sendable, Hashable {
    public let conversation: ConversationID
    /// From 0.
    public let number: Int
    let row: Int64
}

/// How far an answer has come.
public struct TurnProgress: Sendable, Equatable {
    /// The whole text so far.
    public var answer = ""
    /// All tokens so far.
    public var tokens: [Int32] = []
    public var statistics = TurnStatistics()
    /// Rounds that were not written yet. One that is written again takes the place of the first.
    public var rounds: [SpeculationRound] = []

    public init() {}

    /// Adds a round and the whole characters that it made.
    public mutating func add(_ round: SpeculationRound, text: String) {
        answer += text
        tokens += round.tokens
        statistics.add(round)
        rounds.append(round)
    }

    /// Takes over the last word on an answer.
    public mutating func finish(with report: GenerationReport) {
        answer = report.text
        tokens = report.tokens
        statistics = TurnStatistics(report)
    }
}

/// What is kept of a picture that was shown to a model.
public struct PictureRecord: Sendable, Equatable {
    /// Longer side of a thumbnail, in pixels.
    public static let thumbnailSide = 256

    public let path: String
    public let digest: SHA256Digest
    public let byteCount: Int
    public let width: Int
    public let height: Int
    /// A PNG.
    let thumbnail: Data
    /// The file itself, where it is to be kept.
    let bytes: Data?

    /// Describes the picture `image`, which was read from the file at `path`; reads the file again for its digest.
    ///
    /// Takes milliseconds, so not for the screen's thread. `image` may be smaller than the file's picture was; the size
    /// that is kept is that of its source.
    public init(path: String, image: PixelImage, keepingBytes: Bool) throws(StoreError) {
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let side = max(image.width, image.height)
            let small =
                side <= Self.thumbnailSide
                ? image
                : image.resized(
                    width: max(1, image.width * Self.thumbnailSide / side),
                    height: max(1, image.height * Self.thumbnailSide / side))
            self.path = URL(fileURLWithPath: path).standardizedFileURL.path
            digest = SHA256Digest(of: bytes)
            byteCount = bytes.count
            width = image.source.width
            height = image.source.height
            thumbnail = Data(try small.png())
            self.bytes = keepingBytes ? bytes : nil
        } catch {
            throw .unreadable(path: path, reason: systemReason(error))
        }
    }

    /// A picture that is in the store already.
    init(_ saved: SavedPicture, thumbnail: Data, bytes: Data?) {
        path = saved.path
        digest = saved.digest
        byteCount = saved.byteCount
        width = saved.width
        height = saved.height
        self.thumbnail = thumbnail
        self.bytes = bytes
    }
}
