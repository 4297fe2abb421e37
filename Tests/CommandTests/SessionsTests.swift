// SessionsTests.swift — `specchat sessions` from outside: lists, searches, exports, deletions, and what goes wrong.

import ConversationStore
import Engine
import Foundation
import Testing

@Suite(.serialized) struct `Saved conversations on the command line` {
    private let home = Program.temporary("home")
    private let ids: [String]

    /// Two conversations: one with a hostile title, one with a picture and a round.
    init() throws {
        let store = try ConversationStore.open(path: home + "/specchat/conversations.sqlite")
        let file = ModelIdentity.File(path: "/m.gguf", byteCount: 1, digest: SHA256Digest(of: [1]))
        let model = ModelIdentity(name: "demo", target: file, vision: nil)
        var settings = ConversationSettings()
        settings.sampler.seed = 5
        let new = NewConversation(model: model, settings: settings)
        let image = try PixelImage.read(Program.picture)
        let picture = try PictureRecord(path: Program.picture, image: image, keepingBytes: false)
        let piece = TokenPiece(bytes: [97], isControl: false)
        let round = SpeculationRound(
            index: 0, position: 0, tree: DraftTree(root: 1), accepted: [], bonus: 3, pieces: [piece, piece],
            draftPasses: 0, budget: BudgetChoice(nodes: 1, expectedTokens: 1, reason: "plain"),
            seconds: .init(draft: 0, verify: 0.5, choose: 0))
        var progress = TurnProgress()
        progress.add(round, text: "A red ball `x`.")
        ids = try ["\u{1B}[31mEvil\u{7} 日本語\u{202E}", "What is this?"].map { question in
            let turn = try store.begin(
                new,
                with: NewTurn(
                    question: question, pictures: question.hasPrefix("What") ? [picture] : [], settings: settings))
            try store.finish(turn, progress, .complete)
            return turn.conversation.description
        }
    }

    private func sessions(_ arguments: String) throws -> ProgramResult {
        try Program.shell("XDG_DATA_HOME='\(home)' \"$SPECCHAT\" sessions \(arguments) </dev/null")
    }

    private func clean() { try? FileManager.default.removeItem(atPath: home) }

    @Test func `are listed, the last one first, in columns that keep their place`() throws {
        defer { clean() }
        let result = try sessions("list")
        #expect(result.status == 0 && result.errors.isEmpty && !result.hasControlCharacters, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("ID      UPDATED           TURNS  PICTURES  MODEL  TITLE"))
        #expect(lines[1].hasPrefix(ids[1]) && lines[1].hasSuffix("    1         1  demo   What is this?"))
        #expect(lines[2].hasPrefix(ids[0]) && lines[2].hasSuffix("    1         0  demo   ^[[31mEvil^G 日本語\\u202e"))
        #expect(try sessions("list --limit 1").output.split(separator: "\n").count == 2)
        let json = try sessions("list --json")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        #expect(list.map { $0["id"] as? String } == [ids[1], ids[0]])
        #expect(list[0]["pictures"] as? Int == 1 && list[0]["model"] as? String == "demo" && !json.hasControlCharacters)
    }

    @Test func `are shown in full, and as JSON`() throws {
        defer { clean() }
        let result = try sessions("show \(ids[1])")
        #expect(result.status == 0)
        for part in [
            "\(ids[1])  What is this?", "seed 5", "[1] question\npicture \(Program.picture), ", "A red ball `x`.",
            "[1] answer, 1 token, 1.00 a round, 2.0 tokens/s, ended by the model",
        ] { #expect(result.output.contains(part), "\(part)") }
        let evil = try sessions("show \(ids[0])")
        #expect(evil.status == 0 && !evil.hasControlCharacters)
        let json = try sessions("show \(ids[0]) --json")
        #expect(try json.json()["id"] as? String == ids[0])
        #expect(!json.hasControlCharacters && json.output.split(separator: "\n").count == 1)
    }

    @Test func `are found by their words`() throws {
        defer { clean() }
        let result = try sessions("search BALL thi")
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("\(ids[1])  turn 1  ") && result.output.contains("*"))
        #expect(result.output.split(separator: "\n").count == 1)
        let json = try sessions("search red --json --limit 1")
        let hits = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        #expect(hits.count == 1 && hits[0]["turn"] as? Int == 0)
        let nothing = try sessions("search '\"unheard of'")
        #expect(nothing.status == 0 && nothing.output.isEmpty && nothing.errors == "specchat: nothing was found.\n")
    }

