// ExportTests.swift — conversations that leave the store: as text for readers, as JSON, as a trace.

import Engine
import Foundation
import GRDB
import Testing

@testable import ConversationStore

@Suite struct `Exports of a conversation` {
    private let folder: TestFolder
    private let store: ConversationStore

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.opened(in: folder)
    }

    private func export(_ turns: [(question: String, answer: String)], as format: ExportFormat) throws -> String {
        try store.export(try store.save(turns)).text(as: format)
    }

    @Test func `are readable as Markdown`() throws {
        let picture = try Sample.picture(in: folder, name: "a `b` photo.png", width: 30, height: 20)
        let turn = try store.begin(
            Sample.conversation, with: Sample.question("What is *this*?\n1. And that?", pictures: [picture]))
        var progress = Sample.progress(rounds: 2)
        progress.answer = "A **red** ball:\n\n- round\n- small"
        try store.finish(turn, progress, .limit)
        let text = try store.export(turn.conversation).text(as: .markdown)
        #expect(
            text == """
                # What is \\*this\\*?

                - Conversation `\(turn.conversation)`, begun 2023-11-14 22:13:21 UTC
                - Model: test model, draft small, speculation chain
                - Seed 18446744073709551615, temperature 0.7

                ## 1. Question

                - Picture: ``\(folder.path)/a `b` photo.png``, 30 x 20, \(picture.byteCount) bytes, SHA-256 `\(picture.digest)`

                > What is \\*this\\*?\\
                > 1\\. And that?

                ### Answer

                > A **red** ball:
                >
                > - round
                > - small

                *4 tokens in 2 rounds; cut by the token limit*

                """)
    }

    @Test func `name the system prompt, on one line and harmless`() throws {
        var settings = Sample.settings
        settings.system = "Be *brief*.\nAlways."
        let new = NewConversation(model: Sample.model, settings: settings)
        let turn = try store.begin(new, with: NewTurn(question: "?", settings: settings))
        #expect(try store.conversation(turn.conversation).settings.system == settings.system)
        let export = try store.export(turn.conversation)
        #expect(try export.text(as: .markdown).contains("\n- System prompt: Be \\*brief\\*. Always.\n"))
        #expect(try export.text(as: .json).contains(#""system" : "Be *brief*.\nAlways.""#))
        let without = try self.export([("?", "!")], as: .markdown)
        #expect(!without.contains("System prompt"))
    }

    /// Texts that would open something and never close it, or end the quote that they stand in.
    @Test(arguments: [
        "```\nunclosed", "~~~~ swift\n> ```", "<!-- hidden", "<script>alert(1)</script>", "# heading\n\n## Question",
        "`unclosed", "| a | b |\n| - | - |", "[x]: /url", "text\n\n\n\n    code", "---\ntitle: x\n---", "\r\n# x",
        "\u{2028}# x",
    ])
    func `keep the structure of their Markdown whatever is said`(text: String) throws {
        let markdown = try export([(text, text), ("next", "last")], as: .markdown)
        // Structure is what stands outside of quotes: the same lines for every text.
        let outside = markdown.split(separator: "\n").filter { !$0.hasPrefix(">") }
        #expect(outside.count == 10, "\(markdown)")
        #expect(
            outside.filter { $0.hasPrefix("#") }.dropFirst() == [
                "## 1. Question", "### Answer", "## 2. Question", "### Answer",
            ])
        #expect(outside[0].hasPrefix("# "))
        #expect(!markdown.replacing("\\<", with: "").contains("<"))
    }

    @Test func `leave code in answers as it is, and HTML outside of it as text`() {
        #expect(
            MarkdownExport.withoutHTML("a < b, `c < d`, ``e ` < f`` <g> `h < i")
                == "a &lt; b, `c < d`, ``e ` < f`` &lt;g> `h &lt; i")
        #expect(MarkdownExport.withoutHTML("```\n<a>\n``` x\n<b>\n```\n<c>") == "```\n<a>\n``` x\n<b>\n```\n&lt;c>")
        #expect(MarkdownExport.withoutHTML("![x](http://y)") == "\\![x](http://y)")
    }

    @Test func `hold nothing that a terminal would obey`() throws {
        let evil = "\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\u{7F}\u{0}\r\n\ttext"
        for format in [ExportFormat.markdown, .json] {
            let text = try export([(evil, evil)], as: format)
            let isClean = text.unicodeScalars.allSatisfy {
                ["\n", "\t"].contains($0)
                    || !((0..<0x20).contains($0.value) || (0x7F...0x9F).contains($0.value) || $0.value == 0x202E)
            }
            #expect(isClean, "\(format)")
        }
        let turn = try store.begin(Sample.conversation, with: Sample.question(evil))
        try store.finish(turn, Sample.progress(rounds: 1), .complete)
        let trace = try store.export(turn.conversation).text(as: .trace)
        #expect(trace.unicodeScalars.allSatisfy { $0 == "\n" || (0x20..<0x7F).contains($0.value) })
        #expect(try Trace.read(path: folder.write("trace", trace.utf8)).answers[0].header.question == evil)
    }

    @Test func `hold everything as JSON`() throws {
        let picture = try Sample.picture(in: folder, kept: true)
        let turn = try store.begin(Sample.conversation, with: Sample.question("What?", pictures: [picture]))
        try store.finish(turn, Sample.progress(rounds: 2), .stopped)
        let text = try store.export(turn.conversation).text(as: .json)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["specchat_conversation"] as? Int == 1)
        #expect(json["id"] as? String == turn.conversation.description)
        #expect(json["created"] as? String == "2023-11-14T22:13:21Z")
        let model = try #require(json["model"] as? [String: Any])
        #expect(
            model["name"] as? String == "test model" && (model["target"] as? [String: Any])?["byte_count"] as? Int == 12
        )
        let turns = try #require(json["turns"] as? [[String: Any]])
        #expect(turns[0]["tokens"] as? [Int] == [7, 0, 7, 1])
        #expect(turns[0]["state"] as? String == "stopped" && turns[0]["answer"] as? String == "word0 word1 ")
        #expect((turns[0]["rounds"] as? [[String: Any]])?.count == 2)
        #expect((turns[0]["statistics"] as? [String: Any])?["accepted"] as? Int == 2)
        let settings = try #require(turns[0]["settings"] as? [String: Any])
        #expect((settings["sampler"] as? [String: Any])?["seed"] as? UInt64 == .max)
        let pictures = try #require(turns[0]["pictures"] as? [[String: Any]])
        #expect(
            pictures[0]["sha256"] as? String == picture.digest.hexadecimal && pictures[0]["is_kept"] as? Bool == true)
    }

    @Test func `can be replayed as a trace`() throws {
        let picture = try Sample.picture(in: folder)
        let id = try store.begin(Sample.conversation)
        for (question, pictures) in [("one", [picture]), ("two", [])] {
            let turn = try store.beginTurn(Sample.question(question, pictures: pictures), in: id)
            try store.finish(turn, Sample.progress(rounds: 3), .complete)
        }
        let text = try store.export(id).text(as: .trace)
        let trace = try Trace.read(path: folder.write("trace.jsonl", text.utf8))
        #expect(trace.answers.map(\.header.question) == ["one", "two"])
        #expect(trace.answers.map(\.header.image) == ["picture.png", nil])
        #expect(trace.answers.allSatisfy { $0.header.sampler == Sample.settings.sampler && $0.header.draft == "small" })
        #expect(trace.answers.map(\.rounds) == Array(repeating: (0..<3).map(Sample.round), count: 2))
    }

    @Test func `say when there is nothing to replay`() throws {
        let id = try store.save([("a", "b")])
        #expect(throws: ExportError.noRounds(id)) { try store.export(id).text(as: .trace) }
        #expect(
            "\(ExportError.noRounds(id))"
                == "no rounds were saved with the conversation \(id), so there is nothing to replay. Export it as markdown or json."
        )
        #expect(
            "\(ExportError.cannotEncode(id, reason: "odd"))"
                == "the conversation \(id) cannot be written in this form: odd. Export it as markdown.")
    }
}

