// Sessions.swift — beginning, resuming and listing conversations. Called by CommandDispatch and by reduce.

import ConversationStore
import Engine

extension AppState {
    mutating func receive(_ event: SessionEvent) -> [Effect] {
        switch event {
        case .listed(let lines, let search): showSessions(lines, search: search)
        case .read(let saved, let options):
            // Much may have been asked since the conversation was chosen.
            if isBusy { return [] }
            return open(saved, options: options)
        case .pictureFound(let photo, let place): showFound(photo, place: place)
        case .pictureMissing(let preview, let place, let reason):
            showMissing(preview, place: place, reason: reason)
        case .runsFound(let rounds, let id): showRuns(rounds, of: id)
        case .saving(let status): tell(status)
        case .told(let sentence): hint = sentence
        case .noted(let sentence): addTurn(.notice, sentence)
        }
        return []
    }

    /// A change of the store's state is one sentence in the transcript, and the chat goes on.
    private mutating func tell(_ status: ConversationRecorder.Status) {
        switch status {
        case .saved: addTurn(.notice, "The conversation is saved again, all of it.")
        case .waiting(let error): addTurn(.failure, "Not saved for now: \(error)")
        case .ended(let error): addTurn(.failure, "No longer saved: \(error)")
        }
    }

    // MARK: Beginning anew

    /// /new: this conversation stays above.
    mutating func beginNewConversation() -> [Effect] {
        leaveEdit()
        return enqueue(.clear(.below))
    }

    /// /clear: the screen is empty.
    mutating func clearConversation() -> [Effect] {
        leaveEdit()
        return enqueue(.clear(.onEmptyScreen))
    }

    /// The engine has forgotten everything.
    mutating func beginConversation(_ place: Job.Clearing) {
        forgetAnswers()
        let title = "new conversation"
        switch place {
        case .below, .unreadable: insertDivider(title)
        case .onEmptyScreen:
            // Questions that wait are the first of the new conversation.
            turns.removeAll { $0.content != .question(.queued) }
            hint = session.isSaved ? "\(title); /sessions has the others" : title
        }
        scroll = .following
    }

    /// Adds a divider above the questions that wait.
    private mutating func insertDivider(_ title: String) {
        addTurn(.divider, title)
        guard let place = turns.firstIndex(where: { $0.content == .question(.queued) }) else { return }
        turns.insert(turns.removeLast(), at: place)
    }

    // MARK: Saved conversations

    /// Whether a question is being answered or waits: the conversation cannot be exchanged or turned back.
    var isBusy: Bool { isAnswering || waiting.contains(where: \.isAsk) }

    /// Says so when the conversation cannot be changed just now.
    mutating func refuseWhileBusy() -> Bool {
        if isBusy { hint = "an answer is being written; Esc stops it" }
        return isBusy
    }

    mutating func resumeSession(_ id: String?) -> [Effect] {
        if refuseWhileBusy() { return [] }
        guard let id else { return listSessions("") }
        leaveEdit()
        return [.session(.read(id: id))]
    }

    mutating func saveConversation() -> [Effect] {
        guard session.isSaved else {
            hint = "this conversation is not saved: the program was started with --no-save"
            return []
        }
        return [.session(.locate)]
    }

    mutating func export(_ wish: ExportWish) -> [Effect] {
        guard !session.asked.isEmpty || session.current != nil else {
            hint = "there is nothing to export yet: ask something"
            return []
        }
        return [.session(.export(wish))]
    }
}
