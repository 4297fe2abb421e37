// WeightCache.swift — a bounded folder of packed weights, one file for each model. Read and filled by ModelPacking.

public import Foundation

/// Where packed weights are kept from one start to the next, and how much of them.
public struct WeightCacheOptions: Sendable, Equatable {
    public var folder: URL
    /// Bytes that all files may take together; what was not used for longest goes first.
    public var byteLimit = WeightCacheOptions.standardBytes
    /// Models whose matrices take less in their own files are not kept: they are packed before anyone notices.
    public var leastBytes = 256 << 20
    /// Bytes of the disk that are left to others.
    public var spareBytes = 1 << 30

    public static let standardBytes = 32 << 30

    public init(folder: URL) { self.folder = folder }

    /// `$XDG_CACHE_HOME/specchat/weights`, in `~/.cache` where the variable is not set to an absolute path; absent for a
    /// user without a home.
    public static func standard(environment: [String: String]) -> WeightCacheOptions? {
        PictureCacheOptions.standard(environment: environment).map { pictures in
            WeightCacheOptions(folder: pictures.folder.deletingLastPathComponent().appending(path: "weights"))
        }
    }
}

/// Files of packed weights, each named by its key, and beside each a seal: proof that it was read whole.
///
/// A seal holds what the system says of the file, and the system's own start: a file of which any of it has changed, or
/// that may have been lost when the machine stopped before it was on the disk, is read whole again before it is used.
/// Several programs may share a folder, since a file appears under its name only when it is complete.
struct WeightCache {
    private let options: WeightCacheOptions
    private var folder: String { options.folder.path }

    init(_ options: WeightCacheOptions) { self.options = options }

    private static let ending = ".packed"
    private static let sealEnding = ".seal"
    private static let unfinishedEnding = ".unfinished"

    private func path(_ layout: PackedWeightLayout, _ ending: String = WeightCache.ending) -> String {
        folder + "/" + layout.key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + ending
    }

    /// Whether a file of this size would be kept at all.
    func wouldKeep(_ layout: PackedWeightLayout) -> Bool { layout.byteCount <= options.byteLimit }

    enum Found {
        case nothing
        /// There was a file, but not what was written. It is gone.
        case damaged
        case whole(PackedWeightFile)
    }

    /// The packed weights of a model.
    ///
    /// - Parameter progress: called while a file is read whole, with the weights done and their number.
    func find(
        _ layout: PackedWeightLayout, checksum: PackedWeightLayout.Checksum, progress: (Int, Int) throws -> Void
    ) throws -> Found {
        let path = path(layout)
        guard access(path, F_OK) == 0 else { return .nothing }
        if let file = PackedWeightFile(path: path, layout: layout, checksum: checksum) {
            if isSealed(layout) {
                // The time of the last use, by which the oldest is known.
                utimensat(AT_FDCWD, self.path(layout, Self.sealEnding), nil, 0)
                return .whole(file)
            }
            if try file.isWhole(checksum: checksum, progress: progress) {
                seal(layout)
                return .whole(file)
            }
        }
        remove(path)
        return .damaged
    }

    // MARK: Looking

    /// What lies in the folder of a model's packed weights.
    enum Kept: Equatable {
        /// Nothing, and why the next start could not keep it either.
        case absent(WeightCacheFault?)
        /// Another than what was written.
        case damaged
        /// What was written, as far as its beginning says: the next start reads it whole once.
        case unread
        /// What was written, and read whole since.
        case whole
    }

    /// Looks without changing anything: neither a time nor a damaged file.
    func look(_ layout: PackedWeightLayout, checksum: PackedWeightLayout.Checksum) -> Kept {
        guard access(path(layout), F_OK) == 0 else { return .absent(lackOfRoom(for: layout)) }
        guard PackedWeightFile(path: path(layout), layout: layout, checksum: checksum) != nil else { return .damaged }
        return isSealed(layout) ? .whole : .unread
    }

    /// Where the packed weights of a model lie, or would.
    func place(of layout: PackedWeightLayout) -> String { path(layout) }

