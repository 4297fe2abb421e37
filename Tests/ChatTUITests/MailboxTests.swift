// MailboxTests.swift — what the engine posts wakes the screen once, and not while it waits for its next frame.

import Synchronization
import Testing

@testable import ChatTUI

struct `The mailbox` {
    @Test func `wakes its reader once for all that came since, and not while hushed`() {
        let counted = Counter()
        let mailbox = Mailbox(wake: { counted.increment() })
        mailbox.post(.tick)
        mailbox.post(.tick)
        #expect(counted.count == 1)
        #expect(mailbox.takeAll() == [.tick, .tick])
        mailbox.hush()
        mailbox.post(.tick)
        #expect(counted.count == 1)
        #expect(mailbox.takeAll() == [.tick])
        mailbox.post(.tick)
        #expect(counted.count == 2)
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func increment() { value.withLock { $0 += 1 } }
    }
}
