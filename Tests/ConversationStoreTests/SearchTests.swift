// SearchTests.swift — what is found by its words, and what is not.

import Foundation
import GRDB
import Testing

@testable import ConversationStore

@Suite struct `Searching conversations` {
    private let folder: TestFolder
    private let store: ConversationStore

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.opened(in: folder)
    }

    private func titles(_ words: String) throws -> [String] {
        try store.search(words).map(\.conversation.title).sorted()
    }

    @Test func `finds beginnings of words, whatever their case and accents, in questions and answers`() throws {
        try store.save([("What colour is the café?", "It is Blue.")])
        try store.save([("How many dogs?", "Two dogs and a CAFETERIA.")])
        #expect(try titles("cafe") == ["How many dogs?", "What colour is the café?"])
        #expect(try titles("CAFÉ") == ["How many dogs?", "What colour is the café?"])
        #expect(try titles("blu colo") == ["What colour is the café?"])
        #expect(try titles("dogs blue").isEmpty)
        #expect(try titles("ogs").isEmpty)
    }

    @Test func `takes no sign for an operator`() throws {
        try store.save([("say \"hello\" (now) AND NOT later*", "x:y -z ^a")])
        for words in [
            "\"hello", "hello\"", "(now", "AND", "NOT later", "x:y", "-z", "^a", "later*", "hello) AND (now",
            "NEAR(hello now)",
        ] {
            let isThere = !words.contains("NEAR")
            #expect(try store.search(words).count == (isThere ? 1 : 0), "\(words)")
        }
        for words in ["", "  ", "\"\"", "***", "\u{0}"] { #expect(try store.search(words).isEmpty, "\(words)") }
        #expect(try store.list(matching: "hello").count == 1)
        #expect(try store.list(matching: "goodbye").isEmpty)
        #expect(try store.list(matching: " ").count == 1)
    }

    @Test func `names the turn and marks what was found`() throws {
        let id = try store.save([("one", "first"), ("two", "a small red ball\nlies here")])
        let hit = try #require(try store.search("red lies").first)
        #expect(hit.conversation.id == id && hit.turn == 1)
        #expect(hit.excerpt.filter(\.isMatch).map(\.text) == ["red", "lies"])
        #expect(hit.excerpt.map(\.text).joined() == "a small red ball lies here")
    }

    @Test func `follows what is written, changed and removed`() throws {
        let turn = try store.begin(Sample.conversation, with: Sample.question("kettle"))
        try store.update(turn, Sample.progress(rounds: 2))
        #expect(try store.search("kettle").isEmpty, "an answer is indexed when it has ended")
        try store.finish(turn, Sample.progress(rounds: 3), .complete)
        #expect(try store.search("kettle word2").count == 1)
        try store.update(turn, Sample.progress(rounds: 4))
        #expect(try store.search("kettle").isEmpty)
        try store.finish(turn, Sample.progress(rounds: 1), .stopped)
        #expect(try store.search("kettle").count == 1)
        #expect(try store.search("word2").isEmpty)
        try store.finish(turn, Sample.progress(rounds: 2), .complete)
        #expect(try store.search("word1").count == 1)
        try store.removeTurns(of: turn.conversation, from: 0)
        #expect(try store.search("kettle").isEmpty)
        #expect(try store.integrity() == "ok")
        // FTS5's own check compares the index with the texts.
        try store.write { db, _ in
            try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        }
    }

    @Test func `finds what a program that died had written`() throws {
        let turn = try store.begin(Sample.conversation, with: Sample.question("kettle"))
        try store.update(turn, Sample.progress(rounds: 2))
        let next = try ConversationStore.open(path: folder.store)
        #expect(try next.search("word1").count == 1)
        #expect(try next.conversation(turn.conversation).turns.first?.state == .broken)
        // It was not dead after all.
        try store.finish(turn, Sample.progress(rounds: 3), .complete)
        #expect(try next.search("word2").count == 1)
        #expect(try next.conversation(turn.conversation).turns.first?.state == .complete)
    }
}
