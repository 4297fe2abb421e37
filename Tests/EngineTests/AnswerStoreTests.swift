import Foundation
import Testing

@testable import Engine

@Suite struct `Answer store` {
    private static let model = SHA256Digest(of: [1])

    private static func withFolder(_ body: (AnswerStoreOptions) throws -> Void) rethrows {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-answers-\(UUID().uuidString)")
        defer {
            chmod(folder.path, 0o700)
            try? FileManager.default.removeItem(at: folder)
        }
        try body(AnswerStoreOptions(folder: folder))
    }

    private static func open(_ options: AnswerStoreOptions, model: SHA256Digest = model) -> AnswerStore {
        AnswerStore(options, model: model, vocabulary: 100)
    }

    private static func file(_ options: AnswerStoreOptions) -> String {
        options.folder.appending(path: model.hexadecimal + AnswerStore.ending).path
    }

    @Test func `keeps answers in their order, each once, for its own model`() {
        Self.withFolder { options in
            let store = Self.open(options)
            for answer in [[1, 2, 3], [4, 5, 6, 7], [1, 2, 3], [8, 9]] as [[Int32]] {
                #expect(store.keep(answer) == nil)
            }
            #expect(Self.open(options).answers == [[4, 5, 6, 7], [1, 2, 3]])
            #expect(Self.open(options, model: SHA256Digest(of: [2])).answers.isEmpty)
        }
    }

    @Test func `what two programs keep is all there`() {
        Self.withFolder { options in
            let (one, other) = (Self.open(options), Self.open(options))
            #expect(one.keep([1, 2, 3]) == nil && other.keep([4, 5, 6]) == nil)
            #expect(Self.open(options).answers == [[1, 2, 3], [4, 5, 6]])
        }
    }

    @Test func `forgets the oldest first, and never takes more than its bound`() {
        Self.withFolder { options in
            var options = options
            options.tokenLimit = 100
            let store = Self.open(options)
            for number in Int32(0)..<40 { #expect(store.keep([number, 1, 2, 3, 4, 5, 6, 7]) == nil) }
            #expect(store.answers.map { $0[0] } == Array(28..<40))
            #expect(Self.open(options).answers == store.answers)
            #expect(store.keep([Int32](repeating: 9, count: 101)) == nil)
            #expect(Self.open(options).answers.isEmpty)
        }
    }

    @Test func `is for the user's eyes alone, and goes when asked`() throws {
        try Self.withFolder { options in
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            func mode(_ path: String) throws -> Int {
                try #require(
                    FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
            }
            let modes = try [Self.file(options), options.folder.path].map(mode)
            #expect(modes == [0o600, 0o700])
            #expect(options.deleteAll().deleted == 1)
            #expect(Self.open(options).answers.isEmpty)
        }
    }

    @Test func `a file with any byte changed, cut or added counts as none, and is written anew`() throws {
        try Self.withFolder { options in
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            let url = URL(filePath: Self.file(options))
            let whole = try Data(contentsOf: url)
            var broken = whole.indices.map { index in
                var data = whole
                data[index] ^= 0x20
                return data
            }
            broken += [Data(), whole.prefix(40), whole.dropLast(), whole + [0], Data(count: 500)]
            for data in broken {
                try data.write(to: url)
                #expect(Self.open(options).answers.isEmpty)
            }
            let store = Self.open(options)
            #expect(store.keep([4, 5, 6]) == nil)
            #expect(Self.open(options).answers == [[4, 5, 6]])
        }
    }

    @Test func `neither a link nor a pipe in its place is followed, and a full disk is told once`() throws {
        try Self.withFolder { options in
            try FileManager.default.createDirectory(at: options.folder, withIntermediateDirectories: true)
            let other = options.folder.appending(path: "other").path
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            try FileManager.default.moveItem(atPath: Self.file(options), toPath: other)
            try FileManager.default.createSymbolicLink(atPath: Self.file(options), withDestinationPath: other)
            #expect(Self.open(options).answers.isEmpty)
            unlink(Self.file(options))
            #expect(mkfifo(Self.file(options), 0o600) == 0)
            #expect(Self.open(options).answers.isEmpty)
            let blocked = AnswerStoreOptions(folder: URL(filePath: other).appending(path: "below"))
            let store = Self.open(blocked)
            #expect(store.keep([1, 2, 3])?.contains("cannot make the folder") == true)
            #expect(store.keep([1, 2, 4]) == nil)
        }
    }
}
