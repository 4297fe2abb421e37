// CommandLineTests.swift — the program from outside: equal answers, the promised JSON, errors, statuses, signals.

import Engine
import Foundation
import Testing

/// One after the other: each test starts processes that want the processor to themselves.
@Suite(.serialized) struct `Command line` {
    private let ask = ["ask", "What is this?", "--image", Program.picture, "--max-tokens", "24"] + Program.model

    @Test(arguments: ["0", "0.8"])
    func `gives the same bytes with and without speculation`(temperature: String) throws {
        let common = ask + ["--temperature", temperature, "--seed", "5"]
        let plain = try Program.run(common + ["--speculation", "off"])
        #expect(plain.status == 0, "\(plain.errors)")
        #expect(plain.output.count > 1)
        for policy in ["chain", "dynamic"] {
            for nodes in [[], ["--nodes", "1"], ["--nodes", "5"], ["--nodes", "16"]] {
                for threads in ["1", "2"] {
                    let arguments = ["--speculation", policy, "--threads", threads] + nodes + Program.draft
                    let result = try Program.run(common + arguments)
                    #expect(result.output == plain.output, "\(arguments): \(result.errors)")
                }
            }
        }
    }

    @Test func `accepts every draft of a draft that is the target itself`() throws {
        let result = try Program.run(ask + Program.draft + ["--speculation", "chain", "--nodes", "5", "--json"])
        let answer = try result.json()
        let (drafted, accepted) = (answer["drafted"] as? Int ?? 0, answer["accepted"] as? Int ?? 0)
        #expect(drafted > 0, "\(result.errors)")
        // The last round may draft beyond the end of the answer.
        #expect(accepted >= drafted - 4)
        #expect(answer["acceptance_length"] as? Double ?? 0 > 3)
    }

