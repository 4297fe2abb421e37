// Mailbox.swift — where workers leave events for the screen. They store and wake; they never touch the state.

import Synchronization

/// Events from any thread, taken by the one that owns the screen.
///
/// The screen's thread blocks in `poll`, so nothing that needs its executor would ever run: a worker stores its event
/// here and writes one byte to the pipe that the poll also watches.
final class Mailbox: Sendable {
    private struct Content {
        var events: [AppEvent] = []
        var isHushed = false
    }
    private let content = Mutex(Content())
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func post(_ event: AppEvent) {
        let mustWake = content.withLock { content in
            content.events.append(event)
            // Whoever filled the empty box has already written its byte.
            return content.events.count == 1 && !content.isHushed
        }
        if mustWake { wake() }
    }

    /// Until the next `takeAll`, events are stored without waking anyone: for a screen that will look by itself within
    /// a frame's time. Waking it between the frames would cost about as much as drawing them.
    func hush() { content.withLock { $0.isHushed = true } }

    func takeAll() -> [AppEvent] {
        content.withLock { content in
            defer { content = Content() }
            return content.events
        }
    }
}
