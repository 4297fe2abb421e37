import Foundation
import Testing

@testable import Engine

@Suite struct `What kept pictures depend on` {
    @Test func `keys differ by picture, words before it, model, draft and setting`() {
        func digest(_ number: UInt8) -> SHA256Digest { SHA256Digest(of: [number]) }
        func keys(_ target: UInt8, _ vision: UInt8, _ draft: UInt8, _ setting: String, picture: Int, tokens: [Int32])
            -> [SHA256Digest]
        {
            let identity = ModelIdentity(
                target: digest(target), vision: digest(vision), draft: digest(draft), setting: [setting])
            let picture = PixelImage(
                width: 2, height: 1, pixels: [UInt8](repeating: UInt8(picture), count: 6),
                source: .init(name: "p", width: 2, height: 1))
            let key = identity.key(of: picture)
            return [key, identity.targetKey(key, after: tokens)]
                + [identity.draftKey(key, after: tokens)].compactMap { $0 }
        }
        let base = keys(1, 2, 3, "avx2", picture: 0, tokens: [1, 2])
        #expect(base == keys(1, 2, 3, "avx2", picture: 0, tokens: [1, 2]) && Set(base).count == 3)
        func changed(_ other: [SHA256Digest]) -> [Bool] { zip(base, other).map { $0 != $1 } }
        #expect(changed(keys(9, 2, 3, "avx2", picture: 0, tokens: [1, 2])) == [false, true, false])
        #expect(changed(keys(1, 9, 3, "avx2", picture: 0, tokens: [1, 2])) == [true, true, true])
        #expect(changed(keys(1, 2, 9, "avx2", picture: 0, tokens: [1, 2])) == [false, false, true])
        #expect(changed(keys(1, 2, 3, "avx512", picture: 0, tokens: [1, 2])) == [true, true, true])
        #expect(changed(keys(1, 2, 3, "avx2", picture: 1, tokens: [1, 2])) == [true, true, true])
        #expect(changed(keys(1, 2, 3, "avx2", picture: 0, tokens: [1, 3])) == [false, true, true])
        // A model that drafts for itself has rows of its own as a draft.
        let own = keys(3, 2, 3, "avx2", picture: 0, tokens: [1, 2])
        #expect(own[1] != own[2])
    }

    @Test func `a model's identity is its bytes, not its place`() throws {
        let folder = try ScratchFolder()
        let original = try Golden("grouped").path("language.gguf")
        let copy = "\(folder.path)/copy.gguf"
        let date = Date(timeIntervalSince1970: 1_700_000_000)
        func identity(_ change: (inout Data) -> Void) throws -> SHA256Digest {
            var data = try Data(contentsOf: URL(filePath: original))
            change(&data)
            try data.write(to: URL(filePath: copy))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: copy)
            return ModelIdentity.digest(of: [try GGUF(path: copy)])
        }
        let first = try identity { _ in }
        #expect(try identity { _ in } == first)
        let last = try Data(contentsOf: URL(filePath: original)).count - 1
        #expect(try identity { $0[last] ^= 1 } != first)
        #expect(try identity { $0 += [0] } != first)
    }

}
