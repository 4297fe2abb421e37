// ConversationRecorder.swift — saves a conversation while it is held, without anyone waiting for the disk. Fed by the
// screen, writes to ConversationStore.

import Dispatch
public import Engine
import Foundation
import Synchronization

/// Takes what happens in a chat and writes it down in its own time.
///
/// Everything may be called from any thread; a serial queue writes in the order of the calls. What is said in an answer is
/// in its journal before the call returns, so that no end of the program takes it; into the store the progress comes at
/// most thirty times a second, the latest state each time, with the trees of its rounds. Questions and ends of answers are
/// written as they come. What cannot be written now (the disk is full, another program is in the way) is kept and tried
/// again with the next call, after a second, and by `flush`.
public final class ConversationRecorder: Sendable {
    /// Whether the chat is being saved.
    public enum Status: Sendable, Equatable {
        case saved
        /// Not at present; what came since waits in memory.
        case waiting(StoreError)
        /// Not any more: nothing that can be waited for would help.
        case ended(StoreError)
    }

    /// Seconds between two writings of an answer's progress.
    static let interval = 1.0 / 30
    /// Seconds before what failed is tried again.
    static let retryInterval = 1.0

    private let queue = DispatchQueue(label: "specchat.recorder", qos: .utility)
    private let mailbox: Mutex<RecorderMailbox>
    private let writer: Mutex<RecorderWriter>
    /// Of the answer that was begun last.
    private let journal = Mutex<AnswerJournal?>(nil)
    /// What others may ask for while the writer is busy.
    private let published = Mutex((status: Status.saved, conversation: ConversationID?.none))
    private let notify: @Sendable (Status) -> Void

    /// Makes a recorder; the store is opened on its queue, when there is something to write.
    ///
    /// - Parameters:
    ///   - open: opens the store; called again when it failed for a passing reason.
    ///   - notify: hears every change of the status, on the recorder's queue.
    public init(
        open: @escaping @Sendable () throws(StoreError) -> ConversationStore,
        notify: @escaping @Sendable (Status) -> Void
    ) {
        mailbox = Mutex(RecorderMailbox())
        writer = Mutex(RecorderWriter(open: open))
        self.notify = notify
    }

    // MARK: What happened

    /// Begins a conversation; nothing is written before its first question. `conversation` is made on the recorder's
    /// queue, so it may read the model's files.
    public func begin(_ conversation: @escaping @Sendable () throws(StoreError) -> NewConversation) {
        endJournal(JournalEnding(.stopped))
        hand(.begin(conversation))
    }

    /// Goes on with a conversation that was saved, and that the caller has claimed or that is gone on with already.
    public func resume(_ id: ConversationID, in claim: OpenConversation? = nil) {
        endJournal(JournalEnding(.stopped))
        hand(.resume(id, claim))
    }

    /// A question was put.
    ///
    /// - Parameter first: it takes the place of the turns from this number on.
    public func beginTurn(_ turn: NewTurn, replacingFrom first: Int? = nil) {
        endJournal(JournalEnding(.stopped))
        let journal = AnswerJournal()
        self.journal.withLock { $0 = journal }
        hand(.beginTurn(turn, replacingFrom: first, journal))
    }

    /// Waits until the question that was put last is in the store or cannot be written now, at most so many seconds: what
    /// comes of its answer after that is on the disk before anyone has read it.
    public func awaitQuestion(atMost seconds: Double) {
        let isDone = DispatchSemaphore(value: 0)
        queue.async {
            self.work()
            isDone.signal()
        }
        _ = isDone.wait(timeout: .now() + seconds)
    }

    /// Something came from the engine. Rounds and the report are written, all else is not.
    public func record(_ event: GenerationEvent) {
        switch event {
        case .round(let round, let text):
            journal.withLock { $0 }?.add(round, text: text)
            hand(.round(round, text: text))
        case .finished(let report):
            endJournal(JournalEnding(report))
            hand(.finished(report))
        case .progress, .picture, .notice: break
        }
    }

