import Foundation
import Testing

@testable import Engine

/// A published draft by its config.json, its weights all zeros: the file is a hole in the disk.
private struct PublishedDraft: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let blocks: Int
    /// The head is the embedding, and the file has none of its own.
    let isTied: Bool

    /// JackFram's, and double7's, which were made from them.
    static let all = [
        PublishedDraft(testDescription: "llama-68m", blocks: 2, isTied: false),
        PublishedDraft(testDescription: "vicuna-68m, tied", blocks: 2, isTied: true),
        PublishedDraft(testDescription: "llama-160m", blocks: 12, isTied: false),
        PublishedDraft(testDescription: "vicuna-160m, tied", blocks: 12, isTied: true),
    ]

    private static let hidden = 768
    private static let feedForward = 3_072
    static let pieces = 32_000

    var configuration: String {
        """
        {"architectures": ["LlamaForCausalLM"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "silu",
         "hidden_size": \(Self.hidden), "initializer_range": 0.02, "intermediate_size": \(Self.feedForward),
         "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 12,
         "num_hidden_layers": \(blocks), "pad_token_id": 1, "rms_norm_eps": 1e-06, "tie_word_embeddings": \(isTied),
         "torch_dtype": "float32", "transformers_version": "4.28.1", "use_cache": true, "vocab_size": \(Self.pieces)}
        """
    }

    private var shapes: [(name: String, shape: [Int])] {
        let (hidden, wide) = (Self.hidden, Self.feedForward)
        var shapes = [("model.embed_tokens.weight", [Self.pieces, hidden]), ("model.norm.weight", [hidden])]
        if !isTied { shapes.append(("lm_head.weight", [Self.pieces, hidden])) }
        for block in 0..<blocks {
            let parts = [
                ("input_layernorm", [hidden]), ("post_attention_layernorm", [hidden]),
                ("self_attn.q_proj", [hidden, hidden]), ("self_attn.k_proj", [hidden, hidden]),
                ("self_attn.v_proj", [hidden, hidden]), ("self_attn.o_proj", [hidden, hidden]),
                ("mlp.gate_proj", [wide, hidden]), ("mlp.up_proj", [wide, hidden]), ("mlp.down_proj", [hidden, wide]),
            ]
            shapes += parts.map { ("model.layers.\(block).\($0.0).weight", $0.1) }
            // Old files carry the rotary frequencies, which nobody reads.
            shapes.append(("model.layers.\(block).self_attn.rotary_emb.inv_freq", [32]))
        }
        return shapes
    }

    /// Writes the folder, its weights in F16.
    func write(to folder: ScratchFolder, under name: String) throws {
        var place = 0
        let entries = shapes.map { name, shape in
            let begin = place
            place += shape.reduce(2, *)
            return "\"\(name)\":{\"dtype\":\"F16\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(place)]}"
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
        try folder.write(length + header, to: "\(name)/model.safetensors")
        let file = try FileHandle(forWritingTo: folder.url.appending(path: "\(name)/model.safetensors"))
        try file.truncate(atOffset: UInt64(length.count + header.count + place))
        try file.close()
        try folder.write(configuration, to: "\(name)/config.json")
    }
}

@Suite struct `Published drafts in their true shapes` {
    /// Llama's 32,000 pieces, and the file that holds them.
    private static let words = Result {
        let file = Golden.folder.path + "/llama-vocab/ggml-vocab-llama-spm.gguf"
        let vocabulary = try Vocabulary(GGUF(path: file))
        return (vocabulary: vocabulary, file: tokenizer(vocabulary))
    }

    private let scratch: ScratchFolder
    private let llama: Vocabulary

    init() throws {
        scratch = try ScratchFolder()
        llama = try Self.words.get().vocabulary
    }

    /// A tokenizer.model of these pieces.
    private static func tokenizer(_ vocabulary: Vocabulary) -> [UInt8] {
        var file = ProtobufMessage()
        for (id, piece) in vocabulary.pieces.enumerated() {
            var message = ProtobufMessage()
            message.add(1, piece)
            message.add(2, score: vocabulary.scores[id])
            message.add(3, vocabulary.kinds[id].rawValue)
            file.add(1, message.bytes)
        }
        var trainer = ProtobufMessage()
        trainer.add(3, 2)
        trainer.add(35, 1)
        file.add(2, trainer.bytes)
        var normaliser = ProtobufMessage()
        normaliser.add(4, 0)
        file.add(3, normaliser.bytes)
        return file.bytes
    }

    /// - Parameter vocabulary: in place of Llama's own.
    private func writeDraft(_ draft: PublishedDraft, _ vocabulary: Vocabulary? = nil) throws -> String {
        try draft.write(to: scratch, under: "draft")
        try scratch.write(vocabulary.map(Self.tokenizer) ?? Self.words.get().file, to: "draft/tokenizer.model")
        return "\(scratch.path)/draft"
    }

