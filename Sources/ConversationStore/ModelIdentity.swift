// ModelIdentity.swift — which model a conversation was held with, so that going on with another one is noticed.

public import Engine
import Foundation

/// The files that decide the text of an answer. Drafts are no part of it: they cannot change a byte.
public struct ModelIdentity: Sendable, Hashable, Codable {
    /// One file of a model, as far as it takes to tell it from another.
    public struct File: Sendable, Hashable, Codable {
        public let path: String
        public let byteCount: Int
        /// SHA-256 of the file's first 2 MiB and last 64 KiB, or of those of each file of a folder: header, vocabulary,
        /// some weights. Hashing 4 GB would take longer than answering.
        public let digest: SHA256Digest

        public init(path: String, byteCount: Int, digest: SHA256Digest) {
            self.path = path
            self.byteCount = byteCount
            self.digest = digest
        }

        /// Reads the ends of the file at `url`, or those of every file of a model's folder.
        init(_ url: URL) throws(StoreError) {
            do {
                var hasher = SHA256Hasher()
                var size = 0
                for file in try Self.files(at: url) {
                    // The name too: a folder whose shards have changed places is another one.
                    if file != url { hasher.update(Data(file.lastPathComponent.utf8)) }
                    size += try Self.readEnds(of: file, into: &hasher)
                }
                self.init(path: url.path, byteCount: size, digest: hasher.finish())
            } catch {
                throw .unreadable(path: url.path, reason: systemReason(error))
            }
        }

        /// Returns the file's size.
        private static func readEnds(of url: URL, into hasher: inout SHA256Hasher) throws -> Int {
            let file = try FileHandle(forReadingFrom: url)
            defer { try? file.close() }
            let size = Int(try file.seekToEnd())
            try file.seek(toOffset: 0)
            hasher.update(try file.read(upToCount: headBytes) ?? Data())
            try file.seek(toOffset: UInt64(max(0, size - tailBytes)))
            hasher.update(try file.read(upToCount: tailBytes) ?? Data())
            return size
        }

        /// The file itself; of a Hugging Face folder, what decides its answers: weights, settings, tokenizer.
        private static func files(at url: URL) throws -> [URL] {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
                return [url]
            }
            return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
                .filter { ["safetensors", "json", "jinja", "model"].contains($0.pathExtension) }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
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