    /// The answer has ended without a report: stopped by the user, or broken off by an error. After a report it changes
    /// nothing.
    public func endTurn(_ state: TurnState) {
        endJournal(JournalEnding(state))
        hand(.endTurn(state))
    }

    private func endJournal(_ ending: JournalEnding) { journal.withLock { $0 }?.end(ending) }

    public func removeTurns(from first: Int) { hand(.removeTurns(from: first)) }

    public func setSettings(_ settings: ConversationSettings) { hand(.settings(settings)) }

    /// The conversation that is being saved; absent until its first question is on the disk.
    public var conversation: ConversationID? { published.withLock { $0.conversation } }

    /// As long as it is `saved`, everything that was said since the question is on the disk.
    public var status: Status {
        if let failure = journal.withLock({ $0 })?.failure { return .waiting(failure) }
        return published.withLock { $0.status }
    }

    /// Tries to write everything that was handed over, and returns whether all of it is on the disk. Waits for the disk:
    /// for the end of the program.
    @discardableResult
    public func flush() -> Bool {
        queue.sync {
            work()
            return writer.withLock { $0.isUpToDate && $0.status == .saved }
        }
    }

    /// Transactions so far.
    var writings: Int { writer.withLock { $0.writings } }

    // MARK: The queue

    private func hand(_ message: RecorderMessage) {
        let delay = mailbox.withLock { mailbox -> Double? in
            mailbox.add(message)
            return mailbox.schedule(urgent: !message.isProgress, at: Self.clock())
        }
        wake(after: delay)
    }

    private func wake(after delay: Double?) {
        guard let delay else { return }
        queue.asyncAfter(deadline: .now() + delay) { self.work() }
    }

    /// Writes what has been handed over.
    private func work() {
        let (status, conversation, isDone) = writer.withLock { writer in
            writer.take(mailbox.withLock { $0.take(at: Self.clock()) })
            writer.write()
            return (writer.published, writer.conversation, writer.isUpToDate)
        }
        let isNews = published.withLock { published in
            defer { published = (status, conversation) }
            return published.status != status
        }
        if isNews { notify(status) }
        if !isDone { wake(after: mailbox.withLock { $0.scheduleRetry(at: Self.clock()) }) }
    }

    private static func clock() -> Double { ProcessInfo.processInfo.systemUptime }
}

/// One call of a recorder.
enum RecorderMessage: Sendable {
    case begin(@Sendable () throws(StoreError) -> NewConversation)
    case resume(ConversationID, OpenConversation?)
    case beginTurn(NewTurn, replacingFrom: Int?, AnswerJournal)
    case round(SpeculationRound, text: String)
    case finished(GenerationReport)
    case endTurn(TurnState)
    case removeTurns(from: Int)
    case settings(ConversationSettings)

    /// Whether it can wait for others of its kind.
    var isProgress: Bool { if case .round = self { true } else { false } }
}

/// What was handed over and not yet taken, and when it will be.
struct RecorderMailbox: Sendable {
    private var messages: [RecorderMessage] = []
    private var lastTaken = -Double.infinity
    /// When the queue has been asked to look; absent when it has not.
    private var scheduled: Double?

    mutating func add(_ message: RecorderMessage) { messages.append(message) }

    /// Seconds after which the queue must look; absent when it will anyway.
    mutating func schedule(urgent: Bool, at now: Double) -> Double? {
        plan(urgent ? now : max(now, lastTaken + ConversationRecorder.interval), at: now)
    }

    mutating func scheduleRetry(at now: Double) -> Double? { plan(now + ConversationRecorder.retryInterval, at: now) }

    private mutating func plan(_ time: Double, at now: Double) -> Double? {
        if let scheduled, scheduled <= time { return nil }
        scheduled = time
        return time - now
    }

    mutating func take(at now: Double) -> [RecorderMessage] {
        defer { messages = [] }
        (lastTaken, scheduled) = (now, nil)
        return messages
    }
}
