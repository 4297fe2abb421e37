// GenerationEvent.swift — what comes out of the decoding queue: values only, in the order in which they happened.

/// Work that can be waited for, with how far it has come.
public struct Progress: Sendable, Equatable {
    public enum Phase: String, Sendable, Equatable {
        /// Mapping and packing weights; units are bytes.
        case loading
        /// Packing weights into a smaller type; units are blocks of the model.
        case quantizing
        /// The vision tower; units are encoder blocks.
        case encodingImage
        /// Prompt rows through the target and the draft; units are rows.
        case prefill
    }
    public let phase: Phase
    public let completed: Int
    public let total: Int

    public init(phase: Phase, completed: Int, total: Int) {
        self.phase = phase
        self.completed = completed
        self.total = total
    }
}

/// Something that the user should see although all goes on, such as a draft that was refused.
public struct Notice: Sendable, Equatable {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// What the model makes of a picture that was added.
public struct PictureReading: Sendable, Equatable {
    /// Pixels that the vision tower looks at, whatever the file holds; of a tiled picture those of all tiles together.
    public let width: Int
    public let height: Int
    /// Rows of the context that it takes.
    public let tokens: Int
    /// Squares that it is cut into, the one of the whole picture included; 1 for a picture that is not tiled.
    public let squares: Int

    public init(width: Int, height: Int, tokens: Int, squares: Int = 1) {
        self.width = width
        self.height = height
        self.tokens = tokens
        self.squares = squares
    }
}

public enum GenerationEvent: Sendable, Equatable {
    case progress(Progress)
    /// A picture was encoded, and its rows are going to be read.
    case picture(PictureReading)
    case notice(Notice)
    /// One round, and the whole characters that it added to the answer (never half a character).
    case round(SpeculationRound, text: String)
    /// The last event of an answer.
    case finished(GenerationReport)
}

/// Ends normally, or throws an error whose description is one sentence: what, where, what to do. Dropping the stream
/// (or cancelling the task that reads it) stops the work within one round and keeps what was generated.
public typealias EventStream = AsyncThrowingStream<GenerationEvent, any Error>
