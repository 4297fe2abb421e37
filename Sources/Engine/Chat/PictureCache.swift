// PictureCache.swift — a bounded folder of numbers that were once computed, by key. Filled and read by PictureMemory.

public import Foundation

/// Where encoded pictures are kept between conversations, and how much of them.
public struct PictureCacheOptions: Sendable, Equatable {
    public var folder: URL
    /// Bytes that all entries may take together; what was not used for longest goes first.
    public var byteLimit = PictureCacheOptions.standardBytes

    public static let standardBytes = 512 << 20

    public init(folder: URL) { self.folder = folder }

    /// `$XDG_CACHE_HOME/specchat/pictures`, in `~/.cache` where the variable is not set to an absolute path; absent for a
    /// user without a home.
    public static func standard(environment: [String: String]) -> PictureCacheOptions? {
        func absolute(_ name: String) -> URL? {
            environment[name].flatMap { $0.hasPrefix("/") ? URL(filePath: $0, directoryHint: .isDirectory) : nil }
        }
        guard let base = absolute("XDG_CACHE_HOME") ?? absolute("HOME")?.appending(path: ".cache") else { return nil }
        return PictureCacheOptions(folder: base.appending(path: "specchat/pictures"))
    }
}

/// Arrays of numbers in files, each named by its key.
///
/// Whatever goes wrong with a file, the numbers are computed instead: an entry that is not exactly what was written
/// counts as absent, and one that cannot be written is not missed. Several programs may share a folder, since an entry
/// appears under its name only when it is complete.
final class PictureCache {
    private let folder: String
    private let byteLimit: Int
    private var fault: Fault = .none

    private enum Fault {
        case none, unsaid(String), said
    }

    init(_ options: PictureCacheOptions) {
        folder = options.folder.path
        byteLimit = options.byteLimit
    }

    /// Why nothing can be kept, told once.
    func takeFault() -> String? {
        guard case .unsaid(let reason) = fault else { return nil }
        fault = .said
        return reason
    }

    func load(_ key: SHA256Digest) -> [[Float]]? {
        // A link may lead anywhere, and a named pipe would keep us waiting.
        let descriptor = open(path(key), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard let arrays = PictureCacheFile.read(descriptor, size: Int(status.st_size), key: key) else { return nil }
        // The time of the last use, by which the oldest is known. In a folder that is read only it stays as it is.
        futimens(descriptor, nil)
        return arrays
    }

    /// Whether an entry of arrays of these lengths would be kept.
    func wouldKeep(_ lengths: [Int]) -> Bool { PictureCacheFile.byteCount(lengths) <= byteLimit }

    /// Keeps arrays under a key, in the place of what was there.
    func store(_ arrays: [[Float]], as key: SHA256Digest) {
        let lengths = arrays.map(\.count)
        guard wouldKeep(lengths) else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            return note("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        makeRoom(for: PictureCacheFile.byteCount(lengths), besides: name(key))
        let unfinished = folder + "/" + UUID().uuidString + Self.unfinishedEnding
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return note("cannot write to \(folder): \(String(cString: strerror(errno)))") }
        var isWritten = PictureCacheFile.write(arrays, key: key, to: descriptor)
        var reason = errno
        // Some file systems say only now that the disk is full.
        if close(descriptor) != 0 && isWritten { (isWritten, reason) = (false, errno) }
        if isWritten && rename(unfinished, path(key)) != 0 { (isWritten, reason) = (false, errno) }
        guard !isWritten else { return }
        unlink(unfinished)
        note("cannot write to \(folder): \(String(cString: strerror(reason)))")
    }

    // MARK: The folder

    private static let ending = ".rows"
    private static let unfinishedEnding = ".unfinished"

    private func name(_ key: SHA256Digest) -> String { key.hexadecimal + Self.ending }
    private func path(_ key: SHA256Digest) -> String { folder + "/" + name(key) }

    private func note(_ reason: String) {
        if case .none = fault { fault = .unsaid(reason) }
    }

    /// Deletes what was not used for longest until `bytes` more fit, and what programs that were killed left behind.
    private func makeRoom(for bytes: Int, besides replaced: String) {
        var entries: [(path: String, bytes: Int, used: Int)] = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name != replaced {
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if name.hasSuffix(Self.ending) {
                let used = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
                entries.append((path, Int(status.st_size), used))
            } else if name.hasSuffix(Self.unfinishedEnding), time(nil) - status.st_mtim.tv_sec > 3600 {
                unlink(path)
            }
        }
        var total = entries.reduce(bytes) { $0 + $1.bytes }
        for entry in entries.sorted(by: { ($0.used, $0.path) < ($1.used, $1.path) }) where total > byteLimit {
            if unlink(entry.path) == 0 { total -= entry.bytes }
        }
    }
}
