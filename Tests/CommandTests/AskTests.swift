// AskTests.swift — one question in a script: pictures, standard input, events, files; nothing that hangs or is left behind.

import Foundation
import Testing

@testable import specchat

/// A folder that is gone with the test.
final class TestFolder {
    let path = Program.temporary("folder")

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
        return path + "/" + name
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

@Suite(.serialized) struct `A question in a script` {
    private static let other = Program.root.path + "/Tests/EngineTests/Goldens/pictures/drawing-57x58.png"
    private let short = ["--max-tokens", "12"] + Program.model

    private func answer(_ arguments: [String], input: String? = "") throws -> [String: Any] {
        let result = try Program.run(["ask"] + arguments + short + ["--json"], input: input)
        #expect(result.status == 0, "\(result.errors)")
        return try result.json()
    }

    @Test func `about several pictures takes them in their order`() throws {
        func tokens(_ pictures: [String]) throws -> (rows: Int, tokens: [Int]) {
            let answer = try answer(["What is this?"] + pictures.flatMap { ["--image", $0] })
            return (try #require(answer["prompt_tokens"] as? Int), try #require(answer["tokens"] as? [Int]))
        }
        let (none, one) = (try tokens([]), try tokens([Program.picture]))
        let (two, turned) = (try tokens([Program.picture, Self.other]), try tokens([Self.other, Program.picture]))
        // The model looks at 16 patches of a picture.
        #expect(one.rows >= none.rows + 16 && two.rows >= one.rows + 16)
        #expect(two.rows == turned.rows && two.tokens != turned.tokens && two.tokens != one.tokens)
    }

    @Test func `in one letter is the same as in a word`() throws {
        let word = try Program.run(["ask", "What is this?", "--image", Program.picture] + short)
        for line in [["-p", "What is this?"], ["--prompt", "What is this?"], ["--prompt=What is this?"]] {
            let letter = try Program.run(["--image", Program.picture] + line + short)
            #expect(letter.output == word.output && letter.status == 0, "\(letter.errors)")
        }
        #expect(Specchat.spelledOut(["--image", "x", "--", "-p"]) == ["--image", "x", "--", "-p"])
        #expect(Specchat.spelledOut(["score", "--prompt", "x"]) == ["score", "--prompt", "x"])
        #expect(Specchat.spelledOut(["---completion", "ask", "-p"]) == ["---completion", "ask", "-p"])
        #expect(Specchat.spelledOut([]) == [])
    }

    @Test func `appends a file that the standard input is redirected from`() throws {
        let folder = try TestFolder()
        let notes = try folder.write("A red square.\n", to: "notes.txt")
        let model = short.map { "'\($0)'" }.joined(separator: " ")
        let program = "\"$SPECCHAT\" ask 'Is it so?' --json \(model)"
        let joined = try answer(["Is it so?\n\nA red square."])
        let plain = try answer(["Is it so?"])
        #expect(try Program.shell("\(program) < '\(notes)'").json()["tokens"] as? [Int] == joined["tokens"] as? [Int])
        let count = try Program.shell("\(program) < '\(notes)'").json()["prompt_tokens"] as? Int
        #expect(count == joined["prompt_tokens"] as? Int && count != plain["prompt_tokens"] as? Int)
        let asked = try answer(["Is it so?", "--stdin"], input: "A red square.\n")
        #expect(asked["prompt_tokens"] as? Int == count)
        for left in ["--no-stdin < '\(notes)'", "< /dev/null", "<&-", "--stdin < /dev/null"] {
            let result = try Program.shell("\(program) \(left)")
            #expect(try result.json()["prompt_tokens"] as? Int == plain["prompt_tokens"] as? Int, "\(left)")
            #expect(result.errors.isEmpty, "\(left): \(result.errors)")
        }
        // The loop's own lines are not for the program inside it.
        let list = try folder.write("one\ntwo\nthree\n", to: "list.txt")
        let loop = try Program.shell("while read -r word; do \(program) > /dev/null; echo \"$word\"; done < '\(list)'")
        #expect(loop.output == "one\ntwo\nthree\n")
    }

    @Test func `never waits for a pipe that nobody asked it to read`() throws {
        let open = try Program.run(["ask", "What is this?"] + short, input: nil, seconds: 20)
        #expect(open.status == 0 && open.errors.isEmpty, "\(open.errors)")
        let full = try Program.run(["ask", "What is this?"] + short, input: "lost")
        #expect(full.output == open.output)
        #expect(
            full.errors == "specchat: the standard input holds text that was not read. Add --stdin to append it to the "
                + "question, or --no-stdin.\n")
        #expect(try Program.run(["ask", "What is this?", "--no-stdin"] + short, input: "lost").errors.isEmpty)
    }

    @Test func `refuses more text than any context holds`() throws {
        let long = try Program.shell("yes | \"$SPECCHAT\" ask - \(short.map { "'\($0)'" }.joined(separator: " "))")
        #expect(long.status == 2)
        #expect(long.errors.contains("longer than the 1 MiB that can be read"))
    }

