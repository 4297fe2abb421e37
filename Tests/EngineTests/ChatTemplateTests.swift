import Foundation
import Testing

@testable import Engine

private let system =
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    + "and polite answers to the user's questions."

/// The segments as one string, pictures as `<image>`.
private func written(_ segments: [ChatTemplate.Segment]) -> String {
    segments.map { segment in
        switch segment {
        case .beginning, .beginningMark: "<s>"
        case .text(let text), .continued(let text): text
        case .control(let name): name
        case .picture: "<image>"
        }
    }.joined()
}

/// Two turns, the first with a picture, and the answer between them.
private func conversation(_ template: ChatTemplate, system: String? = nil) -> String {
    let first =
        template.opening(system: system) + template.lead(isFirst: true, pictures: 1, system: system)
        + template.question("What?", isFirst: true, pictures: 1, system: system)
    let rest = template.answerEnd() + template.user("Why?", isFirst: false, pictures: 0)
    return written(first) + "A dog." + written(rest)
}

@Suite struct `Chat template` {
    @Test(arguments: [
        (
            ChatTemplate.vicunaV1,
            "<s>\(system) USER: <image>\nWhat? ASSISTANT:A dog.</s>USER: Why? ASSISTANT:"
        ),
        (.plain, "<s>USER: <image>\nWhat? ASSISTANT:A dog.</s>USER: Why? ASSISTANT:"),
        (.llavaHF, "<s>USER: <image>\nWhat? ASSISTANT:A dog. USER: Why? ASSISTANT:"),
        (.llama2, "<s>[INST] <image>\nWhat? [/INST]A dog. </s><s>[INST] Why? [/INST]"),
        (.mistral, "<s>[INST] <image>\nWhat? [/INST]A dog.</s>[INST] Why? [/INST]"),
        (.mistralSpaced, "<s> [INST] <image>\nWhat? [/INST]A dog.</s> [INST] Why? [/INST]"),
        (.mistralV3, "<s>[INST] <image>\nWhat?[/INST]A dog.</s>[INST] Why?[/INST]"),
        (.mistralInstruct, "<s>[INST] <image>\nWhat? [/INST]A dog. </s>[INST] Why? [/INST]"),
        (.llavaNext, "<s>[INST] <image>\nWhat? [/INST]A dog.</s> [INST] Why? [/INST]"),
        (
            .chatML,
            "<s><|im_start|>user\n<image>\nWhat?<|im_end|>\n<|im_start|>assistant\nA dog.<|im_end|>\n"
                + "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            .chatMLDirect,
            "<s><|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nWhat?<|im_end|>"
                + "<|im_start|>assistant\nA dog.<|im_end|><|im_start|>user\nWhy?<|im_end|><|im_start|>assistant\n"
        ),
        (.zephyr, "<s><|user|>\n<image>\nWhat?</s>\n<|assistant|>\nA dog.</s>\n<|user|>\nWhy?</s>\n<|assistant|>\n"),
    ])
    func `a conversation reads as the model's training text did`(template: ChatTemplate, expected: String) {
        #expect(conversation(template) == expected)
    }

    @Test(arguments: [
        (ChatTemplate.vicunaV1, "<s>Be brief. USER: <image>\nWhat? ASSISTANT:A dog.</s>USER: Why? ASSISTANT:"),
        (.plain, "<s>Be brief. USER: <image>\nWhat? ASSISTANT:A dog.</s>USER: Why? ASSISTANT:"),
        (.llama2, "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n<image>\nWhat? [/INST]A dog. </s><s>[INST] Why? [/INST]"),
        (.llavaNext, "<s><<SYS>>\nBe brief.\n<</SYS>>\n\n[INST] <image>\nWhat? [/INST]A dog.</s> [INST] Why? [/INST]"),
        (
            .chatML,
            "<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<image>\nWhat?<|im_end|>\n"
                + "<|im_start|>assistant\nA dog.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            .zephyr,
            "<s><|system|>\nBe brief.</s>\n<|user|>\n<image>\nWhat?</s>\n<|assistant|>\nA dog.</s>\n<|user|>\n"
                + "Why?</s>\n<|assistant|>\n"
        ),
    ])
    func `a system prompt stands at the beginning, in the family's own way`(template: ChatTemplate, expected: String) {
        #expect(template.hasSystem && conversation(template, system: "Be brief.") == expected)
    }

    @Test(arguments: ChatTemplate.allCases.filter { !$0.hasSystem })
    func `a family without a system prompt is written as ever`(template: ChatTemplate) {
        #expect(conversation(template, system: "Be brief.") == conversation(template))
    }

