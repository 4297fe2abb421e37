// ChatTemplate.swift — how a conversation is written for a model, turn by turn, as segments. Used by Chat.

/// The families of chat prompts that SentencePiece models of LLaMA's architecture were trained with.
///
/// A prompt is a list of segments, each tokenised by itself with its own dummy prefix (the rule of the original LLaVA),
/// so that what a user types can never become a control token or run into the words of the template. Everything up to
/// a picture is known before the question is: `lead` can be prefilled while the user types.
enum ChatTemplate: String, Sendable, Equatable, CaseIterable {
    /// LLaVA-1.5's own: a system sentence, then "USER: … ASSISTANT:".
    case vicunaV1 = "vicuna_v1"
    /// The same without the system sentence: Hugging Face's LLaVA-1.5 card, and our demo models.
    case plain
    /// "[INST] … [/INST]", every turn with a beginning token.
    case llama2
    /// "[INST] … [/INST]", one beginning token; LLaVA-1.6 on Mistral.
    case mistral
    /// "<|im_start|>user … <|im_end|>"; LLaVA-1.6 on Yi.
    case chatML = "chatml"
    /// "<|user|> … <|assistant|>"; TinyLlama and its kin.
    case zephyr

    enum Segment: Sendable, Equatable {
        /// The token that a text begins with.
        case beginning
        /// Text of the template and of the user; never parsed for control tokens.
        case text(String)
        /// A control token by its name; where the vocabulary has none, the name is text.
        case control(String)
        /// The rows of one picture.
        case picture
    }

    /// The template that a model's file names, by the marks that llama.cpp goes by; vicuna_v1 where it names none that
    /// fits a model of this kind.
    ///
    /// - Parameter metadata: a file's `tokenizer.chat_template`: the template itself, or a family's name.
    init(metadata: String?) {
        let text = metadata ?? ""
        func has(_ marks: String...) -> Bool { marks.allSatisfy(text.contains) }
        if let named = Self(rawValue: text) {
            self = named
        } else if text == "vicuna" {
            self = .vicunaV1
        } else if has("<|im_start|>") {
            self = .chatML
        } else if has("[INST]") {
            self = has("<<SYS>>") || has("bos_token + '[INST]") ? .llama2 : .mistral
        } else if has("<|user|>", "<|assistant|>") {
            self = .zephyr
        } else if has("ASSISTANT:"), has("USER:") || has(".upper()") {
            self = has("A chat between a curious") ? .vicunaV1 : .plain
        } else {
            self = .vicunaV1
        }
    }

    // MARK: The parts of a conversation

    /// Whether the family's template has a place for a system prompt.
    var hasSystem: Bool {
        switch self {
        case .vicunaV1, .plain, .llama2, .chatML, .zephyr: true
        case .mistral: false
        }
    }

    /// What comes before the first turn.
    ///
    /// - Parameter system: the system prompt; absent: the family's own, where it has one.
    func opening(system: String? = nil) -> [Segment] {
        switch self {
        case .chatML:
            [.beginning, .control("<|im_start|>"), .text("system\n" + (system ?? Self.chatMLSystem))] + closeChatML
        case .llama2: []  // every turn begins with its own
        case .zephyr:
            [.beginning] + (system.map { [.text("<|system|>\n" + $0), .control("</s>"), .text("\n")] } ?? [])
        case .vicunaV1, .plain, .mistral: [.beginning]
        }
    }

    /// The part of a turn that stands before the question, its pictures included; empty for a turn without a picture,
    /// whose words all stand in one segment.
    ///
    /// - Parameters:
    ///   - isFirst: whether the conversation begins with this turn.
    ///   - system: as `opening` has it.
    func lead(isFirst: Bool, pictures: Int, system: String? = nil) -> [Segment] {
        guard pictures > 0 else { return [] }
        let before = beforeQuestion(isFirst: isFirst, system: system)
        var segments: [Segment] = before.segments + [.text(before.text), .picture]
        for _ in 1..<pictures { segments += [.text("\n"), .picture] }
        return segments
    }

    /// The rest of the turn, up to where the model begins to answer.
    func question(_ question: String, isFirst: Bool, pictures: Int, system: String? = nil) -> [Segment] {
        if pictures > 0 { return afterPictures("\n" + question) }
        let before = beforeQuestion(isFirst: isFirst, system: system)
        return before.segments + afterPictures(before.text + question)
    }

    /// A whole turn of the user.
    func user(_ text: String, isFirst: Bool, pictures: Int) -> [Segment] {
        lead(isFirst: isFirst, pictures: pictures) + question(text, isFirst: isFirst, pictures: pictures)
    }

    /// What ends an answer: the model writes the first of it itself unless it was stopped.
    func answerEnd() -> [Segment] {
        switch self {
        case .vicunaV1, .plain, .llama2, .mistral, .zephyr: [.control("</s>")]
        case .chatML: closeChatML
        }
    }

    private var closeChatML: [Segment] { [.control("<|im_end|>"), .text("\n")] }

    /// Control tokens and the words that stand before the question.
    private func beforeQuestion(isFirst: Bool, system: String?) -> (segments: [Segment], text: String) {
        switch self {
        case .vicunaV1: ([], isFirst ? (system ?? Self.vicunaSystem) + " USER: " : "USER: ")
        case .plain: ([], isFirst ? (system.map { $0 + " " } ?? "") + "USER: " : "USER: ")
        case .llama2:
            ([.beginning], "[INST] " + (isFirst ? system.map { "<<SYS>>\n\($0)\n<</SYS>>\n\n" } ?? "" : ""))
        case .mistral: ([], "[INST] ")
        case .chatML: ([.control("<|im_start|>")], "user\n")
        case .zephyr: ([], isFirst ? "<|user|>\n" : "\n<|user|>\n")
        }
    }

    private func afterPictures(_ question: String) -> [Segment] {
        switch self {
        case .vicunaV1, .plain: [.text(question + " ASSISTANT:")]
        case .llama2, .mistral: [.text(question + " [/INST]")]
        case .chatML: [.text(question)] + closeChatML + [.control("<|im_start|>"), .text("assistant\n")]
        case .zephyr: [.text(question), .control("</s>"), .text("\n<|assistant|>\n")]
        }
    }

    private static let chatMLSystem = "Answer the questions."
    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."
}

extension Tokenizer {
    /// The tokens of one segment; none for a picture, whose rows are no tokens.
    func encode(_ segment: ChatTemplate.Segment) -> [Int32] {
        switch segment {
        case .beginning: vocabulary.addsBeginning ? vocabulary.beginning.map { [$0] } ?? [] : []
        case .text(let text): encode(text)
        case .control(let name): controlToken(named: name).map { [$0] } ?? encode(name)
        case .picture: []
        }
    }
}
