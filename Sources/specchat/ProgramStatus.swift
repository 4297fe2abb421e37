// ProgramStatus.swift — what the program says to the shell when it ends. Read by Main, documented in its help.

import Engine

enum ProgramStatus: Int32, CaseIterable {
    case success = 0
    /// Anything that has no status of its own: a trace or an answer that could not be written, a full context.
    case failure = 1
    case usage = 2
    case terminal = 3
    /// A model file that is missing, damaged or of the wrong kind.
    case model = 4
    /// A picture that cannot be read.
    case image = 5
    /// 128 and the number of the signal, as shells count.
    case interrupted = 130
    case terminated = 143

    /// The status that belongs to an error of the engine, the screen or the command line.
    init(of error: any Error) {
        self =
            switch error {
            case let failure as CommandFailure: failure.status
            case is SettingsError: .usage
            case is ImageError: .image
            case is GGUFError, is HuggingFaceError, is TokenizerFileError, is ModelBundleError, is ModelPlaceError:
                .model
            case ChatError.noVision, ChatError.visionMismatch: .model
            case ChatError.beyondWindow: .usage
            default: .failure
            }
    }

    /// What the help says of it.
    var meaning: String {
        switch self {
        case .success: "all went well"
        case .failure: "something failed while running"
        case .usage: "the command line was wrong"
        case .terminal: "the terminal cannot be used"
        case .model: "a model file is missing or invalid"
        case .image: "a picture cannot be read"
        case .interrupted: "interrupted (Ctrl-C)"
        case .terminated: "terminated"
        }
    }
}

/// Why a command ends early: one sentence for the user and the status for the shell.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    let status: ProgramStatus
    let description: String

    init(_ status: ProgramStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
