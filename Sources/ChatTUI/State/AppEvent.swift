// AppEvent.swift — what can happen to the screen, and what the screen can ask of the world.

import Engine

enum AppEvent: Sendable, Equatable {
    case input(Input)
    case resized(Size)
    /// Time has gone by; nothing else.
    case tick
    /// From the stream of the running job.
    case engine(GenerationEvent)
    /// The picture of the running job, decoded.
    case pictureReady(Photo, path: String)
    /// The stream of the running job ended; the text of its error when it failed.
    case jobEnded(id: Int, failure: String?)
    /// Answers to `Effect.listFiles` and `Effect.lookForPictures`.
    case files([String], completing: String)
    /// The first reading of which every file exists; nil when there is none.
    case foundPictures([String]?, readings: [[String]], original: String, isTyped: Bool)
    case pictureStyle(PictureStyle)
    /// The terminal has said something about itself.
    case terminal(TerminalFacts)
    case session(SessionEvent)
    /// What became of an export: where it is, or why there is none.
    case exported(String)
    /// Answer to `Effect.edit`.
    case edited(EditOutcome)
    /// One line for the user, such as what became of a copy.
    case said(String)
    /// Someone else sent us a signal.
    case interrupted
}

enum Effect: Sendable, Equatable {
    case start(Job)
    /// Stop the running job within one round.
    case cancel
    case quit(ExitReason)
    case suspend
    case redraw
    /// Make the engine wait at the border of its round, let it go on, or let so many rounds through while it waits.
    case holdEngine, releaseEngine
    case advanceEngine(rounds: Int)
    case exportRound(SpeculationRound, number: Int, format: RoundFormat)
    /// Name the files whose paths begin like this.
    case listFiles(String)
    case lookForPictures(readings: [[String]], original: String, isTyped: Bool)
    /// Let the user's own editor change this text.
    case edit(String)
    /// Put a text, called `what`, into the clipboard.
    case copy(String, what: String)
    /// Keep what was written for the next program.
    case remember(String)
    case session(SessionEffect)
    /// Understand a terminal's late answer.
    case interpret(String)
}

enum ExitReason: Sendable, Equatable {
    case asked
    /// Interrupted before anything could be done with it: exit code 130.
    case interrupted
    /// The model could not be loaded; the sentence goes to standard error.
    case loadFailed(String)
}