    /// A LLaVA of the published vocabulary: 32,000 pieces, `<image>` and `<pad>`, rows up to 32,064; small otherwise.
    private func writeTarget() throws -> String {
        var target = TinyFolder()
        target.set(4_096, for: "max_position_embeddings", in: "text_config")
        target.reshape("language_model.model.embed_tokens.weight", to: 32_064, 8)
        target.reshape("language_model.lm_head.weight", to: 32_064, 8)
        try target.write(to: scratch, under: "llava/")
        try scratch.write(Self.words.get().file, to: "llava/tokenizer.model")
        try scratch.write(#"{"<image>": 32000, "<pad>": 32001}"#, to: "llava/added_tokens.json")
        return "\(scratch.path)/llava"
    }

    /// The notices of an answer with a draft, and how many of the draft's tokens were accepted.
    private func answer(with draft: String) async throws -> (notices: [String], accepted: Int, text: String) {
        var options = EngineOptions()
        options.threads = 1
        let bundle = try ModelBundle.open(model: writeTarget(), mmproj: nil, draft: draft, draftProjector: nil)
        let engine = ChatEngine(bundle: bundle, options: options)
        var asking = GenerationOptions()
        asking.maximumTokens = 8
        asking.speculation.policy = .chain
        asking.speculation.nodes = 4
        var (notices, accepted, text) = ([String](), 0, "")
        for try await event in engine.ask("What is it?", options: asking) {
            switch event {
            case .notice(let notice): notices.append(notice.text)
            case .round(let round, _): accepted += round.accepted.count
            case .finished(let report): text = report.text
            default: break
            }
        }
        return (notices, accepted, text)
    }

    @Test(arguments: PublishedDraft.all)
    private func `are read as their configurations say`(draft: PublishedDraft) throws {
        let checkpoint = try LanguageCheckpoint(path: try writeDraft(draft))
        let model = checkpoint.configuration
        #expect(model.vocabulary == PublishedDraft.pieces && model.hidden == 768 && model.blocks == draft.blocks)
        #expect(model.heads == 12 && model.keyHeads == 12 && model.headWidth == 64 && model.feedForward == 3_072)
        #expect(model.epsilon == 1e-6 && model.contextLength == 2_048 && model.isOutputTied == draft.isTied)
        #expect(model.rotary == Rotary(base: 10_000, width: 64, pairing: .halves))
        let target = try LanguageCheckpoint(path: writeTarget())
        #expect(target.configuration.vocabulary == 32_064 && target.configuration.contextLength == 4_096)
        #expect(try checkpoint.vocabulary().difference(from: target.vocabulary()) == nil)
        // What ends an answer is Llama's, whatever config.json calls the beginning.
        #expect(try checkpoint.vocabulary().beginning == 1 && checkpoint.vocabulary().stops == [2])
    }

    @Test(arguments: [PublishedDraft.all[0], PublishedDraft.all[1]])
    private func `draft for a LLaVA whose vocabulary and context are larger`(draft: PublishedDraft) async throws {
        let (notices, accepted, text) = try await answer(with: writeDraft(draft))
        #expect(notices.isEmpty, "\(notices)")
        // Of zeros both find the first token likeliest, so that every draft is right.
        #expect(accepted > 0)
        #expect(try await answer(with: "none").text == text)
    }

    @Test func `that do not fit are left out, with the reason in one line`() async throws {
        var other = llama
        other.pieces.swapAt(5_000, 6_000)
        var longer = llama
        for number in 0..<400 {
            longer.pieces.append("<more_\(number)>")
            longer.scores.append(0)
            longer.kinds.append(.normal)
        }
        let cases: [(vocabulary: Vocabulary?, config: (String) -> String, reason: String)] = [
            (other, { $0 }, "its vocabulary is another one: token 5000 is “"),
            (longer, { $0 }, "it has more than 32000 tokens and the model's embedding has only 32000 rows"),
            (
                nil, { $0.replacing("\"hidden_size\": 768", with: "\"hidden_size\": 512") },
                "where config.json asks for"
            ),
            (
                nil, { $0.replacing("\"model_type\": \"llama\"", with: "\"model_type\": \"opt\"") },
                "a model of type 'opt'"
            ),
        ]
        for (vocabulary, config, reason) in cases {
            let path = try writeDraft(PublishedDraft.all[0], vocabulary)
            try scratch.write(config(PublishedDraft.all[0].configuration), to: "draft/config.json")
            var notice = ""
            do { notice = try await answer(with: path).notices.joined(separator: "|") } catch { notice = "\(error)" }
            #expect(notice.contains(reason) && !notice.contains("\n"), "\(notice)")
        }
    }

    @Test func `that claim a head of their own must have one`() throws {
        var tiny = TinyFolder()
        tiny.becomeText()
        tiny.weights.tensors.removeAll { $0.name == "lm_head.weight" }
        for (tie, isRead) in [(nil, true), (true, true), (false, false)] as [(Bool?, Bool)] {
            tiny.configuration["tie_word_embeddings"] = tie
            try tiny.write(to: scratch, under: "tied/")
            let checkpoint = try? LanguageCheckpoint(path: "\(scratch.path)/tied")
            #expect((checkpoint != nil) == isRead)
            #expect(checkpoint?.configuration.isOutputTied ?? true)
        }
        // A head beside `tie_word_embeddings` is not used, as in transformers.
        var whole = TinyFolder()
        whole.becomeText()
        whole.configuration["tie_word_embeddings"] = true
        try whole.write(to: scratch, under: "whole/")
        #expect(try LanguageCheckpoint(path: "\(scratch.path)/whole").configuration.isOutputTied)
    }
}
