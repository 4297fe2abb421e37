import Foundation
import Testing

@testable import Engine

/// A conversation whose ids Training/specchat_training/golden_templates.py took from the original implementation.
private struct GoldenConversation: Decodable, CustomTestStringConvertible {
    struct Turn: Decodable {
        let question: String
        let picture: Bool
        /// Absent for the turn that is to be answered.
        let answer: String?
    }
    let template: String
    /// The chat template that was rendered; absent for the original LLaVA's.
    let jinja: String?
    /// Where the tokenizer puts spaces: legacy (before every segment) or first.
    let spaces: String
    let system: String?
    let turns: [Turn]
    /// What stands before an answer.
    let lead: String
    /// A picture is -200.
    let ids: [Int32]
    /// What the original checkpoint's config.json says; absent where the template is in the checkpoint.
    let checkpoint: [String: String]?

    var testDescription: String { "\(template), \(spaces), \(system ?? "no system"), \(turns[0].question)" }
}

private let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

private func goldens(_ name: String) -> [GoldenConversation] {
    let file = folder.appending(path: "templates/\(name).json")
    return (try? JSONDecoder().decode([GoldenConversation].self, from: Data(contentsOf: file))) ?? []
}

/// Llama 2's vocabulary with the four tokens of the goldens behind it.
private let llama = Result {
    let file = folder.appending(path: "llama-vocab/ggml-vocab-llama-spm.gguf").path
    var vocabulary = try Vocabulary(GGUF(path: file))
    for name in ["<image>", "<pad>", "<|im_start|>", "<|im_end|>"] {
        vocabulary.pieces.append(name)
        vocabulary.scores.append(0)
        vocabulary.kinds.append(.control)
    }
    return vocabulary
}

private func tokenizer(spaces: String) throws -> Tokenizer {
    var vocabulary = try llama.get()
    if spaces == "first" { vocabulary.normalisation.prefix = .firstSegment }
    return Tokenizer(vocabulary)
}

/// The ids of segments, a picture as -200.
private func ids(_ segments: [ChatTemplate.Segment], _ tokenizer: Tokenizer) -> [Int32] {
    let texts = segments.split(separator: .picture, omittingEmptySubsequences: false)
    return Array(texts.map { tokenizer.encode(Array($0)) }.joined(separator: [-200]))
}

/// The whole conversation as Conversation writes it: a turn's segments, then the answer's own tokens.
///
/// - Parameter ended: whether the model ended its answers itself, with the template's end token.
private func written(_ golden: GoldenConversation, ended: Bool) throws -> [Int32] {
    let template = try #require(ChatTemplate(rawValue: golden.template))
    let tokenizer = try tokenizer(spaces: golden.spaces)
    let isChatML = template == .chatML || template == .chatMLDirect
    let end = try #require(tokenizer.controlToken(named: isChatML ? "<|im_end|>" : "</s>"))
    // Where the original writes a space before its end token the models have learnt to write it too.
    let space = [ChatTemplate.llama2, .mistralInstruct].contains(template) ? " " : ""
    var before = template.opening(system: golden.system)
    var tokens: [Int32] = []
    for (index, turn) in golden.turns.enumerated() {
        let pictures = turn.picture ? 1 : 0
        let lead = template.lead(isFirst: index == 0, pictures: pictures, system: golden.system)
        let question = template.question(
            turn.question, isFirst: index == 0, pictures: pictures, system: golden.system)
        // As when a picture is attached: what stands before it is read before the question is known.
        if turn.picture {
            tokens += ids(before + lead, tokenizer) + ids(question, tokenizer)
        } else {
            tokens += ids(before + question, tokenizer)
        }
        guard let answer = turn.answer else { continue }
        tokens += tokenizer.encode(golden.lead + answer + (ended ? space : ""), at: .continued)
        if ended, template.keepsStop { tokens.append(end) }
        before = ended ? template.answerEndAfterStop() : template.answerEnd()
    }
    return tokens
}

@Suite struct `Template goldens` {
    @Test(arguments: goldens("original"), [true, false])
    private func `the original LLaVA's conversations come out token by token`(
        golden: GoldenConversation, ended: Bool
    ) throws {
        #expect(try written(golden, ended: ended) == golden.ids)
    }

    @Test(arguments: goldens("huggingface"), [true, false])
    private func `what transformers renders and tokenizes comes out token by token`(
        golden: GoldenConversation, ended: Bool
    ) throws {
        #expect(try written(golden, ended: ended) == golden.ids)
    }

    @Test(arguments: goldens("huggingface"))
    private func `the template in the checkpoint is recognised`(golden: GoldenConversation) throws {
        #expect(ChatTemplate.recognised(in: try #require(golden.jinja))?.rawValue == golden.template)
    }

    @Test(arguments: goldens("original").filter { $0.checkpoint != nil })
    private func `the family of an original checkpoint is that which it was trained with`(
        golden: GoldenConversation
    ) throws {
        let keys = try #require(golden.checkpoint)
        let scratch = try ScratchFolder()
        var tiny = TinyFolder()
        tiny.becomeText()
        for (key, value) in keys { tiny.configuration[key] = value }
        try tiny.write(to: scratch)
        // Yi alone has the marks of ChatML in its vocabulary.
        var pieces = Dictionary(uniqueKeysWithValues: ["<unk>", "<s>", "</s>"].enumerated().map { ($1, $0) })
        if golden.template == "chatml_direct" { pieces["<|im_start|>"] = 3 }
        let tokenizer: [String: Any] = [
            "model": [
                "type": "BPE", "vocab": pieces, "merges": [String](), "byte_fallback": true, "unk_token": "<unk>",
            ],
            "added_tokens": [[String: Any]](),
        ]
        try scratch.write(Array(JSONSerialization.data(withJSONObject: tokenizer)), to: "tokenizer.json")
        #expect(try LanguageCheckpoint(path: scratch.path).template() == golden.template)
    }

    @Test func `every family that has an original is there`() {
        let families = Set((goldens("original") + goldens("huggingface")).map(\.template))
        // The demo models' own format and Mistral's version 3 are held by the strings in ChatTemplateTests.
        #expect(families == Set(ChatTemplate.allCases.map(\.rawValue)).subtracting(["plain", "mistral_v3"]))
        #expect(goldens("original").count == 10 && goldens("huggingface").count == 30)
    }
}
