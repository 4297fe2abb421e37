// SessionShelf.swift — saved conversations as the screen asks for them: read, listed, deleted and exported on a queue of
// their own, with the answers posted to the screen.

import ConversationStore
import Dispatch
import Engine
import Foundation

final class SessionShelf: Sendable {
    /// Writes a whole file or nothing; throws what the user should read.
    typealias WriteFile = @Sendable (_ path: String, _ text: String, _ isForced: Bool) throws -> Void

    private let queue = DispatchQueue(label: "specchat.sessions", qos: .userInitiated)
    /// The saved conversations.
    private let store: StoreDoor
    /// Where this program's conversations are: the same, or in memory.
    private let recorded: StoreDoor
    private let recorder: ConversationRecorder
    private let options: @Sendable (SavedConversation) -> GenerationOptions
    private let writeFile: WriteFile
    private let post: @Sendable (SessionEvent) -> Void

    init(
        store: StoreDoor, recorded: StoreDoor, recorder: ConversationRecorder,
        options: @escaping @Sendable (SavedConversation) -> GenerationOptions, writeFile: @escaping WriteFile,
        post: @escaping @Sendable (SessionEvent) -> Void
    ) {
        self.store = store
        self.recorded = recorded
        self.recorder = recorder
        self.options = options
        self.writeFile = writeFile
        self.post = post
    }

    /// Returns at once; what comes of it is posted.
    func carryOut(_ effect: SessionEffect) {
        queue.async { [self] in
            do {
                post(try result(of: effect))
            } catch {
                post(.told("\(error)"))
            }
        }
    }

    private func result(of effect: SessionEffect) throws -> SessionEvent {
        switch effect {
        case .list(let search): return .listed(try lines(search), search: search)
        case .delete(let id, let search):
            guard id != recorder.conversation?.description else {
                return .told("\(id) is the conversation on the screen: /new first, then delete it")
            }
            let store = try store.open()
            try store.delete([try store.id(id)])
            // They may repeat what was said in it.
            _ = AnswerStoreOptions.standard(environment: ProcessInfo.processInfo.environment)?.deleteAll()
            return .listed(try lines(search), search: search)
        case .read(let id):
            // The conversation may be the one that is being written.
            recorder.flush()
            let store = try store.open()
            // What another program was saying when it was killed.
            try store.recoverAnswers()
            let saved = try store.conversation(id)
            return .read(saved, options(saved))
        case .readRuns(let id): return .runsFound(try runs(of: id), of: id)
        case .export(let wish): return .told("written to \(try export(wish))")
        case .locate:
            guard let id = recorder.conversation else { return .told("nothing to save yet: ask something") }
            let place = try store.open().path
            return .told("saved as \(id) in \(place)")
        }
    }

    // MARK: The list

    private func lines(_ search: String) throws -> [SessionLine] {
        let store = try store.open()
        let isSearch = search.contains { $0.isLetter || $0.isNumber }
        var excerpts: [String: [Span]] = [:]
        if isSearch {
            for hit in try store.search(search, limit: 200) where excerpts[hit.conversation.id.description] == nil {
                excerpts[hit.conversation.id.description] = hit.excerpt.map {
                    Span($0.text, $0.isMatch ? .strong : .faint)
                }
            }
        }
        let now = Date()
        return try store.list(limit: 500, matching: isSearch ? search : nil).map { summary in
            let id = summary.id.description
            return SessionLine(
                id: id, title: PlainText.safe(summary.title), date: SessionShelf.date(summary.updated, now: now),
                turns: summary.turns, pictures: summary.pictures, model: PlainText.safe(summary.model),
                isShown: id == recorder.conversation?.description, excerpt: excerpts[id] ?? [])
        }
    }

    /// "today 14:05", "yesterday 09:30", "2026-11-19 20:15", in local time.
    static func date(_ date: Date, now: Date, calendar: Calendar = .current) -> String {
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        func two(_ number: Int?) -> String { String("0\(number ?? 0)".suffix(2)) }
        let time = "\(two(parts.hour)):\(two(parts.minute))"
        if calendar.isDate(date, inSameDayAs: now) { return "today \(time)" }
        if let before = calendar.date(byAdding: .day, value: -1, to: now), calendar.isDate(date, inSameDayAs: before) {
            return "yesterday \(time)"
        }
        return "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day)) \(time)"
    }

    /// Bytes of text that each round brought, by the numbers of the questions.
    private func runs(of id: ConversationID) throws -> [Int: [Int]] {
        try store.open().rounds(of: id).mapValues { rounds in
            var texts = RoundTexts()
            return rounds.map { texts.add($0).utf8.count }
        }
    }

    // MARK: Exporting

    private func export(_ wish: ExportWish) throws -> String {
        guard recorder.flush(), let id = recorder.conversation else {
            throw SessionError.notWritten(recorder.status)
        }
        let path = wish.path ?? "specchat-\(id).\(wish.format.ending)"
        try writeFile(path, try recorded.open().export(id).text(as: wish.format.exported), wish.isForced)
        return path
    }
}

enum SessionError: Error, Sendable, Equatable, CustomStringConvertible {
    case notWritten(ConversationRecorder.Status)

    var description: String {
        switch self {
        case .notWritten(.waiting(let error)), .notWritten(.ended(let error)):
            "the conversation is not saved, so it cannot be exported: \(error)"
        case .notWritten(.saved): "nothing has been asked yet, so there is nothing to export. Ask something first."
        }
    }
}

extension ExportWish.Format {
    var exported: ExportFormat {
        switch self {
        case .markdown: .markdown
        case .json: .json
        case .trace: .trace
        }
    }

    /// Of the names of such files.
    var ending: String { self == .trace ? "jsonl" : rawValue }
}