    @Test func `prints one JSON object whose text is the plain answer`() throws {
        let plain = try Program.run(ask + ["--speculation", "off"])
        let result = try Program.run(ask + ["--speculation", "off", "--json"])
        #expect(result.output.hasSuffix("}\n") && result.output.filter { $0 == "\n" }.count == 1)
        let answer = try result.json()
        #expect((answer["tokens"] as? [Int])?.count == 24)
        #expect(answer["speculation"] as? String == "off")
        #expect(answer["draft"] is NSNull)
        #expect(answer["drafted"] as? Int == 0)
        #expect(answer["rounds"] as? Int == 24)
        #expect(answer["threads"] as? Int ?? 0 >= 1)
        let text = try #require(answer["text"] as? String)
        #expect(!text.isEmpty && plain.output.hasSuffix("\n"))
        if !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
            #expect(plain.output == text + "\n")
        }
    }

    @Test func `reads the question from the standard input`() throws {
        let line = Array(ask.dropFirst(2))
        let piped = try Program.run(["ask", "-"] + line, input: "What is this?\n")
        #expect(piped.status == 0, "\(piped.errors)")
        #expect(piped.output == (try Program.run(ask)).output)
    }

    @Test func `keeps statistics off the standard output`() throws {
        let plain = try Program.run(ask)
        let result = try Program.run(ask + ["--stats"])
        #expect(result.output == plain.output)
        #expect(result.errors.contains("tokens       24 (cut by --max-tokens)"))
        #expect(plain.errors.isEmpty)
    }

    @Test func `sends no escape code into a pipe`() throws {
        let commands = [
            ask, ask + ["--stats"], ["--help"], ["ask", "x\u{1B}[2J", "--model", "no\u{1B}[31m"],
            ["inspect", Program.model[1]],
            ["bogus\u{1B}[0m"],
        ]
        for command in commands {
            #expect(!(try Program.run(command)).hasControlCharacters, "\(command)")
        }
    }

    @Test func `keeps answers to draft from, unless told otherwise, and the text is the same`() throws {
        let folder = Program.temporary("answers")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let question = ["ask", "What is it?", "--max-tokens", "8"] + Program.model
        func output(_ changes: [String: String], _ options: [String] = []) throws -> String {
            let environment = ["XDG_CACHE_HOME": folder].merging(changes) { $1 }
            let result = try Program.run(question + options, environment: environment)
            #expect(result.status == 0 && result.errors.isEmpty)
            return result.output
        }
        let plain = try output(["SPECCHAT_KEEP_ANSWERS": "false"])
        #expect(try output(["SPECCHAT_SAVE": "false"]) == plain)
        #expect(try output([:], ["--draft", "none"]) == plain)
        #expect(!FileManager.default.fileExists(atPath: folder + "/specchat/answers"))
        for _ in 0..<2 {
            #expect(try output([:]) == plain)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/specchat/answers").count == 1)
        }
    }

    @Test func `keeps encoded pictures for the next question, unless told otherwise`() throws {
        let folder = Program.temporary("cache")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let question = ["ask", "What is it?", "--image", Program.picture, "--max-tokens", "8"] + Program.model
        func output(_ changes: [String: String]) throws -> String {
            let environment = [
                "XDG_CACHE_HOME": folder, "SPECCHAT_PICTURE_CACHE": "", "SPECCHAT_KEEP_ANSWERS": "false",
            ].merging(changes) { $1 }
            let result = try Program.run(question, environment: environment)
            #expect(result.status == 0 && result.errors.isEmpty)
            return result.output
        }
        let plain = try output(["SPECCHAT_PICTURE_CACHE": "0"])
        #expect(try output(["SPECCHAT_SAVE": "false"]) == plain)
        #expect(!FileManager.default.fileExists(atPath: folder))
        for _ in 0..<2 {
            #expect(try output([:]) == plain)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/specchat/pictures")
            #expect(files.count == 2)
        }
    }

    @Test func `scores an answer as one JSON object`() throws {
        let arguments = [
            "score", "--image", Program.picture, "--prompt", "What is this?", "--text", "A dog.", "--json",
        ]
        let result = try Program.run(arguments + Program.model)
        let scores = try result.json()
        let tokens = try #require(scores["tokens"] as? [Int], "\(result.errors)")
        let logs = try #require(scores["logprobs"] as? [Double])
        let best = try #require(scores["best"] as? [[[Double]]])
        #expect(!tokens.isEmpty && logs.count == tokens.count && best.count == tokens.count)
        for (index, candidates) in best.enumerated() {
            #expect(candidates.count == 5)
            #expect(candidates.map { $0[1] } == candidates.map { $0[1] }.sorted(by: >))
            #expect(logs[index] <= candidates[0][1] && logs[index] < 0)
            if let own = candidates.first(where: { Int($0[0]) == tokens[index] }) { #expect(own[1] == logs[index]) }
        }
    }

    @Test func `writes the logits that its scores come from`() throws {
        let file = Program.temporary("logits.f32")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let arguments = ["score", "--prompt", "What?", "--text", "A dog.", "--json", "--logits", file] + Program.model
        let scores = try Program.run(arguments).json()
        let tokens = try #require(scores["tokens"] as? [Int])
        let logs = try #require(scores["logprobs"] as? [Double])
        let bytes = try Data(contentsOf: URL(filePath: file))
        let logits = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let width = logits.count / tokens.count
        #expect(width == 320 && logits.count == width * tokens.count)
        for (row, token) in tokens.enumerated() {
            let values = logits[row * width..<(row + 1) * width].map(Double.init)
            let log = values[token] - Foundation.log(values.reduce(0) { $0 + exp($1) })
            #expect(abs(log - logs[row]) < 1e-9)
        }
        let again = try Program.run(arguments)
        #expect(again.status == 1 && again.errors.contains("already there"))
    }

    @Test func `scores a raw prompt as the template writes it`() throws {
        let text = ["--text", "A dog.", "--json"] + Program.model
        let result = try Program.run(["score", "--raw-prompt", "No picture here. ASSISTANT:"] + text)
        #expect(result.status == 0, "\(result.errors)")
        #expect((try result.json()["tokens"] as? [Int])?.isEmpty == false)
    }

    @Test(arguments: ["A dog.", "A"])
    func `scores an answer that follows the picture itself`(answer: String) throws {
        let picture = ["--image", Program.root.path + "/Assets/pictures/demo.png", "--json"]
        let result = try Program.run(["score", "--raw-prompt", "<image>", "--text", answer] + picture)
        #expect(result.status == 0, "\(result.errors)")
        let json = try result.json()
        let tokens = try #require(json["tokens"] as? [Int]), logs = try #require(json["logprobs"] as? [Double])
        #expect(!tokens.isEmpty && logs.count == tokens.count && logs.allSatisfy { $0 < 0 })
        // The first token is foretold by the picture's last row: what comes after it changes nothing.
        let longer = try Program.run(["score", "--raw-prompt", "<image>", "--text", answer + " It runs."] + picture)
        #expect(try (longer.json()["logprobs"] as? [Double])?.first == logs.first)
    }

    @Test func `says what a model file holds`() throws {
        let result = try Program.run(["inspect", Program.model[1]])
        #expect(result.status == 0)
        for fact in ["llama", "blocks 2, hidden 64", "token_embd.weight", "320 pieces", "general.architecture"] {
            #expect(result.output.contains(fact), "\(fact)")
        }
        #expect(try Program.run(["inspect", Program.model[3]]).output.contains("16 patches of 14"))
    }

    @Test(arguments: [
        ("Assets/demo", "target: target.gguf"),
        ("Tests/EngineTests/Goldens/folders/saved/model", "6 .safetensors files by"),
        ("Assets/pictures/demo.png", "a picture (PNG)"),
    ])
    func `explains folders, and what is no model`(path: String, fact: String) throws {
        let result = try Program.run(["inspect", Program.root.path + "/" + path])
        #expect(result.status == 0 && result.output.contains(fact), "\(result.output)\(result.errors)")
        #expect(result.output.contains("\nruns here "))
    }

    @Test func `shows what the vision tower sees of a picture`() throws {
        let seen = Program.temporary("seen.png")
        defer { try? FileManager.default.removeItem(atPath: seen) }
        let one = try Program.run(["inspect", Program.model[3], "--image", Program.picture, "--out", seen])
        #expect(one.status == 0, "\(one.errors)")
        #expect(
            one.output
                == "picture  picture.png, 90 × 61 pixels\nseen     padded to a square with the mean colour, 56 × 56\ntokens   16\n"
        )
        #expect(try PixelImage.read(seen).width == 56)
        let again = try Program.run(["inspect", Program.model[3], "--image", Program.picture, "--out", seen])
        #expect(again.status == 1 && again.errors.contains("already there"))
        let tiles = Program.root.path + "/Tests/EngineTests/Goldens/anyres/vision.gguf"
        let many = try Program.run(["inspect", tiles, "--image", Program.picture, "--out", seen, "--force"])
        #expect(many.status == 0, "\(many.errors)")
        #expect(many.output.contains("then 2 × 2 tiles of 56 × 56\ntokens   "))
        // The whole, a gap, and two tiles with a line between them.
        let sheet = try PixelImage.read(seen)
        #expect(sheet.width == 56 + 16 + 56 + 2 + 56 && sheet.height == 56 + 2 + 56)
        let drawn = try Program.run(["inspect", tiles, "--image", Program.picture, "--image-protocol", "sixel"])
        #expect(drawn.status == 0 && !drawn.hasControlCharacters)
        let text = try Program.run(["inspect", Program.model[1], "--image", Program.picture])
        #expect(text.status == 4 && text.errors.contains("a language model, not a vision model"))
    }

    @Test func `cuts text into tokens, line ends included`() throws {
        let vocabulary = Program.root.path + "/Tests/EngineTests/Goldens/llama-vocab/ggml-vocab-llama-spm.gguf"
        let argument = try Program.run(["inspect", vocabulary, "--tokenize", "Hello world"])
        #expect(argument.output == "15043 3186\n", "\(argument.errors)")
        let piped = try Program.run(["inspect", vocabulary, "--tokenize", "-"], input: "Hello world\n")
        #expect(piped.output == "15043 3186 13\n")
        let folder = Program.root.path + "/Tests/EngineTests/Goldens/folders/saved/model"
        let byFolder = try Program.run(["inspect", folder, "--tokenize", "a red square"]).output
        #expect(byFolder.split(separator: " ").count > 2)
        #expect(
            try Program.run(["inspect", folder + "/tokenizer.model", "--tokenize", "a red square"]).output == byFolder)
    }
}

