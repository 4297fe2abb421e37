// FileBytes.swift — the bytes of a checkpoint, mapped read only. Read by GGUF and SafetensorsFile;
// kept alive by every StoredTensor.

internal import CFileGuard

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A model's file that is no longer what was opened: it has shrunk or was written to, and nothing read from it counts.
public struct ChangedFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path as it was given.
    public let file: String

    public var description: String { "\(printable(file)) \(Self.sentence)" }

    /// The message without the file's name.
    static let sentence = "has changed while it was in use. Start again, and leave the file alone meanwhile."
}

/// Why a file's bytes cannot be had.
enum FileFault: Error, Sendable, Equatable {
    case unreadable(reason: String)
    case notRegular
    case empty
    case tooLong(Int, limit: Int)

    /// What is wrong, without the file's name before it and advice behind it.
    var clause: String {
        switch self {
        case .unreadable(let reason): "cannot be read (\(reason))"
        case .notRegular: "is not a regular file"
        case .empty: "is empty"
        case .tooLong(let count, let limit): "is \(count) bytes long, and \(limit) are read"
        }
    }
}

/// The bytes of a file, in memory until the last tensor that points into them is gone.
///
/// All pointers of Checkpoint are made and read here; every access is checked against `count` first. A file that shrinks
/// while it is mapped reads as zeros from there on, and `check` throws.
final class FileBytes: TensorBytes {
    private enum Origin {
        case mapped(descriptor: Int32, guarded: Int32)
        case copied
    }

    /// As it was given; "" for bytes that were never a file.
    private let path: String

    private let bytes: UnsafeRawBufferPointer
    private let origin: Origin

    var count: Int { bytes.count }
    /// Nanoseconds since 1970 at which the file was last written; 0 for bytes that were never a file.
    let modified: Int
    /// The same for its content or anything about it, which no program can set back.
    private let touched: Int

    /// Maps the file at `path`; only a regular file that is not empty will do.
    init(path: String) throws(FileFault) {
        let (descriptor, size, modified, touched) = try Self.open(path)
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            let reason = Self.reason(errno)
            close(descriptor)
            throw .unreadable(reason: reason)
        }
        let guarded = fg_guard(start, size)
        guard guarded >= 0 else {
            munmap(start, size)
            close(descriptor)
            throw .unreadable(reason: "too many model files are open")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        self.path = path
        self.modified = modified
        self.touched = touched
        origin = .mapped(descriptor: descriptor, guarded: guarded)
    }

    /// A copy of the whole file at `path`, a regular one of 1 to `limit` bytes: for what is small and read once.
    static func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        let (descriptor, size, _, _) = try open(path)
        defer { close(descriptor) }
        guard size <= limit else { throw .tooLong(size, limit: limit) }
        var copy = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let count = copy.withUnsafeMutableBytes { target in
                systemRead(descriptor, target.baseAddress.map { $0 + filled }, size - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(reason: reason(errno)) }
            // A file that has become shorter since it was opened.
            guard count > 0 else { break }
            filled += count
        }
        return Array(copy.prefix(filled))
    }

    /// The same of a file that may be left out: absent where its folder has no entry of that name. A link that leads
    /// nowhere is an entry, as caches have it after a download that was broken off, and cannot be read.
    static func readIfThere(_ path: String, limit: Int) throws(FileFault) -> [UInt8]? {
        var status = stat()
        if lstat(path, &status) != 0, errno == ENOENT { return nil }
        return try read(path, limit: limit)
    }

    private static func open(
        _ path: String
    ) throws(FileFault) -> (descriptor: Int32, size: Int, modified: Int, touched: Int) {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        let descriptor = systemOpen(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(reason: reason(errno)) }
        var status = stat()
        let fault: FileFault? =
            if fstat(descriptor, &status) != 0 {
                .unreadable(reason: reason(errno))
            } else if status.st_mode & S_IFMT != S_IFREG {
                .notRegular
            } else if status.st_size <= 0 {
                .empty
            } else {
                nil
            }
        if let fault {
            close(descriptor)
            throw fault
        }
        return (descriptor, Int(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim))
    }

    /// Since 1970.
    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }

    /// Bytes that were never a file, for tests and the fuzzer; a copy of its own, so that AddressSanitizer knows its end.
    init(copying source: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
        copy.copyBytes(from: source)
        bytes = UnsafeRawBufferPointer(copy)
        path = ""
        modified = 0
        touched = 0
        origin = .copied
    }

    deinit {
        switch origin {
        case .mapped(let descriptor, let guarded):
            fg_release(guarded)
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
            close(descriptor)
        case .copied: bytes.deallocate()
        }
    }

    private var isMapped: Bool { if case .mapped = origin { true } else { false } }

    /// Whether the file is no longer what it was when it was mapped. One that was replaced under its name by another is:
    /// the mapping keeps the old one.
    var hasChanged: Bool {
        guard case .mapped(let descriptor, let guarded) = origin else { return false }
        // The screen puts a handler of its own over this one when it begins.
        fg_renew()
        var status = stat()
        guard fg_lost(guarded) == 0, fstat(descriptor, &status) == 0 else { return true }
        return Int(status.st_size) != count || Self.nanoseconds(status.st_mtim) != modified
    }

    func check() throws(ChangedFileError) {
        if hasChanged { throw ChangedFileError(file: path) }
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
            isMapped: isMapped)
    }

    /// Bytes by which this file is known from every other one, wherever it lies: its size, the time at which it was
    /// written, the `head` bytes before the tensors, and some bytes of every tensor.
    func identity(head: Int, tensors: [(offset: Int, count: Int)]) -> [UInt8] {
        var identity = [count, modified].flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        identity += copy(at: 0, count: head)
        for tensor in tensors {
            // At its ends and between, so that a tensor that was trained on shows.
            let length = min(tensor.count, 256)
            for part in 0..<4 {
                identity += copy(at: tensor.offset + (tensor.count - length) * part / 3, count: length)
            }
        }
        return identity
    }

    /// Bytes that are others as soon as the file was written or replaced, even by a program that sets its times back.
    func stamp() -> [UInt8] {
        [count, modified, touched].flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    }

    /// The `count` bytes at `offset`, which must be inside the file; good as long as this object lives.
    func view(at offset: Int, count: Int) -> UnsafeRawBufferPointer {
        precondition(holds(count, at: offset), "FileBytes: \(count) bytes at \(offset) of \(self.count)")
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// Tells the system that all of it is going to be read over and over: large pages, where it has them for files.
    func expectConstantReading() {
        #if os(Linux)
            madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, 14 /* MADV_HUGEPAGE */)
        #endif
    }

    /// Whether `length` bytes at `offset` are inside the file; no sum that could overflow.
    private func holds(_ length: Int, at offset: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= count && length <= count - offset
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
private func systemRead(_ descriptor: Int32, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, target, count)
}
