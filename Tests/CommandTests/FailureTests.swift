// FailureTests.swift — when things go wrong: one sentence, the right status, nothing half done.

import Foundation
import Testing

@Suite(.serialized) struct `Failing commands` {
    private let ask = ["ask", "What is this?", "--image", Program.picture, "--max-tokens", "8"] + Program.model

    private static let mistakes: [(arguments: [String], status: Int32)] = [
        (["ask"], 2),
        (["ask", "x", "--temperature", "-1"], 2),
        (["ask", "x", "--speculation", "fast"], 2),
        (["ask", ""], 2),
        (["nonsense"], 2),
        (["score", "--text", "x"], 2),
        (["ask", "x", "--model", "/no/such/model.gguf"], 4),
        (["ask", "x", "--model", "/etc/hostname"], 4),
        (["ask", "x", "--draft-projector", "/etc/hostname", "--draft", "none"], 4),
        (["inspect", "/no/such/model.gguf"], 4),
        (["inspect", "/dev/null"], 4),
        (["inspect", "hf:no/such"], 4),
        (["inspect", "README.md", "--tokenize", "x"], 4),
        (["ask", "x", "--image", "/no/such/picture.png"], 5),
        (["ask", "x", "--image", "/etc/hostname"], 5),
        (["replay", "/no/such/trace"], 1),
        (["replay", "/etc/hostname"], 1),
        (["bench", "--prompts", "/no/such/file"] + Program.model, 1),
    ]

    @Test(arguments: mistakes)
    func `say one sentence and end with the status of their kind`(arguments: [String], status: Int32) throws {
        let result = try Program.run(arguments)
        #expect(result.status == status, "\(result.errors)")
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("specchat: "))
        #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
    }

    @Test func `name the drafts that there are`() throws {
        let result = try Program.run(ask + ["--draft", "smal"])
        #expect(result.status == 4)
        #expect(result.errors.contains("There is no draft 'smal'"))
    }

    @Test func `go on without a draft of another vocabulary, visibly`() throws {
        let stranger = Program.root.path + "/Tests/EngineTests/Goldens/llama-vocab/ggml-vocab-llama-spm.gguf"
        let plain = try Program.run(ask + ["--speculation", "off"])
        let result = try Program.run(ask + ["--draft", stranger])
        #expect(result.status == 0)
        #expect(result.output == plain.output)
        #expect(result.errors.contains("specchat: "))
    }

    @Test func `find out that a trace cannot be written before they decode`() throws {
        let result = try Program.run(ask + ["--trace", "/no/such/folder/trace"])
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("/no/such/folder/trace"))
    }

    @Test func `leave an earlier trace alone when the picture is missing`() throws {
        let trace = Program.temporary("trace")
        try Data("precious".utf8).write(to: URL(fileURLWithPath: trace))
        defer { try? FileManager.default.removeItem(atPath: trace) }
        _ = try Program.run(["ask", "x", "--image", "/no/such/picture.png", "--trace", trace] + Program.model)
        #expect(try String(contentsOfFile: trace, encoding: .utf8) == "precious")
    }

    @Test func `write a trace of a header and all rounds`() throws {
        let trace = Program.temporary("trace")
        defer { try? FileManager.default.removeItem(atPath: trace) }
        let result = try Program.run(ask + Program.draft + ["--trace", trace, "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
        #expect(objects.first?["question"] as? String == "What is this?")
        #expect(objects.first?["image"] as? String == Program.picture)
        #expect(objects.count - 1 == (try result.json()["rounds"] as? Int))
        #expect(objects.dropFirst().allSatisfy { $0["tree"] != nil })
        let replay = try Program.run(["replay", trace])
        #expect(replay.status == 0, "\(replay.errors)")
        #expect(!replay.hasControlCharacters && !replay.output.isEmpty)
    }

    @Test func `write the trace of a chat with a header for each answer`() throws {
        let trace = Program.temporary("trace")
        defer { try? FileManager.default.removeItem(atPath: trace) }
        let arguments =
            ["--image", Program.picture, "--max-tokens", "8", "--trace", trace] + Program.model + Program.draft
        let chat = try Program.run(arguments, input: "What is this?\n/spec off\nAnd that?\n")
        #expect(chat.status == 0, "\(chat.errors)")
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
        let headers = objects.filter { $0["question"] != nil }
        #expect(headers.map { $0["question"] as? String } == ["What is this?", "And that?"])
        #expect(headers.map { $0["speculation"] as? String } == ["dynamic", "off"])
        #expect(headers.allSatisfy { $0["image"] as? String == "picture.png" })
        #expect(objects.count > headers.count && objects[0]["question"] != nil)
        #expect(try Program.run(["replay", trace]).status == 0)
        #expect(try Program.run(arguments + ["--trace", "/no/such/folder/trace"]).status == 1)
    }

    private var line: String { (["\"$SPECCHAT\""] + ask.map { "'\($0)'" }).joined(separator: " ") }

    @Test(arguments: ["> /dev/full", ">&-"])
    func `say so when the answer cannot be written`(redirection: String) throws {
        for json in ["", " --json"] {
            let result = try Program.shell(line + json + " " + redirection)
            #expect(result.status == 1)
            #expect(result.errors.hasPrefix("specchat: cannot write to the standard output: "))
            #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
        }
    }

    @Test(arguments: ["> /dev/full", ">&-"])
    func `say so when a chat without a screen cannot write its answers`(redirection: String) throws {
        let model = Program.model.map { "'\($0)'" }.joined(separator: " ")
        let result = try Program.shell("echo 'What is this?' | \"$SPECCHAT\" \(model) --max-tokens 8 \(redirection)")
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("specchat: cannot write to the standard output: "))
        #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
    }

    @Test func `say so when a replay cannot be written`() throws {
        let trace = Program.temporary("trace")
        defer { try? FileManager.default.removeItem(atPath: trace) }
        _ = try Program.run(ask + ["--trace", trace])
        let result = try Program.shell("\"$SPECCHAT\" replay '\(trace)' > /dev/full")
        #expect(result.status == 1)
        #expect(result.errors == "specchat: cannot write to the standard output: No space left on device.\n")
    }

    @Test func `never write an answer for a closed output into the trace`() throws {
        let trace = Program.temporary("trace")
        defer { try? FileManager.default.removeItem(atPath: trace) }
        _ = try Program.shell(line + " --trace '\(trace)' >&- 2>&-")
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }

    @Test func `end quietly when the reader has gone`() throws {
        let result = try Program.shell(line + " | true")
        #expect(result.errors.isEmpty)
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func `keep what was answered when a signal stops them`(signal: Int32, status: Int32) throws {
        // A penalty below one rewards repetition: the answer never ends by itself.
        let endless = ["--repetition-penalty", "0.01", "--max-tokens", "100000", "--context", "120000"]
        let long = ["ask", "What is this?", "--speculation", "off"] + endless
        let result = try Program.run(long + Program.model, interrupt: signal, seconds: 30)
        #expect(result.status == status)
        #expect(result.output.count > 1 && result.output.hasSuffix("\n"))
        #expect(result.errors.isEmpty)
    }
}
