// Mailbox.swift — where workers leave events for the screen. They store and wake; they never touch the state.

import Synchronization

/// Events from any thread, taken by the one that owns the screen.
///
/// The screen's thread blocks in `poll`, so nothing that needs its executor would ever run: a worker stores its event
/// here and writes one byte to the pipe that the poll also watches.
final class Mailbox: Sendable {
    private let events = Mutex<[AppEvent]>([])
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func post(_ event: AppEvent) {
        let wasEmpty = events.withLock { waiting in
            waiting.append(event)
            return waiting.count == 1
        }
        // Whoever filled the empty box has already written its byte.
        if wasEmpty { wake() }
    }

    func takeAll() -> [AppEvent] {
        events.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }
}
