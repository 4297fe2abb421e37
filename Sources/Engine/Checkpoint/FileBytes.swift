// FileBytes.swift — the bytes of a checkpoint, mapped read only. Read by GGUFCursor; kept alive by every StoredTensor.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of a file, in memory until the last tensor that points into them is gone.
///
/// All pointers of Checkpoint are made and read here; every access is checked against `count` first. The file must not
/// shrink while it is mapped: the system then stops the process.
final class FileBytes {
    private enum Origin {
        case mapped, copied
    }

    private let bytes: UnsafeRawBufferPointer
    private let origin: Origin

    var count: Int { bytes.count }
    /// Nanoseconds since 1970 at which the file was last written; 0 for bytes that were never a file.
    let modified: Int

    /// Maps the file at `path`; only a regular file that is not empty will do.
    init(path: String) throws(GGUFError) {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw GGUFError(file: path, .unreadable(reason: Self.reason(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw GGUFError(file: path, .unreadable(reason: Self.reason(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw GGUFError(file: path, .notRegular) }
        guard status.st_size > 0 else { throw GGUFError(file: path, .empty) }
        let size = Int(status.st_size)
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw GGUFError(file: path, .unreadable(reason: Self.reason(errno)))
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        modified = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
        origin = .mapped
    }

    /// Bytes that were never a file, for tests and the fuzzer; a copy of its own, so that AddressSanitizer knows its end.
    init(copying source: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
        copy.copyBytes(from: source)
        bytes = UnsafeRawBufferPointer(copy)
        modified = 0
        origin = .copied
    }

    deinit {
        switch origin {
        case .mapped: munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        case .copied: bytes.deallocate()
        }
    }

    /// The little-endian integer at `offset`; absent where it would pass the end.
    func integer<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer? {
        guard holds(MemoryLayout<Integer>.size, at: offset) else { return nil }
        return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    /// The `count` bytes at `offset` as text; absent where they are not UTF-8. They must be inside the file.
    func text(at offset: Int, count: Int) -> String? {
        precondition(holds(count, at: offset), "FileBytes: \(count) bytes at \(offset) of \(self.count)")
        return String(validating: bytes[offset..<offset + count], as: UTF8.self)
    }

    /// A copy of the `count` bytes at `offset`, which must be inside the file.
    func copy(at offset: Int, count: Int) -> [UInt8] {
        precondition(holds(count, at: offset), "FileBytes: \(count) bytes at \(offset) of \(self.count)")
        return Array(bytes[offset..<offset + count])
    }

    /// Whether one of the `count` bytes at `offset` is above `limit`. They must be inside the file.
    func exceeds(_ limit: UInt8, at offset: Int, count: Int) -> Bool {
        precondition(holds(count, at: offset), "FileBytes: \(count) bytes at \(offset) of \(self.count)")
        return bytes[offset..<offset + count].contains { $0 > limit }
    }

    /// A tensor over the bytes at `offset`, which must be inside the file.
    func tensor(
        named name: String, as format: StoredTensor.Format, rows: Int, columns: Int, at offset: Int
    ) -> StoredTensor {
        let count = rows * (columns / format.blockLength) * format.blockBytes
        precondition(holds(count, at: offset), "FileBytes: \(count) bytes at \(offset) of \(self.count)")
        return StoredTensor(
            name: name, format: format, rows: rows, columns: columns,
            bytes: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), owner: self,
            isMapped: origin == .mapped)
    }

    /// Whether `length` bytes at `offset` are inside the file; no sum that could overflow.
    private func holds(_ length: Int, at offset: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= count && length <= count - offset
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
