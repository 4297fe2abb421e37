// ChatError.swift — what can go wrong in a conversation, each with what to do about it.

public enum ChatError: Error, Sendable, Equatable, CustomStringConvertible {
    case contextFull(needed: Int, free: Int, limit: Int)
    case beyondWindow(model: String, asked: Int, window: Int)
    case noVision(model: String)
    case visionMismatch(model: String, vision: String, wanted: Int, found: Int)
    case noSystemPrompt(model: String, template: String)
    case emptyQuestion
    case badSetting(String)
    /// Turns are counted from 0 here.
    case noTurn(Int, count: Int)
    case foreignToken(Int32, turn: Int)

    public var description: String {
        switch self {
        case .contextFull(let needed, let free, let limit):
            "the context is full: this needs \(needed) of \(limit) rows and \(free) are free. Type /clear to begin anew, "
                + "or start with a larger --context."
        case .beyondWindow(let model, let asked, let window):
            "\(model) looks back no further than \(window) rows, and a context of \(asked) was asked for. "
                + "Start it with --context \(window) or less."
        case .noVision(let model):
            "\(model) has no vision file, so it cannot see pictures. Name one with --mmproj FILE."
        case .visionMismatch(let model, let vision, let wanted, let found):
            "\(vision) makes rows of \(found) numbers and \(model) reads rows of \(wanted): they do not belong together. "
                + "Name the vision file of this model with --mmproj FILE."
        case .noSystemPrompt(let model, let template):
            "\(model) knows no system prompt (its template is \(template)). Put what it should know into the question."
        case .emptyQuestion:
            "there is no question. Type one."
        case .badSetting(let fact):
            fact
        case .noTurn(let turn, let count):
            "there is no turn \(turn + 1) to go back to: the conversation has \(count). Name an earlier one."
        case .foreignToken(let token, let turn):
            "turn \(turn + 1) of the stored conversation holds the token \(token), which this model does not have. "
                + "Go on with it with the model that it was made with."
        }
    }
}
