// PackedWeightWriter.swift — keeps weights while they are packed, in a file that gets its name when it is whole. Made by
// WeightCache, filled by a backend.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of packed weights that is being written. Unless it is finished, nothing is left of it.
final class PackedWeightWriter: WeightShelf {
    private let layout: PackedWeightLayout
    private let checksum: PackedWeightLayout.Checksum
    private let descriptor: Int32
    /// Where it is until it is whole; absent once it is, or is given up.
    private var path: String?
    private var checksums: [UInt64?]
    /// Why it was given up, in the system's words.
    private(set) var fault: String?

    /// Begins a file and asks the disk for all its room; nil with `errno` set where it cannot be begun.
    init?(path: String, layout: PackedWeightLayout, checksum: @escaping PackedWeightLayout.Checksum) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        // Held until the end, so that whoever clears away what killed programs left knows that this one lives.
        flock(descriptor, LOCK_EX | LOCK_NB)
        (self.layout, self.checksum, self.descriptor, self.path) = (layout, checksum, descriptor, path)
        checksums = Array(repeating: nil, count: layout.entries.count)
        #if os(Linux)
            // Better now than after minutes of work. A file system that cannot promise says so, and may still have room.
            let code = posix_fallocate(descriptor, 0, off_t(layout.byteCount))
            if code == ENOSPC || code == EDQUOT || code == EFBIG { giveUp(code) }
        #endif
    }

    /// Writes to a descriptor that is open already, for tests of what a disk can do.
    init(descriptor: Int32, layout: PackedWeightLayout, checksum: @escaping PackedWeightLayout.Checksum) {
        (self.layout, self.checksum, self.descriptor, path) = (layout, checksum, descriptor, "")
        checksums = Array(repeating: nil, count: layout.entries.count)
    }

    deinit {
        if let path { unlink(path) }
        close(descriptor)
    }

    func bytes(of _: PackedShape) -> (bytes: UnsafeRawBufferPointer, owner: any TensorBytes)? { nil }

    func keep(_ bytes: UnsafeRawBufferPointer, of shape: PackedShape) {
        guard path != nil, let place = layout.place(of: shape) else { return }
        let entry = layout.entries[place]
        precondition(bytes.count == entry.byteCount, "PackedWeightWriter: \(bytes.count) bytes of \(shape.name)")
        guard write(bytes, at: entry.offset) else { return giveUp(errno) }
        checksums[place] = checksum(bytes)
    }

    /// Gives the file its name, if all of it was written.
    ///
    /// It is not flushed to the disk, which would take longer than all the rest: the system does that in its own time, and
    /// should it never come to it, the checksums show (see WeightCache).
    func finish(as name: String) {
        let sums = checksums.compactMap { $0 }
        guard let path, sums.count == checksums.count else { return }
        guard layout.header(sums, checksum: checksum).withUnsafeBytes({ write($0, at: 0) }),
            ftruncate(descriptor, off_t(layout.byteCount)) == 0, rename(path, name) == 0
        else { return giveUp(errno) }
        self.path = nil
    }

    private func giveUp(_ code: Int32) {
        if let path { unlink(path) }
        path = nil
        // What has been written gives its room back now, not when the model is gone.
        ftruncate(descriptor, 0)
        fault = String(cString: strerror(code))
    }

    /// False with `errno` set where the file takes no more.
    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = pwrite(descriptor, rest.baseAddress, min(rest.count, 1 << 28), off_t(offset + written))
            if count == 0 || (count < 0 && errno != EINTR) { return false }
            written += max(0, count)
        }
        return true
    }
}
