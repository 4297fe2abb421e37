// ChatRecorder.swift — what of a chat is saved, and when: stands between the jobs and ConversationRecorder.

import ConversationStore
import Engine
import Synchronization

/// Hears every job and hands on what belongs to the conversation. Called by the jobs, one after another, never by the
/// screen's thread. The first word of an answer waits for its question to be on the disk, and going on with a conversation
/// for it to be read; nothing else does.
final class ChatRecorder: Sendable {
    private enum Picture: Sendable {
        case new(PictureRecord)
        /// From a conversation that is gone on with.
        case saved(SavedPicture)
    }

    private struct State {
        /// The pictures of every saved turn.
        var turns: [[Picture]] = []
        /// Those that wait for a question.
        var attached: [Picture] = []
        /// The next question takes the place of the saved turns from this number on.
        var rewound: Int?
        /// The system prompt of the present conversation, and that of the next.
        var system: String?
        var nextSystem: String?
        var hasRounds = false
        var hasReport = false
        /// The program ends: nothing that still comes belongs to the conversation.
        var isClosed = false
    }

    private let recorder: ConversationRecorder
    /// Where resumed conversations are.
    private let store: StoreDoor
    /// Where the recorder writes: the same, or in memory.
    private let recorded: StoreDoor
    private let identity: @Sendable () throws(StoreError) -> ModelIdentity
    private let draft: String?
    private let keepsImages: Bool
    /// Hears what of a picture cannot be saved.
    private let tell: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(
        recorder: ConversationRecorder, store: StoreDoor, recorded: StoreDoor, draft: String?, keepsImages: Bool,
        identity: @escaping @Sendable () throws(StoreError) -> ModelIdentity, tell: @escaping @Sendable (String) -> Void
    ) {
        self.recorder = recorder
        self.store = store
        self.recorded = recorded
        self.draft = draft
        self.keepsImages = keepsImages
        self.identity = identity
        self.tell = tell
    }

    // MARK: Conversations

    /// A new conversation begins; it is written with its first question.
    func begin(_ options: GenerationOptions) {
        change { state in
            let system = state.nextSystem
            state = State(system: system, nextSystem: system)
            let (identity, settings) = (identity, ConversationSettings(options, draft: draft, system: system))
            recorder.begin { () throws(StoreError) in
                NewConversation(model: try identity(), settings: settings)
            }
        }
    }

    /// The engine's next conversation begins with this system prompt, and the present one while there is nothing in it.
    func setSystem(_ text: String?) {
        change { state in
            state.nextSystem = text
            if state.turns.isEmpty, state.attached.isEmpty { state.system = text }
        }
    }

    /// The engine goes on with a saved conversation: in its place, or in a copy of it while another program has it open.
    func resume(_ saved: SavedConversation) {
        do throws(StoreError) {
            // What this program had open before is let go of.
            recorder.flush()
            let place = try place(for: saved)
            change { state in
                let system = saved.settings.system
                state = State(system: system, nextSystem: system)
                state.turns = saved.turns.map { $0.pictures.map(Picture.saved) }
                recorder.resume(place.id, in: place.claim)
            }
        } catch {
            tell("\(error)")
        }
    }

    private func place(
        for saved: SavedConversation
    ) throws(StoreError) -> (id: ConversationID, claim: OpenConversation?) {
        let store = try store.open()
        // A chat that leaves nothing on the disk goes on with a copy.
        guard recorded === self.store else { return (try recorded.open().take(saved, from: store), nil) }
        if recorder.conversation == saved.id { return (saved.id, nil) }
        // Whoever had it open between the reading and now may have gone on with it.
        if let claim = try store.claim(saved.id), try store.conversation(saved.id).updated == saved.updated {
            return (saved.id, claim)
        }
        let copy = try store.take(saved, from: store)
        tell("\(saved.id) is open in another specchat, so this one goes on with a copy of it: \(copy)")
        return (copy, nil)
    }

    /// The engine has forgotten the turns from `turn` on, but for the pictures of that turn.
    func rewind(to turn: Int) {
        change { state in
            guard turn < state.turns.count else { return }
            state.attached = state.turns[turn]
            state.turns.removeSubrange(turn...)
            state.rewound = min(turn, state.rewound ?? turn)
        }
    }

    // MARK: Turns

    /// What is kept of the picture `image` in the file at `path`. Reads the file for its digest, so it takes milliseconds.
    func describe(_ image: PixelImage, path: String) -> PictureRecord? {
        do throws(StoreError) {
            return try PictureRecord(path: path, image: image, keepingBytes: keepsImages)
        } catch {
            tell("\(error)")
            return nil
        }
    }

    /// The engine has read a picture.
    func attach(_ picture: PictureRecord) { change { $0.attached.append(.new(picture)) } }

    func ask(_ question: String, options: GenerationOptions) {
        let pictures = state.withLock { $0.attached }.compactMap(record)
        change { state in
            let turn = NewTurn(
                question: question, pictures: pictures,
                settings: ConversationSettings(options, draft: draft, system: state.system))
            recorder.beginTurn(turn, replacingFrom: state.rewound)
            state.turns.append(state.attached)
            (state.attached, state.rewound, state.hasRounds, state.hasReport) = ([], nil, false, false)
        }
    }

    func record(_ event: GenerationEvent) {
        // A question is in the store long before its first word comes; under load it may not be.
        if case .round = event, !state.withLock({ $0.hasRounds }) { recorder.awaitQuestion(atMost: 1) }
        change { state in
            switch event {
            case .round: state.hasRounds = true
            case .finished: state.hasReport = true
            case .progress, .picture, .notice: return
            }
            recorder.record(event)
        }
    }

    /// The answer's stream has ended, with a report or without.
    func endAnswer() {
        change { state in
            if state.hasReport { return }
            if state.hasRounds { return recorder.endTurn(.broken) }
            // The question is not part of the model's text, so a resumed conversation must not hold it either.
            state.attached = state.turns.popLast() ?? []
            recorder.removeTurns(from: state.turns.count)
        }
    }

    /// The program ends: an answer that is being written is as long as it is.
    func close() {
        change { state in
            recorder.endTurn(.stopped)
            state.isClosed = true
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { if !$0.isClosed { body(&$0) } }
    }

    private func record(_ picture: Picture) -> PictureRecord? {
        switch picture {
        case .new(let record): return record
        case .saved(let picture):
            do throws(StoreError) {
                return try store.open().record(of: picture)
            } catch {
                tell("\(error)")
                return nil
            }
        }
    }
}

/// A store that is opened when it is first needed, and then kept.
final class StoreDoor: Sendable {
    private let store = Mutex<ConversationStore?>(nil)
    private let make: @Sendable () throws(StoreError) -> ConversationStore

    init(_ make: @escaping @Sendable () throws(StoreError) -> ConversationStore) { self.make = make }

    func open() throws(StoreError) -> ConversationStore {
        try store.withLock { store throws(StoreError) in
            if let store { return store }
            let made = try make()
            store = made
            return made
        }
    }
}
