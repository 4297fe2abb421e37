// BatchTests.swift — a file of questions: judged first, answered in order, gone on with after whatever happens.

import Engine
import Foundation
import Testing

@testable import specchat

@Suite(.serialized) struct `A batch` {
    private let folder: TestFolder
    private let questions: String
    private let batch: [String]

    init() throws {
        folder = try TestFolder()
        try FileManager.default.copyItem(atPath: Program.picture, toPath: folder.path + "/picture.png")
        questions = try folder.write(
            """
            {"id": "first", "question": "What is this?", "image": "picture.png"}
            {"id": 2, "question": "And what is that?", "images": ["\(Program.picture)"], "max_tokens": 5}

            {"question": "What is this?", "image": "picture.png", "temperature": 0.9, "seed": 4}
            {"question": "Nothing to see?", "top_k": 3, "id": null}

            """, to: "questions.jsonl")
        batch = ["ask", "--batch", questions, "--max-tokens", "9"] + Program.model
    }

    private var out: [String] { ["--out", folder.path + "/answers.jsonl"] }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    /// Lines without the times, which differ from run to run.
    private static let steered: Set = [
        "seconds", "tokens_per_second", "rounds", "drafted", "accepted", "acceptance_length", "lookup",
        "draft_rested_rounds",
    ]