    /// Files for the same weights under another key: of this model before it was changed or moved, or of its like.
    func others(like layout: PackedWeightLayout, checksum: PackedWeightLayout.Checksum) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().map { folder + "/" + $0 }.filter { path in
            guard path.hasSuffix(Self.ending), path != self.path(layout), let file = try? FileBytes(path: path),
                file.count == layout.byteCount
            else { return false }
            return layout.isLike(file.copy(at: 0, count: layout.headerBytes), checksum: checksum)
        }
    }

    // MARK: Keeping

    /// Begins the file of a model.
    func begin(
        _ layout: PackedWeightLayout, checksum: @escaping PackedWeightLayout.Checksum
    ) throws(WeightCacheFault) -> PackedWeightWriter {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WeightCacheFault("cannot make the folder \(folder): \(systemReason(error))")
        }
        makeRoom(for: layout)
        if let lack = lackOfRoom(for: layout) { throw lack }
        let unfinished = folder + "/" + UUID().uuidString + Self.unfinishedEnding
        guard let writer = PackedWeightWriter(path: unfinished, layout: layout, checksum: checksum) else {
            throw WeightCacheFault("cannot write to \(folder): \(String(cString: strerror(errno)))")
        }
        return writer
    }

    /// Gives the file of a model that was packed its name.
    func finish(_ writer: PackedWeightWriter, _ layout: PackedWeightLayout) throws(WeightCacheFault) {
        writer.finish(as: path(layout))
        if let fault = writer.fault { throw WeightCacheFault("cannot write to \(folder): \(fault)") }
        seal(layout)
    }

    /// What the disk lacks; absent where a file would fit, or the folder is not there to be asked.
    private func lackOfRoom(for layout: PackedWeightLayout) -> WeightCacheFault? {
        var disk = statvfs()
        guard statvfs(folder, &disk) == 0,
            Int(disk.f_bavail) * Int(disk.f_frsize) - layout.byteCount < options.spareBytes
        else { return nil }
        return WeightCacheFault(
            "\(folder) has no room for \(megabytes(layout.byteCount)) beside the \(megabytes(options.spareBytes)) "
                + "that are left to others")
    }

    private func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000) MB" }

    // MARK: Seals

    private func isSealed(_ layout: PackedWeightLayout) -> Bool {
        guard let facts = facts(layout), let seal = try? FileBytes.read(path(layout, Self.sealEnding), limit: 4096)
        else { return false }
        return seal == Array(facts.utf8)
    }

    private func seal(_ layout: PackedWeightLayout) {
        guard let facts = facts(layout) else { return }
        let path = path(layout, Self.sealEnding)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let isWhole = facts.withCString { write(descriptor, $0, strlen($0)) == strlen($0) }
        close(descriptor)
        // Half a seal fits nothing.
        if !isWhole { unlink(path) }
    }

    /// What the system says of a file, on one line; absent where it does not say which of its starts this is.
    private func facts(_ layout: PackedWeightLayout) -> String? {
        var status = stat()
        guard stat(path(layout), &status) == 0,
            let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        else { return nil }
        let times = [status.st_mtim, status.st_ctim].map { "\($0.tv_sec).\($0.tv_nsec)" }.joined(separator: " ")
        return "\(status.st_dev) \(status.st_ino) \(status.st_size) \(times) \(boot)"
    }

    // MARK: Room

    private func remove(_ path: String) {
        unlink(path)
        unlink(path.dropLast(Self.ending.count) + Self.sealEnding)
    }

    /// Deletes what was not used for longest until the file fits, and what programs that were killed left behind.
    private func makeRoom(for layout: PackedWeightLayout) {
        var entries: [(path: String, bytes: Int, used: Int)] = []
        func status(_ path: String) -> (bytes: Int, used: Int)? {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return (
                Int(status.st_size), Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
            )
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = folder + "/" + name
            if name.hasSuffix(Self.ending), path != self.path(layout), let file = status(path) {
                let seal = status(path.dropLast(Self.ending.count) + Self.sealEnding)
                entries.append((path, file.bytes, max(file.used, seal?.used ?? 0)))
            } else if name.hasSuffix(Self.unfinishedEnding), isLeftBehind(path) {
                unlink(path)
            }
        }
        var total = entries.reduce(layout.byteCount) { $0 + $1.bytes }
        for entry in entries.sorted(by: { ($0.used, $0.path) < ($1.used, $1.path) }) where total > options.byteLimit {
            remove(entry.path)
            total -= entry.bytes
        }
    }

    /// Whether nobody writes to an unfinished file any more: a living program holds a lock on its own.
    private func isLeftBehind(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        // One that was made this minute may not have its lock yet.
        guard fstat(descriptor, &status) == 0, time(nil) - status.st_mtim.tv_sec > 60 else { return false }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
}

/// Why weights cannot be kept: a clause that ends a sentence.
struct WeightCacheFault: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