    @Test func `tells what happens as it happens`() throws {
        let result = try Program.run(
            ["ask", "What is this?", "--image", Program.picture, "--jsonl", "--nodes", "4"] + short + Program.draft)
        #expect(result.status == 0 && !result.hasControlCharacters, "\(result.errors)")
        let events = try result.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let kinds = events.compactMap { $0["event"] as? String }
        #expect(kinds.count == events.count && kinds.last == "done" && kinds.filter { $0 == "done" }.count == 1)
        var (text, tokens): (String, [Int]) = ("", [])
        for (index, event) in events.enumerated().filter({ $0.1["event"] as? String == "draft" }) {
            let nodes = try #require(event["nodes"] as? [[String: Any]])
            #expect(kinds[index + 1] == "verify" && kinds[index + 2] == "accept")
            #expect(events[index + 1]["nodes"] as? Int == nodes.count && nodes.count <= 4)
            #expect(
                Set(nodes[0].keys) == [
                    "token", "text", "bytes", "control", "parent", "depth", "probability", "score",
                    "source",
                ])
            #expect(nodes[0]["parent"] is NSNull && nodes.dropFirst().allSatisfy { $0["parent"] is Int })
            let path = try #require(events[index + 2]["path"] as? [Int])
            let bonus = try #require(events[index + 2]["bonus"] as? [String: Any])
            let round = path.compactMap { nodes[$0]["token"] as? Int } + [try #require(bonus["token"] as? Int)]
            #expect(events[index + 2]["tokens"] as? [Int] == round)
            #expect([0, 1, 2].allSatisfy { events[index + $0]["round"] as? Int == event["round"] as? Int })
            #expect([0, 1, 2].allSatisfy { events[index + $0]["milliseconds"] is Double })
            tokens += round
        }
        for event in events where event["event"] as? String == "text" { text += event["text"] as? String ?? "" }
        let done = try #require(events.last)
        #expect(done["tokens"] as? [Int] == tokens && done["finish"] as? String == "limit")
        // The report may close a character that the limit has cut.
        #expect((done["text"] as? String ?? "").hasPrefix(text) && !text.isEmpty)
        let plain = try Program.run(["ask", "What is this?", "--image", Program.picture, "--json"] + short).json()
        #expect(done["tokens"] as? [Int] == plain["tokens"] as? [Int])
        #expect(Set(done.keys) == Set(plain.keys).union(["event", "finish"]))
    }

    // MARK: Files

    @Test func `puts the same bytes into a file as into a pipe`() throws {
        let folder = try TestFolder()
        for format in [[], ["--json"]] {
            let ask = ["ask", "What is this?"] + short + format
            let path = folder.path + "/answer\(format.count)"
            let written = try Program.run(ask + ["--output", path])
            #expect(written.status == 0 && written.output.isEmpty && written.errors.isEmpty, "\(written.errors)")
            if format.isEmpty {
                let printed = try Program.run(ask)
                #expect(try folder.read("answer0") == printed.output)
            } else {
                #expect(try folder.read("answer1").hasSuffix("}\n"))
            }
        }
        #expect(try folder.names == ["answer0", "answer1"])
    }

    @Test func `replaces a file by force alone, with its rights and through links`() throws {
        let folder = try TestFolder()
        let file = try folder.write("precious", to: "file")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "file")
        let ask = ["ask", "What is this?"] + short + ["--output", folder.path + "/link"]
        let refused = try Program.run(ask)
        #expect(refused.status == 1)
        #expect(
            refused.errors == "specchat: \(folder.path)/link is already there. Name another place, or add --force to "
                + "replace it.\n")
        #expect(try folder.read("file") == "precious")
        #expect(try Program.run(ask + ["--force"]).status == 0)
        #expect(try folder.read("file") != "precious")
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o640)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/link") == "file")
        #expect(try folder.names == ["file", "link"])
    }

    @Test(arguments: ["/dev/null", "/no/such/folder/answer", "/tmp"])
    func `refuses a place for no file before it decodes`(place: String) throws {
        let result = try Program.run(
            ["ask", "x", "--force", "--output", place] + short + ["--model", "/no/such/model"])
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains(place))
    }

    @Test func `leaves nothing behind when it is interrupted or fails`() throws {
        let folder = try TestFolder()
        let endless = ["--repetition-penalty", "0.01", "--max-tokens", "100000", "--context", "120000"]
        let trace = Program.temporary("trace")
        defer { try? FileManager.default.removeItem(atPath: trace) }
        let ask =
            ["ask", "What is this?", "--output", folder.path + "/answer", "--trace", trace] + Program.model + endless
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = ask
        process.environment = Program.environment
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Rounds in the trace say that the answer has begun.
        let deadline = Date(timeIntervalSinceNow: 30)
        while size(of: trace) < 4096 && Date() < deadline { usleep(10_000) }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(try folder.names.isEmpty)
        let failed = try Program.run(
            ["ask", "What is this?", "--output", folder.path + "/answer", "--context", "3"] + Program.model)
        #expect(failed.status == 1)
        #expect(try folder.names.isEmpty)
    }

    private func size(of path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    @Test func `writes files that no one else's file gives way to`() throws {
        let folder = try TestFolder()
        let file = try AtomicFile(path: folder.path + "/file", replacing: false)
        _ = try folder.write("came later", to: "file")
        #expect(throws: CommandFailure.self) { try file.write("mine") }
        #expect(try folder.read("file") == "came later")
        #expect(try folder.names == ["file"])
    }
}
