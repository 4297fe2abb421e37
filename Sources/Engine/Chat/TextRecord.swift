// TextRecord.swift — what the text of a conversation holds, turn by turn, and how far each turn reaches. Kept by
// Conversation, so that turns can be undone, stored and put back.

/// A question with its pictures and its answer, as a store keeps it: what `restore` needs to put the turn back.
public struct PastTurn: Sendable, Equatable {
    /// Pictures that stand before the question.
    public var images: [PixelImage]
    public var question: String
    /// Ids of the answer as `GenerationReport.tokens` or `TurnRecord.answer` has them; the end token says that the answer
    /// ended by itself. Empty where the answer was stopped before its first round.
    public var answer: [Int32]

    public init(images: [PixelImage], question: String, answer: [Int32]) {
        self.images = images
        self.question = question
        self.answer = answer
    }
}

/// A turn that is in the text.
public struct TurnRecord: Sendable, Equatable {
    public let question: String
    /// Number of pictures that stand before the question.
    public let pictures: Int
    /// Tokens generated in the conversation before this turn (Rule 1's position of the answer's first token).
    public let position: Int
    /// Ids of the answer, the end token included when the model ended it; empty until an answer was generated.
    public internal(set) var answer: [Int32]
}

/// How far the text reaches somewhere.
struct TextPlace: Equatable {
    var tokens = 0
    var pictureRows = 0
    /// Tokens that were generated; they are among `tokens`.
    var generated = 0

    /// Rows of the target.
    var rows: Int { tokens + pictureRows }
}

/// The words of a conversation without the models: its tokens in order and the places of its turns.
struct TextRecord {
    private struct Turn {
        var record: TurnRecord
        /// After the last answer.
        let start: TextPlace
        /// After its pictures; where it has none, its start.
        let afterPictures: TextPlace
    }

    private var history: [Turn] = []
    /// Every token in text order; pictures are passed over.
    private var tokens: [Int32] = []
    /// Where the coming turn begins, and where its pictures end.
    private var start = TextPlace()
    private var afterPictures = TextPlace()
    private(set) var end = TextPlace()
    /// Pictures that the coming question already has.
    private(set) var pictures = 0
    /// Distinct tokens of the text.
    private(set) var settled: Set<Int32> = []
    /// Tokens that end an answer.
    let stopTokens: Set<Int32>
    /// The system prompt that the text begins with; absent: the template's own.
    let system: String?
    /// How the text is written.
    private let template: ChatTemplate

    init(template: ChatTemplate, stopTokens: Set<Int32>, system: String?) {
        self.template = template
        self.stopTokens = stopTokens
        self.system = system
    }

    var turns: [TurnRecord] { history.map(\.record) }

    /// Whether the last answer ended by itself, so that its end token is already there.
    private var lastAnswerEnded: Bool { history.last?.record.answer.last.map(stopTokens.contains) ?? false }

    // MARK: What comes next

    /// What stands between the text so far and the first picture of a new turn, or the next picture of this one.
    func segmentsBeforePicture() -> [ChatTemplate.Segment] {
        let lead = template.lead(isFirst: history.isEmpty, pictures: pictures + 1, system: system)
        if pictures > 0 { return [lead[lead.count - 2]] }
        return segmentsBeforeTurn() + lead.dropLast()
    }

    /// What stands between the text so far, pictures included, and the answer to `question`.
    func segments(question: String) -> [ChatTemplate.Segment] {
        (pictures > 0 ? [] : segmentsBeforeTurn())
            + template.question(question, isFirst: history.isEmpty, pictures: pictures, system: system)
    }

    /// The opening of the conversation, or the end of the last answer as far as the model did not write it itself.
    private func segmentsBeforeTurn() -> [ChatTemplate.Segment] {
        if history.isEmpty { return template.opening(system: system) }
        return lastAnswerEnded ? template.answerEndAfterStop() : template.answerEnd()
    }

    // MARK: Growing

    /// Adds a picture of so many rows and the tokens that stand before it.
    mutating func appendPicture(rows: Int, after before: [Int32]) {
        append(before)
        end.pictureRows += rows
        afterPictures = end
        pictures += 1
    }

    /// Adds a question, which is written as `prompt`, behind the pictures that wait for it.
    mutating func append(question: String, as prompt: [Int32]) {
        let record = TurnRecord(question: question, pictures: pictures, position: end.generated, answer: [])
        history.append(Turn(record: record, start: start, afterPictures: afterPictures))
        append(prompt)
        beginTurn()
    }

    /// Adds the answer to the last question, once; returns what of it stands in the text: some templates have no end
    /// token after an answer.
    @discardableResult mutating func append(answer: [Int32]) -> [Int32] {
        history[history.count - 1].record.answer = answer
        let kept = lastAnswerEnded && !template.keepsStop ? Array(answer.dropLast()) : answer
        append(kept)
        end.generated += answer.count
        beginTurn()
        return kept
    }

    private mutating func append(_ added: [Int32]) {
        tokens += added
        settled.formUnion(added)
        end.tokens += added.count
    }

    private mutating func beginTurn() { (start, afterPictures, pictures) = (end, end, 0) }

    // MARK: Undoing

    /// Forgets a turn, counted from 0, and all that comes after it; the number of turns stands for what was attached for
    /// the coming question.
    ///
    /// - Parameter keepingPictures: whether the turn's pictures stay and wait for another question.
    mutating func rewind(toTurn turn: Int, keepingPictures: Bool) {
        if turn < history.count {
            let first = history[turn]
            (start, afterPictures) = (first.start, first.afterPictures)
            pictures = first.record.pictures
            history.removeSubrange(turn...)
        }
        if !keepingPictures { (afterPictures, pictures) = (start, 0) }
        end = afterPictures
        tokens.removeSubrange(end.tokens...)
        settled = Set(tokens)
    }
}