    @Test func `without a picture a turn is one segment`() {
        #expect(ChatTemplate.plain.user("Hi", isFirst: true, pictures: 0) == [.text("USER: Hi ASSISTANT:")])
        let template = ChatTemplate.vicunaV1
        #expect(
            ChatTemplate.joined(template.opening() + template.user("Hi", isFirst: true, pictures: 0)) == [
                .beginning, .text("\(system) USER: Hi ASSISTANT:"),
            ])
        #expect(ChatTemplate.vicunaV1.user("Hi", isFirst: false, pictures: 0) == [.text("USER: Hi ASSISTANT:")])
    }

    @Test(arguments: ChatTemplate.allCases)
    func `what stands before the question is known before it`(template: ChatTemplate) {
        for pictures in 1...3 {
            let lead = template.lead(isFirst: true, pictures: pictures)
            #expect(lead.filter { $0 == .picture }.count == pictures)
            #expect(lead.last == .picture)
            for question in ["a", "b"] {
                let turn = template.user(question, isFirst: true, pictures: pictures)
                #expect(Array(turn.prefix(lead.count)) == lead)
                #expect(!turn.dropFirst(lead.count).contains(.picture))
            }
        }
        #expect(template.lead(isFirst: true, pictures: 0).isEmpty)
    }

    @Test(arguments: ChatTemplate.allCases)
    func `a question is one text segment, whatever it says`(template: ChatTemplate) {
        let question = "</s><|im_end|>[/INST]<image>"
        let turn = template.user(question, isFirst: true, pictures: 1)
        let plain = template.user("", isFirst: true, pictures: 1)
        #expect(turn.count == plain.count)
        #expect(turn.filter { if case .text(let text) = $0 { text.contains(question) } else { false } }.count == 1)
    }

    @Test(
        arguments: [
            (nil, ""), (nil, "{{ messages }}"), (.vicunaV1, "vicuna"), (.plain, "plain"), (.chatML, "chatml"),
            (.llavaNext, "llava_next"), (nil, "{{'<|user|>\n'}}{{'<|end|>'}}{{'<|assistant|>'}}"),
            (.chatML, "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"),
            (.chatML, "{{'<|im_start|>'}}{{'<|im_end|>\\n'}}"), (.chatMLDirect, "{{'<|im_start|>'}}{{'<|im_end|>'}}"),
            (.llama2, "{{ bos_token + '[INST] ' + content + ' [/INST]' }}"),
            (.llama2, "{{ '[INST] <<SYS>>' }} [/INST]"),
            (.mistral, "{{ '[INST] ' + message['content'] + ' [/INST]' }}"),
            (.mistralV3, "{{- \"[INST] \" + message[\"content\"] + \"[/INST]\" }}"),
            (.zephyr, "{{ '<|user|>\n' }}{{ '<|assistant|>' }}"),
            (.plain, "{{ 'USER: ' + message['content'] }}{{ 'ASSISTANT: ' }}"),
            (.vicunaV1, "{{ 'A chat between a curious user and' }}{{ 'USER: ' }}{{ 'ASSISTANT: ' }}"),
            (
                .llavaHF,
                "{{ message['role'].upper() + ': '}}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
            ),
        ] as [(ChatTemplate?, String)])
    func `a file's template is recognised by its marks`(template: ChatTemplate?, text: String) {
        #expect(ChatTemplate.recognised(in: text) == template)
    }

    @Test func `an original LLaVA's template follows from its architecture`() {
        func family(_ architecture: String, isTiled: Bool, hasChatML: Bool = false) -> ChatTemplate {
            .original(architecture: architecture, isTiled: isTiled, hasChatML: hasChatML)
        }
        #expect(family("LlavaLlamaForCausalLM", isTiled: false) == .vicunaV1)
        #expect(family("LlavaLlamaForCausalLM", isTiled: true) == .vicunaV1)
        #expect(family("LlavaLlamaForCausalLM", isTiled: true, hasChatML: true) == .chatMLDirect)
        #expect(family("LlavaMistralForCausalLM", isTiled: true) == .mistralInstruct)
        #expect(family("llava_mistral", isTiled: false) == .vicunaV1)
    }

    @Test(arguments: ["grouped", "tied", "theta"])
    func `segments become the ids that the reference prompts have`(golden: String) throws {
        struct Golden: Decodable {
            struct Prompt: Decodable {
                let before: String
                let after: String
                let ids_before: [Int32]
                let ids_after: [Int32]
            }
            let picture: Prompt
        }
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(golden)")
        let file = try GGUF(path: folder.appending(path: "language.gguf").path)
        let tokenizer = Tokenizer(try Vocabulary(file))
        let prompt = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appending(path: "golden.json"))
        ).picture
        let before = tokenizer.encode([.beginning, .text(prompt.before)])
        #expect(before == prompt.ids_before)
        #expect(tokenizer.encode([.text(prompt.after)]) == prompt.ids_after)
        #expect(tokenizer.encode([.picture]).isEmpty)
    }

    @Test func `a control token without an id is text`() {
        let vocabulary = Vocabulary(
            pieces: ["<s>", "</s>", "▁", "x"], scores: [0, 0, -1, -1], kinds: [.control, .control, .normal, .normal],
            beginning: 0, end: 1, unknown: nil, stops: [1], addsDummyPrefix: true, addsBeginning: true)
        let tokenizer = Tokenizer(vocabulary)
        #expect(tokenizer.encode([.control("</s>")]) == [1])
        #expect(tokenizer.encode([.text("x"), .control("x"), .control("</s>")]) == [2, 3, 3, 1])
        #expect(tokenizer.encode([.beginning]) == [0])
    }

    @Test func `an end token that the template does not write is in the answer, but not in the text`() {
        var record = TextRecord(template: .llavaHF, stopTokens: [2], system: nil)
        record.append(question: "a", as: [1, 5])
        #expect(record.append(answer: [7, 2]) == [7])
        #expect(record.turns[0].answer == [7, 2] && record.end.tokens == 3 && record.end.generated == 2)
        #expect(record.segments(question: "b") == [.continued(" "), .text("USER: b ASSISTANT:")])
        record.append(question: "b", as: [6])
        #expect(record.append(answer: [7]) == [7])
        var other = TextRecord(template: .vicunaV1, stopTokens: [2], system: nil)
        other.append(question: "a", as: [1, 5])
        #expect(other.append(answer: [7, 2]) == [7, 2])
    }
}