@Suite struct `A model before it is packed` {
    @Test func `is told of part by part, as the settings would keep it`() throws {
        let told = try Program.run(["inspect", Program.goldens.path + "/language.gguf", "--quantize", "q8_0"])
        #expect(told.status == 0 && told.errors.isEmpty, "\(told.errors)")
        for fact in ["becomes", "Q8_0", "output head", "no: its matrices take less than", "--quantize q8_0\n"] {
            #expect(told.output.contains(fact), "\(fact)\n\(told.output)")
        }
        let off = try Program.run(
            ["inspect", Program.model[1], "--quantize", "q4_0"], environment: ["SPECCHAT_WEIGHT_CACHE": "0"])
        #expect(off.output.contains("no: --weight-cache is 0"))
    }

    @Test func `is a language model, and asked about one thing at a time`() throws {
        let vision = try Program.run(["inspect", Program.model[3], "--quantize", "q8_0"])
        #expect(vision.status == 4 && vision.errors.contains("holds a vision model"))
        let both = try Program.run(["inspect", Program.model[1], "--quantize", "q8_0", "--tokenize", "x"])
        #expect(both.status == 2 && both.errors.contains("--tokenize and --quantize ask for different things"))
    }
}

@Suite struct `The list of models` {
    @Test func `names a folder's models and what goes with them`() throws {
        let folder = Program.root.path + "/Assets/demo"
        let result = try Program.run(["models", folder])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("/target.gguf\n  weights  Q8_0, 7.7 MB, 7.2 million parameters\n"))
        #expect(result.output.contains("/draft-small.gguf"))
        let lines = try Program.run(["models", folder, "--json"]).output.split(separator: "\n")
        #expect(lines.count == 3)
        let refused = try Program.run(["models", "/no/such/folder"])
        #expect(refused.status == 1 && refused.errors.contains("is not a folder"))
    }
}
