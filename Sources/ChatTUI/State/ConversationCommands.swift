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
}
