// ConversationStoreTests.swift — what is saved comes back, and only that.

import Engine
import Foundation
import Testing

@testable import ConversationStore

@Suite struct `Conversation store` {
    private let folder: TestFolder
    private let store: ConversationStore

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.opened(in: folder)
    }

    @Test func `gives back what it was given`() throws {
        let picture = try Sample.picture(in: folder)
        let turn = try store.begin(
            Sample.conversation, with: Sample.question("  \n What\tis this? \nAnd why?", pictures: [picture]))
        try store.finish(turn, Sample.progress(rounds: 3), .complete)

        let saved = try store.conversation(turn.conversation)
        #expect(saved.title == "What is this?")
        #expect(saved.model == Sample.model)
        #expect(saved.template == "plain")
        #expect(saved.settings == Sample.settings)
        #expect(saved.created < saved.updated)
        #expect(saved.turns.count == 1)
        let answered = try #require(saved.turns.first)
        #expect(answered.number == 0 && answered.question == "  \n What\tis this? \nAnd why?")
        #expect(answered.answer == "word0 word1 word2 ")
        #expect(answered.tokens == [7, 0, 7, 1, 7, 2])
        #expect(answered.state == .complete)
        #expect(answered.settings == Sample.settings)
        #expect(answered.statistics == Sample.progress(rounds: 3).statistics)
        #expect(answered.statistics.acceptanceLength == 2 && answered.statistics.seconds.decode == 3)
        let seen = try #require(answered.pictures.first)
        #expect(seen.path == folder.path + "/picture.png" && !seen.isKept)
        #expect(seen.digest == (try SHA256Digest(ofFile: seen.path)))
        #expect((seen.width, seen.height) == (300, 200))
        #expect(try store.rounds(of: turn.conversation) == [0: (0..<3).map(Sample.round)])
    }

    @Test func `keeps any text, byte for byte`() throws {
        let texts = [
            "\u{0}\u{1B}[2J\r\n\t", "e\u{301} \u{1F469}\u{200D}\u{1F467}", "'; DROP TABLE turn; --", "\u{202E}abc", "",
        ]
        let id = try store.save(texts.map { ($0, $0) })
        let saved = try store.conversation(id)
        for (turn, text) in zip(saved.turns, texts) {
            #expect(Array(turn.question.unicodeScalars) == Array(text.unicodeScalars))
            #expect(Array(turn.answer.unicodeScalars) == Array(text.unicodeScalars))
        }
    }

    @Test(arguments: TurnState.allCases)
    func `keeps how an answer ended, and calls one that did not end broken`(state: TurnState) throws {
        let id = try store.begin(Sample.conversation)
        let turn = try store.beginTurn(Sample.question("?"), in: id)
        if state == .streaming {
            try store.update(turn, Sample.progress(rounds: 2))
        } else {
            try store.finish(turn, Sample.progress(rounds: 2), state)
        }
        let read = try #require(try store.conversation(id).turns.first)
        #expect(read.state == (state == .streaming ? .broken : state))
        #expect(read.answer == "word0 word1 ")
    }

    @Test func `takes progress as it comes, and a round twice only once`() throws {
        let turn = try store.begin(Sample.conversation, with: Sample.question("?"))
        for rounds in 1...5 { try store.update(turn, Sample.progress(rounds: rounds, new: min(rounds, 2))) }
        try store.finish(turn, Sample.progress(rounds: 5, new: 0), .stopped)
        #expect(try store.rounds(of: turn.conversation)[0] == (0..<5).map(Sample.round))
        #expect(try store.conversation(turn.conversation).turns.map(\.answer) == ["word0 word1 word2 word3 word4 "])
    }

    @Test func `numbers turns anew after some were removed, and replaces them at once`() throws {
        let id = try store.save([("one", "1"), ("two", "2"), ("three", "3")])
        try store.removeTurns(of: id, from: 2)
        #expect(try store.conversation(id).turns.map(\.question) == ["one", "two"])
        let turn = try store.beginTurn(Sample.question("zwei"), in: id, replacingFrom: 1)
        #expect(turn.number == 1)
        #expect(try store.conversation(id).turns.map(\.question) == ["one", "zwei"])
        #expect(try store.conversation(id).turns.map(\.number) == [0, 1])
        // The first question gives the title, also when it is asked again in other words.
        _ = try store.beginTurn(Sample.question("eins"), in: id, replacingFrom: 0)
        #expect(try store.conversation(id).title == "eins")
    }

    @Test func `changes what the next answer is generated with`() throws {
        let id = try store.save([("one", "1")])
        var settings = Sample.settings
        settings.maximumTokens = 9
        try store.setSettings(settings, of: id)
        #expect(try store.conversation(id).settings == settings)
        #expect(try store.conversation(id).turns.first?.settings == Sample.settings)
    }

    @Test func `lists the conversation that was written last first`() throws {
        let ids = try ["a", "b", "c"].map { try store.save([($0, "")]) }
        #expect(try store.list().map(\.id) == ids.reversed())
        _ = try store.beginTurn(Sample.question("more"), in: ids[0])
        #expect(try store.list(limit: 2).map(\.title) == ["a", "c"])
        #expect(try store.latest() == ids[0])
        #expect(try store.list().map(\.turns) == [2, 1, 1])
        #expect(try store.list().allSatisfy { $0.model == "test model" && $0.pictures == 0 })
    }

    @Test func `deletes a conversation with all that belongs to it`() throws {
        let keep = try store.save([("keep", "this")])
        let turn = try store.begin(
            Sample.conversation, with: Sample.question("xylophone", pictures: [try Sample.picture(in: folder)]))
        try store.finish(turn, Sample.progress(rounds: 2), .complete)
        try store.delete([turn.conversation])
        #expect(try store.list().map(\.id) == [keep])
        #expect(try store.search("xylophone").isEmpty)
        #expect(throws: StoreError.unknownConversation(turn.conversation.description)) {
            try store.conversation(turn.conversation)
        }
        #expect(throws: StoreError.unknownConversation(turn.conversation.description)) {
            try store.delete([keep, turn.conversation])
        }
        // The failed deletion took nothing with it.
        #expect(try store.list().map(\.id) == [keep])
    }

    @Test func `leaves no word of what was deleted in its files`() throws {
        let turn = try store.begin(Sample.conversation, with: Sample.question("my xylophone secret"))
        try store.finish(turn, Sample.progress(rounds: 40), .complete)
        try store.save([("something else", "entirely")])
        try store.delete([turn.conversation])
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + file))
            #expect(bytes.range(of: Data("xylophone".utf8)) == nil, "\(file)")
            #expect(bytes.range(of: Data("word39".utf8)) == nil, "\(file)")
        }
    }

    @Test func `says so when a conversation was deleted while it was written`() throws {
        let turn = try store.begin(Sample.conversation, with: Sample.question("?"))
        try store.delete([turn.conversation])
        let gone = StoreError.conversationGone(turn.conversation)
        #expect(throws: gone) { try store.update(turn, Sample.progress(rounds: 1)) }
        #expect(throws: gone) { try store.finish(turn, Sample.progress(rounds: 1), .complete) }
        #expect(throws: gone) { try store.beginTurn(Sample.question("?"), in: turn.conversation) }
        #expect(throws: gone) { try store.setSettings(Sample.settings, of: turn.conversation) }
        #expect(throws: gone) { try store.removeTurns(of: turn.conversation, from: 0) }
        #expect(try store.list().isEmpty)
    }
}

