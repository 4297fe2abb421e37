// JobRunner.swift — carries out one job at a time and posts what comes of it.

import ConversationStore
import Engine

/// A job under way: what comes of it, and what is to be done when it has come to a good end.
private struct Work: Sendable {
    /// One after another.
    let streams: [EventStream]
    let whenDone: @Sendable () -> Void

    init(_ streams: EventStream..., whenDone: @escaping @Sendable () -> Void = {}) {
        self.streams = streams
        self.whenDone = whenDone
    }
}

/// Runs the screen's jobs beside it. Belongs to the thread of the screen; the work itself runs elsewhere.
final class JobRunner {
    private let source: ChatSource
    private let mailbox: Mailbox
    private let home: String?
    /// Absent where nothing is recorded.
    private let sessions: ChatSessions?
    private var current: Task<Void, Never>?
    /// Whether the running job is an answer, which is asked to end rather than dropped: what the engine made of it is
    /// part of its text, so all of it has to be heard of.
    private var isAnswering = false
    private var pictures = 0

    init(source: ChatSource, mailbox: Mailbox, home: String?, sessions: ChatSessions? = nil) {
        self.source = source
        self.mailbox = mailbox
        self.home = home
        self.sessions = sessions
    }

    func start(_ job: Job, options: GenerationOptions) {
        let (source, sessions) = (source, sessions)
        isAnswering = job.isAsk
        switch job.kind {
        case .load: pump(job) { Work(source.load()) }
        case .clear: pump(job) { Work(source.clear()) { sessions?.recorder.begin(options) } }
        case .setSystem(let text):
            pump(job) { Work(source.setSystem(text)) { sessions?.recorder.setSystem(text) } }
        case .ask(let question, _):
            pump(job, recordedBy: sessions?.recorder) {
                sessions?.recorder.ask(question, options: options)
                return Work(source.ask(question, options))
            }
        case .rewind(let turn): pump(job) { Work(source.rewind(turn)) { sessions?.recorder.rewind(to: turn) } }
        case .restore(let saved): restore(saved, job)
        case .attach(let path): attach(path, job)
        }
    }

    private func attach(_ path: String, _ job: Job) {
        let (source, mailbox, sessions) = (source, mailbox, sessions)
        pictures += 1
        let id = pictures
        let file = FileLookup(home: home).expanding(path)
        pump(job) {
            let image = try PixelImage.read(file)
            mailbox.post(.pictureReady(Photo(name: PathText.fileName(path), image: image, id: id), path: path))
            let events = source.attach(image)
            // While the engine looks at it.
            let record = sessions?.recorder.describe(image, path: file)
            return Work(events) { if let record { sessions?.recorder.attach(record) } }
        }
    }

    private func restore(_ saved: SavedConversation, _ job: Job) {
        let (source, sessions) = (source, sessions)
        let first = pictures + 1
        pictures += saved.turns.reduce(0) { $0 + $1.pictures.count }
        pump(job) {
            let past = try sessions?.restoration(of: saved, firstPhoto: first).pastTurns() ?? []
            let system = source.setSystem(saved.settings.system)
            return Work(system, source.restore(past)) { sessions?.recorder.resume(saved) }
        }
    }

    /// Stops the running job within one round.
    func cancel() { if isAnswering, let stop = source.stop { stop() } else { current?.cancel() } }

    /// Lets go of the running job at once: nobody hears of it any more.
    func abandon() { current?.cancel() }

    private func pump(
        _ job: Job, recordedBy recorder: ChatRecorder? = nil,
        _ begin: @escaping @Sendable () throws -> Work
    ) {
        let mailbox = mailbox
        current = Task.detached(priority: .userInitiated) {
            var failure: String?
            do {
                let work = try begin()
                for events in work.streams {
                    for try await event in events {
                        recorder?.record(event)
                        mailbox.post(.engine(event))
                    }
                }
                work.whenDone()
            } catch is CancellationError {
            } catch {
                failure = String(describing: error)
            }
            recorder?.endAnswer()
            mailbox.post(.jobEnded(id: job.id, failure: failure))
        }
    }
}
