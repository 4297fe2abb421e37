// PromptFeed.swift — what waits to be read by the models, and the reading of it, chunk by chunk.

/// A picture as the models read it.
struct SeenPicture {
    /// Rows of the target. Shape: [n, hidden].
    let visualTokens: any Matrix
    /// The tower's output, which a draft projects for itself; zeros at the end of a line of patches. Shape: [n, vision
    /// hidden].
    let features: any Matrix
}

/// The first tokens of a text and the picture after them, as the rows that they became in an earlier conversation.
struct RememberedOpening {
    let tokens: [Int32]
    let pictureRows: Int
    /// Numbers of the target's rows, layer by layer.
    let target: [[Float]]
    /// Those of a draft that sees pictures; absent where it has to read for itself.
    let draft: [[Float]]?
    /// What such a draft reads.
    let features: (any Matrix)?

    var rows: Int { tokens.count + pictureRows }
}

/// Rows of the prompt in text order.
enum PromptPart {
    case tokens([Int32])
    /// A picture: its rows for the target, of which the first `read` are done, and the features that a draft projects
    /// for itself.
    case picture(visualTokens: any Matrix, features: any Matrix, read: Int = 0)
    /// Tokens and a picture of so many rows after them, which is encoded when its turn to be read comes.
    case image(PixelImage, rows: Int, after: [Int32])
    /// The beginning of a text whose rows are known.
    case remembered(RememberedOpening)

    /// Rows of the target's text that it still stands for.
    var rows: Int {
        switch self {
        case .tokens(let tokens): tokens.count
        case .picture(let visualTokens, _, let read): visualTokens.rows - read
        case .image(_, let rows, let tokens): tokens.count + rows
        case .remembered(let opening): opening.rows
        }
    }

    /// Tokens and an encoded picture after them.
    static func parts(_ tokens: [Int32], _ picture: SeenPicture) -> [PromptPart] {
        [.tokens(tokens), .picture(visualTokens: picture.visualTokens, features: picture.features)]
    }
}

/// Feeds a prompt to the target, and puts it before the draft, which reads it when it is going to be asked. Row exactness
/// makes the chunks invisible in the result, so reading may stop and go on anywhere.
final class PromptFeed {
    private let target: LanguageModel
    private let cache: KVCache
    private let drafter: (any Drafter)?
    private(set) var waiting: [PromptPart] = []
    /// The pass that read the newest rows, and the row that it gave for the last of them.
    private(set) var newest: (pass: any ForwardPass, hidden: any Matrix)?
    /// Rows that are read at once.
    static let chunk = 64

    init(target: LanguageModel, cache: KVCache, drafter: (any Drafter)?) {
        self.target = target
        self.cache = cache
        self.drafter = drafter
    }

    var waitingRows: Int { waiting.reduce(0) { $0 + $1.rows } }

    func append(_ part: PromptPart) {
        if part.rows > 0 { waiting.append(part) }
    }

    func clear() { waiting = [] }

    /// Keeps the first `rows` rows of what waits; no picture may be cut.
    func keep(rows: Int) {
        var left = rows
        waiting = waiting.compactMap { part in
            defer { left -= min(left, part.rows) }
            guard left < part.rows else { return part }
            guard case .tokens(let tokens) = part, left > 0 else {
                precondition(left == 0, "PromptFeed: a picture cannot be cut")
                return nil
            }
            return .tokens(Array(tokens.prefix(left)))
        }
    }

    /// Reads everything but the last `held` tokens, which must stand in the last part.
    ///
    /// - Parameters:
    ///   - parts: the parts that an image and the tokens before it are, given whether the text begins with them; it may
    ///     throw to stop.
    ///   - step: called after each chunk with the rows read and their number; it may throw to stop, and nothing is lost:
    ///     what was not read goes on waiting.
    func read(
        holdingBack held: Int, seeing parts: Seeing = PromptFeed.blind,
        step: (Int, Int) throws -> Void
    ) throws {
        let total = waitingRows - held
        var done = 0
        while done < total {
            let rows = min(Self.chunk, waiting[0].rows, total - done)
            switch waiting[0] {
            case .tokens(let tokens):
                let chunk = Array(tokens.prefix(rows))
                read(.tokens(chunk), rows: rows)
                drafter?.append(chunk)
                waiting[0] = .tokens(Array(tokens.dropFirst(rows)))
            case .picture(let visualTokens, let features, let read):
                self.read(.rows(visualTokens, from: read), rows: rows)
                // A draft reads the whole picture at once, when the target has come to its end.
                if read + rows == visualTokens.rows { drafter?.append(picture: features, rows: visualTokens.rows) }
                waiting[0] = .picture(visualTokens: visualTokens, features: features, read: read + rows)
            case .image(let image, let pictureRows, let tokens):
                let parts = try parts(image, pictureRows, tokens, cache.committed == 0).filter { $0.rows > 0 }
                waiting.replaceSubrange(0..<1, with: parts)
                continue
            case .remembered(let opening):
                begin(with: opening)
                waiting.removeFirst()
                done += opening.rows
                try step(done, total)
                continue
            }
            if waiting[0].rows == 0 { waiting.removeFirst() }
            done += rows
            try step(done, total)
        }
    }

    /// Takes the tokens that were held back.
    func takeHeldBack() -> [Int32] {
        defer { waiting = [] }
        return waiting.flatMap { part -> [Int32] in
            guard case .tokens(let tokens) = part else {
                preconditionFailure("PromptFeed: a picture cannot be held back")
            }
            return tokens
        }
    }

    private func begin(with opening: RememberedOpening) {
        cache.begin(with: opening.target, rows: opening.rows)
        drafter?.begin(
            with: DraftOpening(
                tokens: opening.tokens, pictureRows: opening.pictureRows, features: opening.features,
                numbers: opening.draft))
    }

    typealias Seeing = (_ image: PixelImage, _ rows: Int, _ after: [Int32], _ isOpening: Bool) throws -> [PromptPart]

    /// For prompts whose pictures were all encoded before.
    static func blind(_ image: PixelImage, rows: Int, after: [Int32], isOpening: Bool) throws -> [PromptPart] {
        preconditionFailure("PromptFeed: nobody to encode the picture \(image.source.name)")
    }

    private func read(_ input: LanguageModel.Input, rows: Int) {
        newest = target.forward(
            input, plan: .text(rows: rows, after: cache.committed), cache: cache, wanted: .last)
        cache.commit(rows: rows)
    }
}
