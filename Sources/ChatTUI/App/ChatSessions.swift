// ChatSessions.swift — the saving and resuming of a chat, put together from its configuration. Made by ChatApp.

public import ConversationStore
public import Engine
import Foundation

/// What the chat needs to save conversations and to go on with them.
public struct SessionSource: Sendable {
    /// The model's files, read away from the screen's thread.
    public var identity: @Sendable () throws(StoreError) -> ModelIdentity
    /// The options of a resumed conversation, with what the command line says instead.
    public var options: @Sendable (GenerationOptions) -> GenerationOptions
    /// Writes a whole file or nothing, over an earlier one only when forced.
    public var writeFile: @Sendable (_ path: String, _ text: String, _ isForced: Bool) throws -> Void

    public init(
        identity: @escaping @Sendable () throws(StoreError) -> ModelIdentity,
        options: @escaping @Sendable (GenerationOptions) -> GenerationOptions = { $0 },
        writeFile: @escaping @Sendable (_ path: String, _ text: String, _ isForced: Bool) throws -> Void
    ) {
        self.identity = identity
        self.options = options
        self.writeFile = writeFile
    }
}

/// The recorder and the shelf of one chat.
final class ChatSessions: Sendable {
    let recorder: ChatRecorder
    let shelf: SessionShelf
    private let store: StoreDoor
    private let writer: ConversationRecorder
    private let isSaved: Bool
    private let source: SessionSource
    private let post: @Sendable (SessionEvent) -> Void

    init(
        _ configuration: ChatConfiguration, _ source: SessionSource, environment: [String: String],
        post: @escaping @Sendable (SessionEvent) -> Void
    ) {
        let isSaved = configuration.savesConversations
        let store = StoreDoor { () throws(StoreError) in
            let path = try StoreFile.defaultPath(environment: environment)
            if isSaved { return try ConversationStore.open(path: path) }
            if let existing = try ConversationStore.openExisting(path: path) { return existing }
            return try ConversationStore.inMemory()
        }
        // A chat that shall leave nothing behind is recorded all the same, for /export and its like.
        let recorded = isSaved ? store : StoreDoor { () throws(StoreError) in try ConversationStore.inMemory() }
        let writer = ConversationRecorder(
            open: { () throws(StoreError) in try recorded.open() }, notify: { post(.saving($0)) })
        recorder = ChatRecorder(
            recorder: writer, store: store, recorded: recorded, draft: configuration.draftName,
            keepsImages: configuration.keepsImages, identity: source.identity, tell: { post(.noted($0)) })
        let options = configuration.options
        shelf = SessionShelf(
            store: store, recorded: recorded, recorder: writer, options: { $0.settings.options(over: options) },
            writeFile: source.writeFile, post: post)
        self.store = store
        self.writer = writer
        self.source = source
        self.post = post
        self.isSaved = isSaved
        recorder.begin(options)
    }

    /// The conversation that the chat is to begin with; absent for a new one.
    func chosen(_ choice: ConversationChoice) throws(StoreError) -> SavedConversation? {
        switch choice {
        case .new: return nil
        case .latest:
            let store = try store.open()
            guard let id = try store.latest() else { return nil }
            return try store.conversation(id)
        case .stored(let id): return try store.open().conversation(id)
        }
    }

    /// What the answers of a conversation that the command line has named are made with.
    func options(for saved: SavedConversation, over present: GenerationOptions) -> GenerationOptions {
        source.options(saved.settings.options(over: present))
    }

    func restoration(of saved: SavedConversation, firstPhoto: Int) -> Restoration {
        Restoration(
            saved: saved, store: store, identity: source.identity, firstPhoto: firstPhoto, post: post)
    }

    /// Waits a moment for the disk: before the program is stopped, and with it the recorder.
    func flushShortly() {
        let done = DispatchSemaphore(value: 0)
        let writer = writer
        DispatchQueue.global().async {
            writer.flush()
            done.signal()
        }
        _ = done.wait(timeout: .now() + 0.25)
    }

    /// Saves what there is; returns the sentence that says what could not be.
    func close() -> String? {
        recorder.close()
        guard !writer.flush(), isSaved else { return nil }
        switch writer.status {
        case .saved: return nil
        case .waiting(let error), .ended(let error): return "the end of the conversation was not saved: \(error)"
        }
    }
}
