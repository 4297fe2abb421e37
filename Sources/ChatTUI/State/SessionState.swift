// SessionState.swift — the conversation that the model holds, as the screen knows it: questions, pictures, saving.

import ConversationStore
import Engine

/// A question that is part of the model's text.
struct AskedQuestion: Sendable, Equatable {
    /// Places in the transcript.
    let question: Int
    let answer: Int
    let text: String
    /// What the answer was made with.
    let options: GenerationOptions
    var state = TurnState.streaming
    var statistics = TurnStatistics()
    var hasRounds = false
}

/// A picture of the conversation.
struct ShownPicture: Sendable, Equatable {
    /// Its line in the transcript.
    let turn: Int
    let name: String
    let path: String
    /// Size of the whole picture in pixels.
    let width: Int
    let height: Int
    /// Place in `SessionState.asked` of the question that it was shown with; absent while it waits for one.
    var question: Int?
    /// Absent until it has been read, and for good when its file is gone.
    var photo: Photo?
}

/// An earlier question is in the composer, to be asked anew in its place.
struct Editing: Sendable, Equatable {
    /// Place in `SessionState.asked`.
    let question: Int
    /// What was being written before.
    let draft: String
}

struct SessionState: Sendable, Equatable {
    /// Whether conversations are saved at all.
    var isSaved = false
    /// The saved conversation that is gone on with; absent for one that began here.
    var resumed: ConversationID?
    /// Whether the rounds of its answers were asked for, for the marks.
    var hasReadRuns = false
    /// In order: a question's place is its number in the engine.
    private(set) var asked: [AskedQuestion] = []
    /// Those whose answers gave way to others, for the figures.
    private(set) var replaced: [AskedQuestion] = []
    /// The question that the engine is reading or answering; it joins `asked` when it is known to be in the text.
    private(set) var current: AskedQuestion?
    var pictures: [ShownPicture] = []
    /// Line of the picture that the engine is reading.
    var attaching: Int?
    /// Index into `pictures` of the one that the photo pane shows.
    var shown: Int?
    var editing: Editing?
    /// The row of the list that the next key may delete.
    var deleting: String?
    /// Pictures of a resumed conversation that could not be found again.
    var missing = 0

    // MARK: Questions

    mutating func begin(_ question: AskedQuestion) { current = question }

    mutating func noteRound() { current?.hasRounds = true }

    /// The engine has said its last word on the current question, which is in its text.
    mutating func finish(with report: GenerationReport) {
        current?.statistics = TurnStatistics(report)
        keepCurrent(as: TurnState(report.finish))
    }

    /// The current question's stream ended. Returns whether the question is known not to be in the engine's text.
    mutating func endCurrent(isBroken: Bool) -> Bool {
        guard let current else { return false }
        guard current.hasRounds else {
            self.current = nil
            return true
        }
        keepCurrent(as: isBroken ? .broken : .stopped)
        return false
    }

    private mutating func keepCurrent(as state: TurnState) {
        guard var question = current else { return }
        question.state = state
        current = nil
        for index in pictures.indices where pictures[index].question == nil { pictures[index].question = asked.count }
        asked.append(question)
    }

    /// Forgets the questions from `first` on; their pictures go too, but for those of `first`, which wait again.
    mutating func rewind(to first: Int) {
        replaced += asked[first...]
        asked.removeSubrange(first...)
        let photo = shown.flatMap { pictures.indices.contains($0) ? pictures[$0].turn : nil }
        pictures.removeAll { ($0.question ?? first + 1) > first }
        for index in pictures.indices where pictures[index].question == first { pictures[index].question = nil }
        shown = photo.flatMap { turn in pictures.firstIndex { $0.turn == turn } } ?? pictures.indices.last
    }

    /// Nothing has been asked or shown.
    mutating func clear() {
        self = SessionState(isSaved: isSaved)
    }

    /// Takes over the questions of a saved conversation.
    mutating func restore(_ asked: [AskedQuestion], pictures: [ShownPicture], of id: ConversationID) {
        clear()
        (self.asked, self.pictures, resumed) = (asked, pictures, id)
    }

    var waitingPictures: [ShownPicture] { pictures.filter { $0.question == nil } }
}
