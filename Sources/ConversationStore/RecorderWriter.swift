// RecorderWriter.swift — what a recorder still has to write, in order, and the writing of it. Lives on its queue.

import Engine

/// One thing to write.
private enum Writing {
    /// What follows belongs to this conversation, or to the one that the next question begins.
    case conversation(
        ConversationID?, OpenConversation?, beginning: (@Sendable () throws(StoreError) -> NewConversation)?)
    case beginTurn(NewTurn, replacingFrom: Int?, AnswerJournal)
    /// How far the answer of the turn has come that was begun last; ended when there is a state.
    case answer(TurnProgress, TurnState?)
    case removeTurns(from: Int)
    case settings(ConversationSettings)

    var isConversation: Bool { if case .conversation = self { true } else { false } }
}

/// Holds on to everything until the store has it.
struct RecorderWriter {
    private let open: @Sendable () throws(StoreError) -> ConversationStore
    private var store: ConversationStore?
    /// Makes the conversation that the next question begins; absent once it is in the store.
    private var beginning: (@Sendable () throws(StoreError) -> NewConversation)?
    private(set) var conversation: ConversationID?
    /// Kept for as long as the conversation is gone on with; absent where another program has it.
    private var claim: OpenConversation?
    private var turn: TurnReference?
    /// Of the turn's answer.
    private var journal: AnswerJournal?
    private var waiting: [Writing] = []
    /// The answer that rounds are added to; absent when none is being written.
    private var progress: TurnProgress?
    private(set) var status = ConversationRecorder.Status.saved
    /// Writings so far.
    private(set) var writings = 0

    init(open: @escaping @Sendable () throws(StoreError) -> ConversationStore) { self.open = open }

    /// What the user should know: a journal that finds no room is as bad as a store that does not.
    var published: ConversationRecorder.Status {
        if status == .saved, let failure = journal?.failure { return .waiting(failure) }
        return status
    }

    /// Whether there is nothing left to write.
    var isUpToDate: Bool { waiting.isEmpty }

    // MARK: Taking

    mutating func take(_ messages: [RecorderMessage]) {
        for message in messages { take(message) }
        // All rounds that came together are one writing.
        if let progress, !progress.rounds.isEmpty { note(.answer(progress, nil)) }
    }

    private mutating func take(_ message: RecorderMessage) {
        switch message {
        case .begin(let make):
            end(.stopped)
            note(.conversation(nil, nil, beginning: make))
        case .resume(let id, let claim):
            end(.stopped)
            note(.conversation(id, claim, beginning: nil))
        case .beginTurn(let turn, let first, let journal):
            end(.stopped)
            progress = TurnProgress()
            note(.beginTurn(turn, replacingFrom: first, journal))
        case .round(let round, let text): progress?.add(round, text: text)
        case .finished(let report):
            progress?.finish(with: report)
            end(TurnState(report.finish))
        case .endTurn(let state): end(state)
        case .removeTurns(let first): note(.removeTurns(from: first))
        case .settings(let settings): note(.settings(settings))
        }
    }

    private mutating func end(_ state: TurnState) {
        guard let progress else { return }
        note(.answer(progress, state))
        self.progress = nil
    }

    /// Adds a writing, or puts it in the place of one that says less.
    private mutating func note(_ writing: Writing) {
        if case .answer = writing { progress?.rounds = [] }
        if case .ended = status, !waiting.contains(where: \.isConversation), !writing.isConversation { return }
        if case .answer(var late, let state) = writing, case .answer(let early, nil) = waiting.last {
            late.rounds = early.rounds + late.rounds
            waiting[waiting.count - 1] = .answer(late, state)
        } else {
            waiting.append(writing)
        }
    }

    // MARK: Writing

    /// Writes what can be written, in order.
    mutating func write() {
        while let writing = waiting.first {
            do throws(StoreError) {
                try write(writing)
                waiting.removeFirst()
                writings += 1
                status = .saved
            } catch  where error.isPassing {
                status = .waiting(error)
                return
            } catch {
                status = .ended(error)
                // Of a conversation that was deleted nothing shall stay.
                if case .conversationGone = error { journal?.close() }
                // Nothing more of this conversation can be written; the next one may fare better.
                waiting = Array(waiting.dropFirst().drop { !$0.isConversation })
            }
        }
    }

    private mutating func opened() throws(StoreError) -> ConversationStore {
        if let store { return store }
        let store = try open()
        self.store = store
        return store
    }

    private mutating func write(_ writing: Writing) throws(StoreError) {
        let store = try opened()
        switch writing {
        case .conversation(let id, let claim, let beginning):
            if claim != nil || id != conversation { self.claim = claim }
            (conversation, turn, journal, self.beginning) = (id, nil, nil, beginning)
        case .beginTurn(let new, let first, let journal):
            try begin(new, replacingFrom: first, journal, in: store)
        case .answer(let progress, let state):
            guard let turn else { return }
            guard let state else { return try store.update(turn, progress) }
            try store.finish(turn, progress, state)
            journal?.close()
        case .removeTurns(let first):
            guard let conversation else { return }
            try store.removeTurns(of: conversation, from: first)
            if let turn, turn.number >= first { journal?.close() }
        case .settings(let settings):
            if let conversation { try store.setSettings(settings, of: conversation) }
        }
    }

    private mutating func begin(
        _ new: NewTurn, replacingFrom first: Int?, _ journal: AnswerJournal, in store: ConversationStore
    ) throws(StoreError) {
        if let conversation {
            turn = try store.beginTurn(new, in: conversation, replacingFrom: first)
        } else if let beginning {
            turn = try store.begin(try beginning(), with: new)
            conversation = turn?.conversation
            self.beginning = nil
        }
        self.journal = journal
        guard let turn, !store.isInMemory else { return journal.close() }
        // What cannot be claimed or made now is no reason to ask again: the question is in the store.
        if claim == nil { claim = try? store.claim(turn.conversation) }
        guard let claim else { return journal.close() }
        journal.attach(claim, turn: turn)
    }
}
