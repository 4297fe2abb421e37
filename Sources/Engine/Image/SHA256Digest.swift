// SHA256Digest.swift — the fingerprint of bytes: names pictures and checks what was kept on disk. GLib does the hashing.

import CGdkPixbuf
import Glibc

/// A SHA-256 digest: 32 bytes.
public struct SHA256Digest: Sendable, Hashable, Codable, CustomStringConvertible {
    public static let byteCount = 32

    /// 32 of them.
    public let bytes: [UInt8]

    fileprivate init(digest bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "SHA256Digest: \(bytes.count) bytes")
        self.bytes = bytes
    }

    /// The digest of bytes in memory.
    public init(of bytes: some Collection<UInt8>) {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    /// The digest of a file, which may be larger than memory.
    public init(ofFile path: String) throws(SHA256Error) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SHA256Error.cannotRead(path: path, errno: errno) }
        defer { close(descriptor) }
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { break }
            if count > 0 {
                hasher.update(buffer[..<count])
            } else if errno != EINTR {
                throw SHA256Error.cannotRead(path: path, errno: errno)
            }
        }
        self = hasher.finish()
    }

    /// The digest that these 64 hexadecimal digits name; absent if they are something else.
    public init?(hexadecimal: String) {
        let digits = Array(hexadecimal.utf8)
        guard digits.count == 2 * Self.byteCount, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
            return nil
        }
        bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    /// 64 lower-case hexadecimal digits.
    public var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    public var description: String { hexadecimal }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = SHA256Digest(hexadecimal: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hexadecimal)
    }
}

/// Hashes bytes that come piece by piece.
public struct SHA256Hasher: ~Copyable {
    private let checksum: OpaquePointer

    public init() {
        guard let checksum = g_checksum_new(G_CHECKSUM_SHA256) else {
            preconditionFailure("GLib knows no SHA-256")
        }
        self.checksum = checksum
    }

    deinit { g_checksum_free(checksum) }

    public mutating func update(_ bytes: some Collection<UInt8>) {
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable { update($0) }
        if isContiguous == nil { Array(bytes).withUnsafeBufferPointer { update($0) } }
    }

    private func update(_ bytes: UnsafeBufferPointer<UInt8>) {
        // Without a start address there is nothing to hash, and GLib would complain on standard error.
        guard let start = bytes.baseAddress else { return }
        g_checksum_update(checksum, start, gssize(bytes.count))
    }

    public consuming func finish() -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        var count = gsize(digest.count)
        g_checksum_get_digest(checksum, &digest, &count)
        return SHA256Digest(digest: digest)
    }
}

public enum SHA256Error: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)

    fileprivate static func cannotRead(path: String, errno code: Int32) -> SHA256Error {
        .unreadable(path: path, reason: String(cString: strerror(code)))
    }

    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "cannot read \(path): \(reason). Check that it is a file and that you may read it."
        }
    }
}
