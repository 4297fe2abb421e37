// OpenConversation.swift — a conversation that one program goes on with and no other: the lock on it, and the journal of
// the answer that is being written. Made by ConversationStore.claim, held by the recorder.

import Foundation
import Synchronization

/// A file beside the store, named by the conversation and locked for as long as the conversation is open here. The system
/// lets go of the lock with the program, however that ends; what is in the file then is brought into the store by whoever
/// opens it next.
public final class OpenConversation: Sendable {
    private struct State {
        /// Absent where the file could not be made yet.
        var file: LockedFile?
        /// Bytes of whole records.
        var length = 0
    }

    let id: ConversationID
    private let path: String
    /// The store's, which errors speak of.
    private let store: String
    private let state: Mutex<State>

    /// - Parameter file: absent where there was no room for it; then it is made with the first bytes for it.
    init(_ id: ConversationID, path: String, store: String, file: LockedFile?) {
        self.id = id
        self.path = path
        self.store = store
        state = Mutex(State(file: file))
    }

    deinit {
        state.withLock { state in
            if state.length == 0 { state.file?.remove() }
            state.file = nil
        }
    }

    /// Writes `bytes` to the end of the journal, all of them or none.
    func append(_ bytes: [UInt8]) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            if state.file == nil { state.file = try LockedFile(path, of: store, making: true) }
            guard let file = state.file else { throw .busy(path: store) }
            try file.write(bytes, at: state.length)
            state.length += bytes.count
        }
    }

    /// Forgets the answer: it is in the store.
    func empty() {
        state.withLock { state in
            state.file?.empty()
            state.length = 0
        }
    }
}

/// A file that this program alone has locked. The lock goes with the last descriptor, so with the program.
final class LockedFile: Sendable {
    private let descriptor: Int32
    private let path: String
    private let store: String

    /// Absent where another holds the lock, or where there is no file and none is to be made.
    init?(_ path: String, of store: String, making isMaking: Bool) throws(StoreError) {
        self.path = path
        self.store = store
        if isMaking, mkdir((path as NSString).deletingLastPathComponent, 0o700) != 0, errno != EEXIST {
            throw StoreFile.failure(store, errno)
        }
        while true {
            let descriptor = open(path, O_RDWR | O_CLOEXEC | (isMaking ? O_CREAT : 0), 0o600)
            if descriptor < 0 {
                if !isMaking, errno == ENOENT { return nil }
                throw StoreFile.failure(store, errno)
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                return nil
            }
            var status = stat()
            // Whoever held it may have removed it in the meantime; then nobody would find what is written to it.
            if fstat(descriptor, &status) == 0, status.st_nlink > 0 {
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit { close(descriptor) }

    /// Writes all of `bytes` or leaves the file as it was.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset + done))
            }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                let code = errno
                ftruncate(descriptor, off_t(offset))
                throw StoreFile.failure(store, code)
            }
        }
    }

    func empty() { ftruncate(descriptor, 0) }

    func remove() { unlink(path) }

    /// Everything in it.
    var bytes: [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
        }
    }
}