@Suite struct `Pictures in the store` {
    private let folder: TestFolder
    private let store: ConversationStore

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.opened(in: folder)
    }

    @Test(arguments: [(300, 200, 256, 170), (20, 4000, 1, 256), (64, 48, 64, 48)])
    func `have a thumbnail of at most 256 pixels`(width: Int, height: Int, small: Int, low: Int) throws {
        let picture = try Sample.picture(in: folder, width: width, height: height)
        _ = try store.begin(Sample.conversation, with: Sample.question("?", pictures: [picture]))
        let thumbnail = try #require(try store.thumbnail(of: picture.digest))
        let image = try PixelImage.read(try folder.write("thumbnail.png", thumbnail))
        #expect((image.width, image.height) == (small, low))
        #expect(try store.bytes(of: picture.digest) == nil)
    }

    @Test func `keep their files where that was asked for, once for all turns`() throws {
        let picture = try Sample.picture(in: folder, kept: true)
        let again = try Sample.picture(in: folder, name: "copy.png")
        #expect(picture.digest == again.digest)
        let id = try store.begin(Sample.conversation)
        _ = try store.beginTurn(Sample.question("one", pictures: [picture, again]), in: id)
        _ = try store.beginTurn(Sample.question("two", pictures: [again]), in: id)
        let turns = try store.conversation(id).turns
        #expect(
            turns.map { $0.pictures.map { ($0.path as NSString).lastPathComponent } } == [
                ["picture.png", "copy.png"], ["copy.png"],
            ])
        #expect(turns.allSatisfy { $0.pictures.allSatisfy(\.isKept) })
        #expect(try store.bytes(of: picture.digest) == Data(contentsOf: URL(fileURLWithPath: picture.path)))
        #expect(try store.list().first?.pictures == 3)

        try store.removeTurns(of: id, from: 1)
        #expect(try store.bytes(of: picture.digest) != nil)
        try store.delete([id])
        #expect(try store.bytes(of: picture.digest) == nil)
        #expect(try store.thumbnail(of: picture.digest) == nil)
    }

    @Test func `whose file is gone are an error that names it`() throws {
        let image = Sample.image(width: 4, height: 4)
        #expect(throws: StoreError.unreadable(path: "/no/such.png", reason: "No such file or directory")) {
            try PictureRecord(path: "/no/such.png", image: image, keepingBytes: false)
        }
    }
}

@Suite struct `Conversation ids` {
    @Test func `are six signs that cannot be mistaken for each other`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let id = ConversationID(using: &generator).description
            #expect(
                id.count == 6 && id.allSatisfy { $0.isLetter || $0.isNumber } && !id.contains { "ilou".contains($0) })
            #expect(ConversationID.prefix(typed: id.uppercased()) == id)
        }
    }

    @Test func `are found by any beginning that no other has`() throws {
        let folder = try TestFolder()
        let store = try ConversationStore.opened(in: folder)
        let ids = try (0..<40).map { try store.save([("\($0)", "")]).description }
        for id in ids {
            for length in 1...6 {
                let prefix = String(id.prefix(length))
                let matches = ids.filter { $0.hasPrefix(prefix) }
                if matches.count == 1 {
                    #expect(try store.id(prefix.uppercased()).description == id)
                } else {
                    #expect { try store.id(prefix) } throws: { error in
                        guard case StoreError.ambiguous(prefix, let found) = error else { return false }
                        return Set(found.map(\.description)) == Set(matches)
                    }
                }
            }
        }
        for typed in ["", "*", "[a-z]*", "abcdefg", "é", "%", "a b"] {
            #expect(throws: StoreError.unknownConversation(typed)) { try store.id(typed) }
        }
    }

    @Test func `forgive letters that look like digits`() {
        #expect(ConversationID.prefix(typed: "oIL") == "011")
        #expect(ConversationID.prefix(typed: "u") == nil)
    }
}