    private func lasting(_ text: String) throws -> [String] {
        try objects(text).map { object in
            let kept = object.filter { !Self.steered.contains($0.key) }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: kept, options: .sortedKeys), as: UTF8.self)
        }
    }

    @Test func `answers every question as if it were asked alone`() throws {
        let result = try Program.run(batch)
        #expect(result.status == 0 && result.errors.isEmpty && !result.hasControlCharacters, "\(result.errors)")
        let lines = try objects(result.output)
        #expect(lines.map { $0["index"] as? Int } == [0, 1, 2, 3])
        #expect(lines[0]["id"] as? String == "first" && lines[1]["id"] as? Int == 2 && lines[2]["id"] is NSNull)
        let alone = [
            ["What is this?", "--image", Program.picture], ["And what is that?", "--image", Program.picture],
            ["What is this?", "--image", Program.picture, "--temperature", "0.9", "--seed", "4"],
            ["Nothing to see?", "--top-k", "3"],
        ]
        for (line, question) in zip(lines, alone) {
            let most = (line["index"] as? Int) == 1 ? "5" : "9"
            let one = try Program.run(["ask", "--json", "--max-tokens", most] + question + Program.model).json()
            #expect(line["tokens"] as? [Int] == one["tokens"] as? [Int])
            #expect(line["text"] as? String == one["text"] as? String)
            #expect(line["prompt_tokens"] as? Int == one["prompt_tokens"] as? Int)
            #expect(Set(line.keys) == Set(one.keys).union(["index", "id", "fingerprint", "finish"]))
        }
    }

    @Test func `looks once at a picture that comes several times in a row`() throws {
        let again = try folder.write(
            (0..<3).map { #"{"question": "What is this, \#($0)?", "image": "picture.png"}"# + "\n" }.joined(), to: "q")
        let lines = try objects(try Program.run(["ask", "--batch", again, "--max-tokens", "3"] + Program.model).output)
        let looking = lines.map { ($0["seconds"] as? [String: Double])?["vision"] ?? -1 }
        #expect(looking.count == 3 && looking[0] > 0 && looking[1] == 0 && looking[2] == 0)
    }

    @Test func `goes on after the last whole line`() throws {
        let whole = try lasting(try Program.run(batch).output)
        #expect(try Program.run(batch + out).status == 0)
        let written = try folder.read("answers.jsonl")
        #expect(try lasting(written) == whole)
        // Cut at every kind of place: nothing, inside the first line, between lines, inside the last one.
        let ends = written.indices.filter { written[$0] == "\n" }.map {
            written.utf8.distance(from: written.startIndex, to: $0) + 1
        }
        for cut in [0, 1, 30, ends[0], ends[0] + 1, ends[1] + 200, ends[3] - 1, ends[3]] {
            _ = try folder.write(String(decoding: Array(written.utf8.prefix(cut)), as: UTF8.self), to: "answers.jsonl")
            let result = try Program.run(batch + out)
            #expect(result.status == 0, "\(cut): \(result.errors)")
            let kept = ends.filter { $0 <= cut }.count
            #expect(result.errors == (kept == 0 ? "" : "specchat: \(kept) of 4 questions are answered already.\n"))
            let again = try folder.read("answers.jsonl")
            #expect(
                again.hasPrefix(String(decoding: written.utf8.prefix(kept == 0 ? 0 : ends[kept - 1]), as: UTF8.self)))
            #expect(try lasting(again) == whole, "cut at \(cut)")
        }
    }

    @Test func `touches no file of other answers`() throws {
        #expect(try Program.run(batch + out).status == 0)
        let written = try folder.read("answers.jsonl")
        let others = [
            (written, ["--seed", "9"]), ("{\"index\": 0}\n", []), ("my diary", []), ("my diary\n", []),
            (written + written, []),
            (written + "more", []),
        ]
        for (text, flags) in others {
            _ = try folder.write(text, to: "answers.jsonl")
            let result = try Program.run(batch + out + flags)
            #expect(result.status == 2, "\(text.prefix(20)): \(result.errors)")
            #expect(result.errors.contains("--force"))
            #expect(try folder.read("answers.jsonl") == text)
        }
        #expect(try Program.run(batch + out + ["--force"]).status == 0)
        #expect(try lasting(try folder.read("answers.jsonl")) == lasting(written))
        // What cannot change an answer does not make it another one's.
        let threads = try Program.run(batch + out + ["--threads", "1", "--speculation", "chain"] + Program.draft)
        #expect(threads.status == 0 && threads.errors.contains("4 of 4"))
    }

    @Test func `stops at a whole line when it is interrupted, and goes on from there`() throws {
        let endless = try folder.write(
            #"{"question": "What is this?"}"# + "\n" + #"{"question": "Go on.", "max_tokens": 100000}"# + "\n", to: "e")
        let ask =
            ["ask", "--batch", endless, "--max-tokens", "3", "--repetition-penalty", "0.01", "--context", "120000"]
            + Program.model
        // Lines go to the standard output as they come: the signal is sent at the first.
        let result = try Program.run(ask, interrupt: SIGINT, seconds: 30)
        #expect(result.status == 130, "\(result.errors)")
        #expect(try objects(result.output).count == 1)
        #expect(result.output.hasSuffix("}\n"))
        #expect(result.errors == "specchat: stopped after 1 of 2 questions.\n")
    }

    @Test func `says of a question what is wrong with it, and answers the others`() throws {
        _ = try folder.write("no picture", to: "broken.png")
        let mixed = try folder.write(
            #"{"question": "What is this?", "image": "broken.png"}"# + "\n" + #"{"question": "What is this?"}"# + "\n",
            to: "m")
        let result = try Program.run(["ask", "--batch", mixed, "--max-tokens", "3"] + Program.model)
        #expect(result.status == 1)
        #expect(result.errors == "specchat: 1 of 2 questions could not be answered; their lines say why.\n")
        let lines = try objects(result.output)
        #expect((lines[0]["error"] as? String)?.contains("broken.png") == true && lines[0]["text"] == nil)
        #expect((lines[1]["tokens"] as? [Int])?.count == 3 && lines[1]["error"] == nil)
    }

    @Test func `is refused before anything is decoded when a line is wrong`() throws {
        let wrong = try folder.write(#"{"question": "x"}"# + "\n\n" + #"{"qestion": "y"}"# + "\n", to: "wrong")
        let result = try Program.run(["ask", "--batch", wrong] + out + Program.model)
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(result.errors == "specchat: \(wrong):3: there is no field 'qestion'. Did you mean 'question'?\n")
        #expect(try !folder.names.contains("answers.jsonl"))
        let missing = try folder.write(#"{"question": "x", "image": "none.png"}"#, to: "missing")
        let picture = try Program.run(["ask", "--batch", missing] + Program.model)
        #expect(picture.status == 5)
        #expect(
            picture.errors == "specchat: \(missing):1: there is no picture \(folder.path)/none.png that can be read.\n")
        #expect(try Program.run(["ask", "--batch", "/no/such/file"] + Program.model).status == 1)
        #expect(try Program.run(["ask", "--batch", "-"] + Program.model, input: "\n").status == 2)
        #expect(try Program.run(["ask", "--batch", questions, "--out", "/dev/null"] + Program.model).status == 1)
        let blind = Array(Program.model.prefix(2))
        #expect(try Program.run(["ask", "--batch", questions] + blind).status == 4)
    }

    @Test(arguments: [
        ("[]", "this is not a JSON object on one line."), ("{", "this is not a JSON object on one line."),
        ("{}", "the field 'question' must be a text that is not empty."),
        (#"{"question": " "}"#, "the field 'question' must be a text that is not empty."),
        (#"{"question": 3}"#, "the field 'question' must be a text that is not empty."),
        (#"{"question": "x", "id": [1]}"#, "the field 'id' must be a text or a number."),
        (#"{"question": "x", "temperature": -1}"#, "temperature must be a number from 0 to 10. It is -1."),
        (#"{"question": "x", "temperature": "hot"}"#, "temperature must be a number from 0 to 10. It is \"hot\"."),
        (#"{"question": "x", "max_tokens": 0}"#, "max_tokens must be a whole number from 1. It is 0."),
        (#"{"question": "x", "max_tokens": true}"#, "max_tokens must be a whole number from 1. It is true."),
        (#"{"question": "x", "seed": -1}"#, "seed must be a whole number from 0. It is -1."),
        (#"{"question": "x", "threads": 2}"#, "there is no field 'threads'."),
        (#"{"question": "x", "image": 1}"#, "the field 'image' must be a path."),
        (#"{"question": "x", "images": "a"}"#, "the field 'images' must be a list of paths."),
        (#"{"question": "x", "images": [1]}"#, "the field 'images' must be a list of paths."),
        (#"{"question": "x", "image": "a", "images": []}"#, "give one of the fields 'image' and 'images'."),
    ])
    func `names what is wrong with a line`(line: String, sentence: String) throws {
        let error = #expect(throws: CommandFailure.self) {
            try BatchQuestions.question(line, at: "F:1", folder: "", settings: Settings())
        }
        #expect(error == CommandFailure(.usage, "F:1: \(sentence)"))
    }

    @Test func `knows its questions by everything that an answer depends on`() throws {
        let lines = [
            #"{"question": "x"}"#, #"{"question": "y"}"#, #"{"question": "x", "seed": 18446744073709551615}"#,
            #"{"question": "x", "temperature": 0.5}"#, #"{"question": "x", "max_tokens": 3}"#,
            #"{"question": "x", "image": "/dev/null"}"#, #"{"question": "x", "images": ["/dev/null", "/dev/null"]}"#,
        ]
        let prints = try lines.map {
            try BatchQuestions.question($0, at: "", folder: "", settings: Settings()).fingerprint(model: "m")
        }
        #expect(Set(prints).count == lines.count && prints.allSatisfy { $0.count == 16 })
        let same = try BatchQuestions.question(#"{"id": 1, "question": "x"}"#, at: "", folder: "", settings: Settings())
        #expect(same.fingerprint(model: "m") == prints[0] && same.fingerprint(model: "n") != prints[0])
    }

    @Test(
        arguments: [
            (0, 0, 0.0, "[--------------------] 0 of 40"),
            (10, 0, 5, "[#####---------------] 10 of 40  2.0 each second  15 s left"),
            (30, 20, 100, "[###############-----] 30 of 40  0.1 each second  2 min left"),
            (40, 0, 10, "[####################] 40 of 40  4.0 each second  0 s left"),
        ] as [(Int, Int, Double, String)])
    func `shows how far it has come`(done: Int, begun: Int, seconds: Double, bar: String) {
        #expect(BatchProgress.bar(done: done, total: 40, begun: begun, seconds: seconds) == bar)
    }
}
