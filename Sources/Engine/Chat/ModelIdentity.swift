// ModelIdentity.swift — what the numbers of a picture depend on beside the picture, as digests. Used by PictureMemory.

import Foundation

/// Digests that differ wherever a model, the program or the machine might compute other bits.
struct ModelIdentity {
    let target: SHA256Digest
    let vision: SHA256Digest
    /// Draft and projector; absent without a draft that sees pictures.
    let draft: SHA256Digest?
    /// Template, framing of pictures, backend and program.
    let setting: SHA256Digest

    /// - Parameters:
    ///   - target: digest of the target's checkpoint; so are the next two of theirs.
    ///   - draft: of model and projector.
    ///   - setting: names of template, framing and backend.
    init(target: SHA256Digest, vision: SHA256Digest, draft: SHA256Digest?, setting: [String]) {
        (self.target, self.vision, self.draft) = (target, vision, draft)
        self.setting = SHA256Digest(of: Array((setting + [Self.program]).joined(separator: "\0").utf8))
    }

    /// What tells checkpoints from all others.
    static func digest(of checkpoints: [any TensorSource]) -> SHA256Digest {
        join(checkpoints.map { SHA256Digest(of: $0.identity()) })
    }

    /// A picture through the vision tower and the target's projector.
    func key(of image: PixelImage) -> SHA256Digest {
        let size = [image.width, image.height].flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        return Self.join([setting, vision, SHA256Digest(of: size), SHA256Digest(of: image.pixels)])
    }

    /// The rows of a text that begins with these tokens and this picture, in the target.
    func targetKey(_ picture: SHA256Digest, after tokens: [Int32]) -> SHA256Digest {
        Self.join([picture, target, Self.digest(of: tokens)])
    }

    /// The same in the draft.
    func draftKey(_ picture: SHA256Digest, after tokens: [Int32]) -> SHA256Digest? {
        // The word keeps apart a model that drafts for itself.
        draft.map { Self.join([picture, SHA256Digest(of: Array("draft".utf8)), $0, Self.digest(of: tokens)]) }
    }

    private static func digest(of tokens: [Int32]) -> SHA256Digest {
        SHA256Digest(of: tokens.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
    }

    private static func join(_ digests: [SHA256Digest]) -> SHA256Digest {
        SHA256Digest(of: digests.flatMap(\.bytes))
    }

    /// This build of the program and the mathematics library under it: a kernel that was improved may give other bits.
    private static let program: String = {
        var status = stat()
        guard stat("/proc/self/exe", &status) == 0 else { return "unknown" }
        let library = String(unsafeUninitializedCapacity: 64) { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                // The count includes the end mark, and is 0 where there is no such version.
                max(1, min(text.count, confstr(Int32(_CS_GNU_LIBC_VERSION), text.baseAddress, text.count))) - 1
            }
        }
        return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(library)"
    }()
}
