// AnswerStore.swift — a model's last answers on disk, for later conversations to draft from. Used by Conversation.

public import Foundation

/// Where answers are kept to draft from.
public struct AnswerStoreOptions: Sendable, Equatable {
    public var folder: URL
    /// Tokens of one model's answers that are kept; the oldest go first.
    public var tokenLimit = 32_768

    public init(folder: URL) { self.folder = folder }

    /// `$XDG_CACHE_HOME/specchat/answers`, in `~/.cache` where the variable is not set to an absolute path; absent for a
    /// user without a home.
    public static func standard(environment: [String: String]) -> AnswerStoreOptions? {
        PictureCacheOptions.standard(environment: environment).map { pictures in
            AnswerStoreOptions(folder: pictures.folder.deletingLastPathComponent().appending(path: "answers"))
        }
    }

    /// Deletes the answers of every model.
    ///
    /// - Returns: how many files went, and why one is still there.
    public func deleteAll() -> (deleted: Int, reason: String?) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var deleted = 0
        var reason: String?
        for name in names where name.hasSuffix(AnswerStore.ending) || name.hasSuffix(AnswerStore.unfinishedEnding) {
            let path = folder.appending(path: name).path
            if unlink(path) == 0 { deleted += 1 } else { reason = "\(path): \(String(cString: strerror(errno)))" }
        }
        return (deleted, reason)
    }
}

/// The tokens of a model's last answers, in one file of the model's own.
///
/// Whatever goes wrong with the file, there is only less to draft from: one that is not exactly what was written counts
/// as absent and is written anew. Several programs may share it; each adds to what it finds there.
final class AnswerStore {
    static let ending = ".tokens"
    static let unfinishedEnding = ".unfinished"

    private let options: AnswerStoreOptions
    private let model: SHA256Digest
    private let vocabulary: Int
    private var isFaulty = false
    /// The oldest first.
    private(set) var answers: [[Int32]]

    /// - Parameters:
    ///   - model: what tells the model from all others.
    ///   - vocabulary: how many tokens it has.
    init(_ options: AnswerStoreOptions, model: SHA256Digest, vocabulary: Int) {
        (self.options, self.model, self.vocabulary) = (options, model, vocabulary)
        answers = []
        answers = read()
    }

    private var path: String { options.folder.path + "/" + model.hexadecimal + Self.ending }

    /// Keeps an answer, as the newest.
    ///
    /// - Returns: why nothing can be kept, once.
    func keep(_ answer: [Int32]) -> String? {
        // Two tokens are found by what they say of a third.
        guard answer.count > 2 else { return nil }
        var kept = read().filter { $0 != answer } + [answer]
        var tokens = kept.reduce(0) { $0 + $1.count }
        while tokens > options.tokenLimit, let oldest = kept.first {
            tokens -= oldest.count
            kept.removeFirst()
        }
        answers = kept
        guard let reason = write(kept), !isFaulty else { return nil }
        isFaulty = true
        return reason
    }

    // MARK: The file

    /// The form of the file, all numbers little endian:
    ///
    ///     "specansw"  8 bytes
    ///     version     4 bytes, 1
    ///     model      32 bytes, what the file is named by
    ///     answers     of each the count of its tokens and the tokens, 4 bytes each
    ///     checksum   32 bytes, SHA-256 of everything before it
    private static let mark = Array("specansw".utf8)
    private static let version: UInt32 = 1

    private var head: [UInt8] { Self.mark + Self.bytes(of: Self.version) + model.bytes }
    /// No file that was written here is longer: an answer has three tokens at least.
    private var longest: Int { head.count + SHA256Digest.byteCount + 6 * options.tokenLimit }

    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    private func read() -> [[Int32]] {
        // A link may lead anywhere, and a named pipe would keep us waiting.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) <= longest,
            let data = try? file.read(upToCount: longest)
        else { return [] }
        return decode([UInt8](data)) ?? []
    }

    /// The answers that a file holds; absent unless every byte is as it was written for this model.
    private func decode(_ bytes: [UInt8]) -> [[Int32]]? {
        let end = bytes.count - SHA256Digest.byteCount
        guard end >= head.count, bytes.starts(with: head),
            SHA256Digest(of: Array(bytes[..<end])).bytes == Array(bytes[end...])
        else { return nil }
        let numbers = bytes[head.count..<end].withUnsafeBytes { part in
            (0..<part.count / 4).map { Int32(littleEndian: part.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        }
        var answers: [[Int32]] = []
        var place = 0
        while place < numbers.count {
            let count = Int(numbers[place])
            guard count > 0, count < numbers.count - place else { return nil }
            let answer = Array(numbers[place + 1...place + count])
            guard answer.allSatisfy({ (0..<Int32(vocabulary)).contains($0) }) else { return nil }
            answers.append(answer)
            place += 1 + count
        }
        return answers
    }

    /// Writes the file anew, so that it is there whole or not at all; returns why it could not.
    private func write(_ answers: [[Int32]]) -> String? {
        let folder = options.folder.path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            return "cannot make the folder \(folder): \(error.localizedDescription)"
        }
        var bytes = head
        for answer in answers {
            bytes += Self.bytes(of: Int32(answer.count))
            for token in answer { bytes += Self.bytes(of: token) }
        }
        bytes += SHA256Digest(of: bytes).bytes
        let unfinished = folder + "/" + UUID().uuidString + Self.unfinishedEnding
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return "cannot write to \(folder): \(String(cString: strerror(errno)))" }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        do {
            try file.write(contentsOf: Data(bytes))
            // Some file systems say only now that the disk is full.
            try file.close()
        } catch {
            unlink(unfinished)
            return "cannot write to \(folder): \(systemReason(error))"
        }
        guard rename(unfinished, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(unfinished)
            return "cannot write to \(folder): \(reason)"
        }
        return nil
    }
}