    @Test func `are exported, and never over an earlier file unasked`() throws {
        defer { clean() }
        let markdown = try sessions("export \(ids[1])")
        #expect(markdown.status == 0 && markdown.output.hasPrefix("# What is this?\n"))
        let json = try sessions("export \(ids[0]) --format json")
        #expect(!json.hasControlCharacters)
        #expect(((try json.json()["turns"] as? [[String: Any]])?.first?["rounds"] as? [Any])?.count == 1)

        let file = home + "/trace.jsonl"
        let export = "export \(ids[1]) --format trace --output '\(file)'"
        #expect(try sessions(export).status == 0)
        #expect(try Program.run(["replay", file]).status == 0)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
        let refused = try sessions(export)
        #expect(refused.status == 1)
        #expect(
            refused.errors == "specchat: \(file) is already there. Name another place, or add --force to replace it.\n")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
        #expect(try sessions(export + " --force").status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("{"))
    }

    @Test func `are deleted when that is certain`() throws {
        defer { clean() }
        let refused = try sessions("delete \(ids[0])")
        #expect(refused.status == 2)
        #expect(refused.errors == "specchat: nobody can be asked here, so nothing was deleted. Add --yes to delete.\n")
        // One that is not there keeps the others.
        #expect(try sessions("delete \(ids[0]) zzzzzz --yes").status == 1)
        #expect(try sessions("list").output.split(separator: "\n").count == 3)
        let deleted = try sessions("delete \(ids[0]) \(ids[1].uppercased()) --yes")
        #expect(
            deleted.status == 0 && deleted.output.split(separator: "\n").count == 2 && !deleted.hasControlCharacters)
        let nothing = try sessions("list")
        #expect(nothing.status == 0 && nothing.output.isEmpty)
        #expect(nothing.errors == "specchat: no conversation has been saved yet.\n")
    }

    @Test(arguments: [
        ("show zzzzzz", 1, "there is no saved conversation 'zzzzzz'. `specchat sessions list` shows what there is."),
        ("export '*'", 1, "there is no saved conversation '*'. `specchat sessions list` shows what there is."),
        ("list --limit 0", 2, "--limit must be 1 or more."),
        ("export x --force", 2, "--force belongs to --output FILE."),
        ("search", 2, "Missing expected argument"), ("delete", 2, "Missing expected argument"),
    ])
    func `say what is wrong in one sentence`(arguments: String, status: Int32, words: String) throws {
        defer { clean() }
        let result = try sessions(arguments)
        #expect(result.status == status && result.output.isEmpty)
        #expect(result.errors.hasPrefix("specchat: ") && result.errors.contains(words), "\(result.errors)")
    }

    @Test func `leave no file behind where nothing was ever saved`() throws {
        defer { clean() }
        let empty = Program.temporary("empty")
        for command in ["list", "list --json", "search x", "show abc", "delete abc --yes"] {
            let result = try Program.shell("XDG_DATA_HOME='\(empty)' \"$SPECCHAT\" sessions \(command) </dev/null")
            #expect(result.status == (command.contains("abc") ? 1 : 0), "\(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: empty))
        let noHome = try Program.shell("env -u HOME -u XDG_DATA_HOME \"$SPECCHAT\" sessions list")
        #expect(noHome.status == 1 && noHome.errors.hasPrefix("specchat: there is no folder to save conversations in"))
    }

    @Test func `say what is wrong with a store that cannot be read`() throws {
        defer { clean() }
        let store = home + "/specchat/conversations.sqlite"
        try Data(repeating: 65, count: 9000).write(to: URL(fileURLWithPath: store))
        for file in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + file) }
        let result = try sessions("list")
        #expect(result.status == 1)
        #expect(
            result.errors
                == "specchat: \(store) is not a file of saved conversations. Move it away, and a new one is made.\n")
    }
}
