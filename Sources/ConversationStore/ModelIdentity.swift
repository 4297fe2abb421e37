// ModelIdentity.swift — which model a conversation was held with, so that going on with another one is noticed.

public import Engine
import Foundation

/// The files that decide the text of an answer. Drafts are no part of it: they cannot change a byte.
public struct ModelIdentity: Sendable, Hashable, Codable {
    /// One file of a model, as far as it takes to tell it from another.
    public struct File: Sendable, Hashable, Codable {
        public let path: String
        public let byteCount: Int
        /// SHA-256 of the file's first 2 MiB and last 64 KiB: header, vocabulary, some weights. Hashing 4 GB would take
        /// longer than answering.
        public let digest: SHA256Digest

        public init(path: String, byteCount: Int, digest: SHA256Digest) {
            self.path = path
            self.byteCount = byteCount
            self.digest = digest
        }

        /// Reads the ends of the file at `url`.
        init(_ url: URL) throws(StoreError) {
            do {
                let file = try FileHandle(forReadingFrom: url)
                defer { try? file.close() }
                let size = Int(try file.seekToEnd())
                try file.seek(toOffset: 0)
                var hasher = SHA256Hasher()
                hasher.update(try file.read(upToCount: Self.headBytes) ?? Data())
                try file.seek(toOffset: UInt64(max(0, size - Self.tailBytes)))
                hasher.update(try file.read(upToCount: Self.tailBytes) ?? Data())
                self.init(path: url.path, byteCount: size, digest: hasher.finish())
            } catch {
                throw .unreadable(path: url.path, reason: systemReason(error))
            }
        }

        private static let headBytes = 2 << 20
        private static let tailBytes = 64 << 10
    }

    /// Name of the bundle.
    public let name: String
    public let target: File
    public let vision: File?

    public init(name: String, target: File, vision: File?) {
        self.name = name
        self.target = target
        self.vision = vision
    }

    /// The identity of a bundle's files. Reads about 4 MB, so not for the screen's thread.
    public init(_ bundle: ModelBundle) throws(StoreError) {
        let vision: File? = if let file = bundle.vision { try File(file) } else { nil }
        self.init(name: bundle.name, target: try File(bundle.target), vision: vision)
    }

    /// Whether both are the same model, wherever its files lie and whatever the bundle is called.
    public func isSameModel(as other: ModelIdentity) -> Bool {
        func content(_ file: File?) -> [String] { file.map { ["\($0.byteCount)", $0.digest.hexadecimal] } ?? [] }
        return content(target) == content(other.target) && content(vision) == content(other.vision)
    }
}