@Suite struct `Pictures to go on with` {
    private let folder: TestFolder
    private let store: ConversationStore

    init() throws {
        folder = try TestFolder()
        store = try ConversationStore.opened(in: folder)
    }

    private func save(kept: Bool) throws -> SavedConversation {
        let picture = try Sample.picture(in: folder, width: 40, height: 30, kept: kept)
        let turn = try store.begin(Sample.conversation, with: Sample.question("?", pictures: [picture]))
        try store.finish(turn, Sample.progress(rounds: 2), .complete)
        return try store.conversation(turn.conversation)
    }

    @Test func `come from their files while those are what they were`() throws {
        let past = try store.pastTurns(of: try save(kept: false))
        #expect(past == [PastTurn(images: [Sample.image(width: 40, height: 30)], question: "?", answer: [7, 0, 7, 1])])
    }

    @Test func `come from the store where they were kept`() throws {
        let saved = try save(kept: true)
        for change in [Data("changed".utf8), nil] {
            try? FileManager.default.removeItem(atPath: folder.path + "/picture.png")
            if let change { try change.write(to: URL(fileURLWithPath: folder.path + "/picture.png")) }
            #expect(try store.pastTurns(of: saved)[0].images == [Sample.image(width: 40, height: 30)])
        }
    }

    @Test func `are an error where nothing is left of them`() throws {
        let saved = try save(kept: false)
        let path = try folder.write("picture.png", Sample.image(width: 41, height: 30).png())
        #expect(throws: StoreError.pictureGone(path: path)) { try store.pastTurns(of: saved) }
        let picture = saved.turns[0].pictures[0]
        #expect(try store.thumbnailImage(of: picture) == Sample.image(width: 40, height: 30))
    }

    @Test func `are not believed when the store's copy has changed`() throws {
        let saved = try save(kept: true)
        try FileManager.default.removeItem(atPath: folder.path + "/picture.png")
        try store.write { db, _ in try db.execute(sql: "UPDATE image SET bytes = x'00'") }
        #expect { try store.pastTurns(of: saved) } throws: { "\($0)".contains("is not what it was") }
    }
}
