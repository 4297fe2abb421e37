// ConversationCommands.swift — the commands about pictures, conversations and answers. Called by CommandDispatch.

import Engine

extension AppState {
    mutating func ask(_ question: String) -> [Effect] {
        scroll = .following
        hasNewBelow = false
        let turn = addTurn(.question(.queued), question)
        return enqueue(.ask(question: question, turn: turn))
    }

    mutating func attach(_ paths: [String]) -> [Effect] {
        scroll = .following
        hasNewBelow = false
        return paths.flatMap { enqueue(.attach(path: $0)) }
    }

    mutating func showImages(_ number: Int?) -> [Effect] { notAvailable("/images") }

    mutating func beginNewConversation() -> [Effect] { enqueue(.clear) }

    mutating func clearConversation() -> [Effect] { enqueue(.clear) }

    mutating func listSessions(_ search: String) -> [Effect] { notAvailable("/sessions") }

    mutating func resumeSession(_ id: String?) -> [Effect] { notAvailable("/resume") }

    mutating func saveConversation() -> [Effect] { notAvailable("/save") }

    mutating func export(_ wish: ExportWish) -> [Effect] { notAvailable("/export") }

    mutating func retryAnswer() -> [Effect] { notAvailable("/retry") }

    mutating func editQuestion(_ number: Int?) -> [Effect] { notAvailable("/edit") }

    mutating func showStatistics() -> [Effect] { notAvailable("/stats") }

    mutating func notAvailable(_ name: String) -> [Effect] {
        hint = "\(name) is not available here"
        return []
    }
}
