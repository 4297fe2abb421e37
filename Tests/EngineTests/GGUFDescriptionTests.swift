import Testing

@testable import Engine

@Suite struct `Checkpoint description` {
    @Test func `a language model in words`() throws {
        let description = CheckpointDescription(try GGUFBuilder.language().open())
        #expect(
            description.summary.map(\.name) == [
                "file", "architecture", "sizes", "context", "output", "vocabulary", "template", "F32", "memory",
                "runs here",
            ])
        let text = description.text
        for words in [
            "architecture  llama (tiny)", "blocks 1, hidden 8, feed-forward 12, heads 2 of 4, key heads 1",
            "64 positions, rotary base 10000",
            "8 pieces (SentencePiece), begins with '<s>' (1), ends with '</s>' (2)",
            "template      vicuna_v1, as the file has none", "F32           12 tensors, 632 numbers, 2.5 kB",
            "tokenizer.ggml.tokens                   8 elements: '<unk>', '<s>', '</s>', '<0x41>', …",
            "tokenizer.ggml.token_type               8 elements: 2, 3, 3, 6, …",
            "blk.0.ffn_down.weight     F32, 12 × 8, 384 bytes",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test func `a vision model in words`() throws {
        let text = CheckpointDescription(try GGUFBuilder.vision(swapped: true).open()).text
        #expect(text.contains("blocks to run 2, hidden 6, feed-forward 10, heads 3, ffn_up and ffn_down swapped"))
        #expect(text.contains("28 × 28 pixels in 4 patches of 14"))
        #expect(text.contains("6 to 8 to 8, GELU between"))
        #expect(CheckpointDescription(try GGUFBuilder.projector().open()).summary.map(\.name).contains("projector"))
    }

    @Test func `a model that cannot be run is described with the reason`() throws {
        var builder = GGUFBuilder.language()
        builder.set("general.architecture", .string("bert"))
        builder.tensors.append(.init(name: "odd", type: 77, dimensions: [1 << 62], data: [1]))
        builder.tensors.append(.init(name: "odder", type: 77, dimensions: [1 << 62], data: [1]))
        let description = CheckpointDescription(try builder.open())
        #expect(description.summary.contains { $0.name == "problem" && $0.value.contains("architecture 'bert'") })
        #expect(description.lines(of: "tensors").last?.value == "type 77, \(1 << 62), unknown size")
    }

    @Test func `nothing that a file holds reaches the terminal raw`() throws {
        var builder = GGUFBuilder.language()
        builder.set("general.name", .string("\u{1B}]0;gone\u{7}\n\u{202E}"))
        builder.set("evil\u{1B}[2J", .strings(["\u{9B}31m", "\r"]))
        builder.add("tensor\u{8}\u{1B}", 4)
        let description = CheckpointDescription(try builder.open())
        for line in description.summary + description.sections.flatMap(\.lines) {
            for text in [line.name, line.value] {
                #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control || $0 == "\u{202E}" })
            }
        }
        #expect(description.text.contains("\\u{1b}]0;gone\\u{7}\\u{a}\\u{202e}"))
    }
}
