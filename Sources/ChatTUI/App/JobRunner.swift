// JobRunner.swift — carries out one job at a time and posts what comes of it.

import Engine

/// Runs the screen's jobs beside it. Belongs to the thread of the screen; the work itself runs elsewhere.
final class JobRunner {
    private let source: ChatSource
    private let mailbox: Mailbox
    private let home: String?
    private var current: Task<Void, Never>?
    private var pictures = 0

    init(source: ChatSource, mailbox: Mailbox, home: String?) {
        self.source = source
        self.mailbox = mailbox
        self.home = home
    }

    func start(_ job: Job, options: GenerationOptions) {
        let source = source
        let mailbox = mailbox
        switch job.kind {
        case .load: pump(job) { source.load() }
        case .clear: pump(job) { source.clear() }
        case .ask(let question, _): pump(job) { source.ask(question, options) }
        case .attach(let path):
            pictures += 1
            let id = pictures
            let file = PathText.expandingHome(path, home: home)
            pump(job) {
                let image = try PixelImage.read(file)
                mailbox.post(.pictureReady(Photo(name: PathText.fileName(path), image: image, id: id), path: path))
                return source.attach(image)
            }
        }
    }

    /// Stops the running job within one round.
    func cancel() { current?.cancel() }

    private func pump(_ job: Job, _ makeStream: @escaping @Sendable () throws -> EventStream) {
        let mailbox = mailbox
        current = Task.detached(priority: .userInitiated) {
            var failure: String?
            do {
                for try await event in try makeStream() { mailbox.post(.engine(event)) }
            } catch is CancellationError {
            } catch {
                failure = String(describing: error)
            }
            mailbox.post(.jobEnded(id: job.id, failure: failure))
        }
    }
}
