import Testing

@testable import Engine

/// What Goldens/README.md says of a reference model.
struct ReferenceSizes: Sendable {
    let folder: String
    /// Hidden size, blocks, heads, key heads.
    let language: [Int]
    let rotaryBase: Float
    let isTied: Bool
    /// Picture, patch, hidden size, blocks.
    let vision: [Int]

    static let all = [
        ReferenceSizes(
            folder: "grouped", language: [64, 2, 4, 2], rotaryBase: 10_000, isTied: false, vision: [56, 14, 32, 2]),
        ReferenceSizes(
            folder: "tied", language: [96, 1, 6, 2], rotaryBase: 10_000, isTied: true, vision: [42, 14, 30, 2]),
        ReferenceSizes(
            folder: "theta", language: [48, 3, 3, 1], rotaryBase: 500_000, isTied: false, vision: [56, 7, 24, 3]),
    ]
}

@Suite struct `Model configuration` {
    @Test func `a language model's sizes come from its keys`() throws {
        let model = try LanguageModelConfiguration(GGUFBuilder.language().open())
        #expect(model.name == "tiny")
        #expect([model.vocabulary, model.hidden, model.blocks, model.heads, model.keyHeads] == [8, 8, 1, 2, 1])
        #expect([model.headWidth, model.feedForward, model.contextLength] == [4, 12, 64])
        #expect(model.epsilon == 1e-5)
        #expect(model.rotary == Rotary(base: 10_000, width: 4, pairing: .adjacent))
        #expect(model.outputTensor == "output.weight")
        #expect(model.attention == AttentionHeads(queries: 2, keys: 1, width: 4))
    }

    @Test func `without an output head the embedding serves`() throws {
        var file = GGUFBuilder.language()
        file.remove("output.weight")
        let model = try LanguageModelConfiguration(file.open())
        #expect(model.isOutputTied)
        #expect(model.outputTensor == "token_embd.weight")
    }

    @Test func `heads may be wider than the hidden size divided by them`() throws {
        var file = GGUFBuilder.language()
        file.set("llama.attention.key_length", .uint32(6))
        file.set("llama.attention.value_length", .uint32(6))
        for (name, rows) in [("attn_q", 12), ("attn_k", 6), ("attn_v", 6)] {
            file.remove("blk.0.\(name).weight")
            file.add("blk.0.\(name).weight", 8, rows)
        }
        file.remove("blk.0.attn_output.weight")
        file.add("blk.0.attn_output.weight", 12, 8)
        let model = try LanguageModelConfiguration(file.open())
        #expect(model.headWidth == 6)
        #expect(model.rotary.width == 4)
    }

    @Test func `a vision file's sizes come from its keys`() throws {
        let tower = try VisionConfiguration(GGUFBuilder.vision().open())
        #expect(tower.name == "eye")
        #expect([tower.imageSize, tower.patchSize, tower.hidden, tower.heads] == [28, 14, 6, 3])
        #expect([tower.feedForward, tower.patches, tower.headWidth] == [10, 4, 2])
        #expect(tower.mean == [0.5, 0.25, 0.125])
        #expect(tower.standardDeviation == [0.5, 0.5, 0.5])
        #expect(!tower.useGELU)
        #expect([tower.projector.inputs, tower.projector.hidden, tower.projector.outputs] == [6, 8, 8])
    }

    @Test func `every stored block runs where the last norm was dropped`() throws {
        #expect(try VisionConfiguration(GGUFBuilder.vision().open()).blocks == 2)
    }

    @Test func `all blocks but the last run where the last norm is there`() throws {
        var file = GGUFBuilder.vision()
        file.add("v.post_ln.weight", 6)
        #expect(try VisionConfiguration(file.open()).blocks == 1)
    }

    @Test(arguments: [GGUFBuilder.Value.uint32(1), .ints([1])])
    func `a feature layer that the file names comes first`(layer: GGUFBuilder.Value) throws {
        var file = GGUFBuilder.vision()
        file.set("clip.vision.feature_layer", layer)
        #expect(try VisionConfiguration(file.open()).blocks == 1)
    }

    @Test func `swapped feed-forward names are noticed`() throws {
        let plain = try VisionConfiguration(GGUFBuilder.vision().open())
        #expect(plain.feedForwardNames(block: 1).first == "v.blk.1.ffn_up")
        #expect(plain.feedForwardNames(block: 1).second == "v.blk.1.ffn_down")
        let swapped = try VisionConfiguration(GGUFBuilder.vision(swapped: true).open())
        #expect(swapped.feedForwardNames(block: 1).first == "v.blk.1.ffn_down")
        #expect(swapped.feedForwardNames(block: 1).second == "v.blk.1.ffn_up")
    }

    @Test func `a file may hold a projector alone`() throws {
        let projector = try ProjectorConfiguration(GGUFBuilder.projector().open())
        #expect([projector.inputs, projector.hidden, projector.outputs] == [6, 8, 8])
    }

    @Test(arguments: ReferenceSizes.all)
    func `files of the gguf package read with the sizes that they were written with`(sizes: ReferenceSizes) throws {
        let folder =
            #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Goldens/\(sizes.folder)"
        let model = try LanguageModelConfiguration(GGUF(path: "\(folder)/language.gguf"))
        #expect([model.hidden, model.blocks, model.heads, model.keyHeads] == sizes.language)
        #expect(model.rotary.base == sizes.rotaryBase)
        #expect(model.isOutputTied == sizes.isTied)
        let tower = try VisionConfiguration(GGUF(path: "\(folder)/vision.gguf"))
        #expect([tower.imageSize, tower.patchSize, tower.hidden, tower.blocks] == sizes.vision)
        #expect(tower.projector.inputs == tower.hidden && tower.projector.outputs == model.hidden)
    }
}
