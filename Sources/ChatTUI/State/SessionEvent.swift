// SessionEvent.swift — what can happen to saved conversations, and what the screen can ask of them.

import ConversationStore
import Engine

enum SessionEvent: Sendable, Equatable {
    /// Answer to `SessionEffect.list`: what was found for these words.
    case listed([SessionLine], search: String)
    /// Answer to `SessionEffect.read`: a conversation to go on with, and what its answers are to be made with.
    case read(SavedConversation, GenerationOptions)
    /// A picture of the conversation that is being put back, by its place among all of them.
    case pictureFound(Photo, place: Int)
    /// The same, when it cannot be shown to the model again; the preview where there is one.
    case pictureMissing(Photo?, place: Int, reason: String)
    /// Answer to `SessionEffect.readRuns`: bytes of text that each round brought, by the numbers of the questions.
    case runsFound([Int: [Int]], of: ConversationID)
    case saving(ConversationRecorder.Status)
    /// Something was done or could not be: one sentence for the line above the composer.
    case told(String)
    /// The same for something to be kept in mind: it stays in the transcript.
    case noted(String)
}

enum SessionEffect: Sendable, Equatable {
    case list(search: String)
    /// Delete a conversation for good, then list again.
    case delete(id: String, search: String)
    /// Read the conversation that was typed or chosen.
    case read(id: String)
    /// Read which parts of a saved conversation's answers came together.
    case readRuns(of: ConversationID)
    case export(ExportWish)
    /// Say where the conversation is saved.
    case locate
}

/// A conversation in the list.
struct SessionLine: Sendable, Equatable {
    let id: String
    let title: String
    /// When it was written last, in words.
    let date: String
    let turns: Int
    let pictures: Int
    let model: String
    /// Whether it is the conversation on the screen.
    let isShown: Bool
    /// The surroundings of what was looked for.
    var excerpt: [Span] = []
}
