// ChatTemplate.swift — how a conversation is written for a model, turn by turn, as segments. Used by Chat.

/// The families of chat prompts that models of LLaMA's architecture were trained with, each token by token what its
/// original writes: the conversations of the LLaVA code, or the chat template of a Hugging Face checkpoint.
///
/// A prompt is a list of segments, so that what a user types can never become a control token. Everything up to a picture
/// is known before the question is: `lead` can be prefilled while the user types. The words of an answer are the model's
/// own tokens; they are never cut anew.
public enum ChatTemplate: String, Sendable, Equatable, CaseIterable {
    /// Vicuna's and LLaVA-1.5's own: a system sentence, then "USER: … ASSISTANT:".
    case vicunaV1 = "vicuna_v1"
    /// The same with the system sentence that LLaVA's command line chooses.
    case llavaV1 = "llava_v1"
    /// The chat template of llava-hf's LLaVA-1.5 and 1.6 on Vicuna: no system sentence, and no end after an answer.
    case llavaHF = "llava_hf"
    /// vicuna_v1 without the system sentence: our demo models.
    case plain
    /// "[INST] … [/INST]", every turn with a beginning token: Llama 2 Chat.
    case llama2
    /// "[INST] … [/INST]", one beginning token: Mistral Instruct.
    case mistral
    /// The same with a space before "[INST]": Mistral's later chat templates.
    case mistralSpaced = "mistral_spaced"
    /// "[INST]" as a control token: Mistral Instruct from version 0.3 on.
    case mistralV3 = "mistral_v3"
    /// The original LLaVA-1.6 on Mistral: a space before the end of an answer.
    case mistralInstruct = "mistral_instruct"
    /// The chat template of llava-hf's LLaVA-1.6 on Mistral: a space after the end of an answer.
    case llavaNext = "llava_next"
    /// "<|im_start|>user … <|im_end|>", each on lines of its own.
    case chatML = "chatml"
    /// The original LLaVA-1.6 on Yi: no line end after "<|im_end|>".
    case chatMLDirect = "chatml_direct"
    /// "<|user|> … <|assistant|>"; TinyLlama and its kin.
    case zephyr

    enum Segment: Sendable, Equatable {
        /// The token that a tokenizer puts before a text.
        case beginning
        /// The same token where the template writes it; a tokenizer takes what follows for the middle of a text.
        case beginningMark
        /// Text of the template and of the user; never parsed for control tokens. Texts that stand side by side are one.
        case text(String)
        /// Text that goes on where an answer or a mark ended: no space is put before it.
        case continued(String)
        /// A control token by its name; where the vocabulary has none, the name is text.
        case control(String)
        /// The rows of one picture.
        case picture
    }

    // MARK: The parts of a conversation

    /// Whether the family's template has a place for a system prompt.
    var hasSystem: Bool { self != .mistral && self != .mistralV3 }

    /// Whether the token with which a model ends its answer stays in the text.
    var keepsStop: Bool { self != .llavaHF }

    /// What comes before the first turn.
    ///
    /// - Parameter system: the system prompt; absent: the family's own, where it has one.
    func opening(system: String? = nil) -> [Segment] {
        let system = system ?? ownSystem
        return switch self {
        case .llama2: []  // every turn begins with its own
        case .mistral, .mistralSpaced, .mistralV3: [.beginningMark]
        case .mistralInstruct: [.beginning]
        case .vicunaV1, .llavaV1, .llavaHF, .plain: [.beginning] + (system.map { [.text($0 + " ")] } ?? [])
        case .llavaNext: [.beginning] + (system.map { [.text(Self.llamaSystem($0))] } ?? [])
        case .chatML, .chatMLDirect:
            [.beginning]
                + (system.map { [.control("<|im_start|>"), .text("system\n" + $0)] + answerEnd() } ?? [])
        case .zephyr: [.beginning] + (system.map { [.text("<|system|>\n" + $0)] + answerEnd() } ?? [])
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
        var segments = beforeQuestion(isFirst: isFirst, system: system) + [.picture]
        for _ in 1..<pictures { segments += [.text("\n"), .picture] }
        return segments
    }

    /// The rest of the turn, up to where the model begins to answer.
    func question(_ question: String, isFirst: Bool, pictures: Int, system: String? = nil) -> [Segment] {
        let before = pictures > 0 ? [.text("\n")] : beforeQuestion(isFirst: isFirst, system: system)
        return Self.joined(before + [.text(self == .llama2 ? Self.trimmed(question) : question)] + afterQuestion)
    }

    /// A whole turn of the user.
    func user(_ text: String, isFirst: Bool, pictures: Int) -> [Segment] {
        lead(isFirst: isFirst, pictures: pictures) + question(text, isFirst: isFirst, pictures: pictures)
    }

    /// What ends an answer: the model writes up to the first control token itself unless it was stopped.
    func answerEnd() -> [Segment] {
        switch self {
        case .vicunaV1, .llavaV1, .plain, .mistral, .mistralSpaced, .mistralV3: [.control("</s>")]
        case .llama2, .mistralInstruct: [.continued(" "), .control("</s>")]
        case .llavaNext: [.control("</s>"), .text(" ")]
        case .llavaHF: [.continued(" ")]
        case .chatML: [.control("<|im_end|>"), .text("\n")]
        case .chatMLDirect: [.control("<|im_end|>")]
        case .zephyr: [.control("</s>"), .text("\n")]
        }
    }

    /// What of `answerEnd` is missing after an answer that the model ended itself.
    func answerEndAfterStop() -> [Segment] {
        let end = answerEnd()
        let mark = end.firstIndex { if case .control = $0 { true } else { false } }
        return mark.map { Array(end[($0 + 1)...]) } ?? end
    }

    private func beforeQuestion(isFirst: Bool, system: String?) -> [Segment] {
        let system = isFirst ? system : nil
        return switch self {
        case .vicunaV1, .llavaV1, .llavaHF, .plain: [.text("USER: ")]
        case .llama2: [.beginningMark, .text("[INST] " + (system.map(Self.llamaSystem) ?? ""))]
        case .mistralInstruct: [.text("[INST] " + (system.map(Self.llamaSystem) ?? ""))]
        case .mistral, .llavaNext: [.text("[INST] ")]
        case .mistralSpaced: [.text(" [INST] " + (system.map { $0 + "\n\n" } ?? ""))]
        case .mistralV3: [.control("[INST]"), .continued(" ")]
        case .chatML, .chatMLDirect: [.control("<|im_start|>"), .text("user\n")]
        case .zephyr: [.text("<|user|>\n")]
        }
    }

    private var afterQuestion: [Segment] {
        switch self {
        case .vicunaV1, .llavaV1, .llavaHF, .plain: [.text(" ASSISTANT:")]
        case .llama2, .mistral, .mistralSpaced, .mistralInstruct, .llavaNext: [.text(" [/INST]")]
        case .mistralV3: [.control("[/INST]")]
        case .chatML, .chatMLDirect: answerEnd() + [.control("<|im_start|>"), .text("assistant\n")]
        case .zephyr: answerEnd() + [.text("<|assistant|>\n")]
        }
    }

    /// The system prompt of conversations that have no other.
    private var ownSystem: String? {
        switch self {
        case .vicunaV1: Self.vicunaSystem(of: "user")
        case .llavaV1: Self.vicunaSystem(of: "human")
        case .chatMLDirect: "Answer the questions."
        default: nil
        }
    }

    private static func vicunaSystem(of person: String) -> String {
        "A chat between a curious \(person) and an artificial intelligence assistant. "
            + "The assistant gives helpful, detailed, and polite answers to the \(person)'s questions."
    }

    private static func llamaSystem(_ system: String) -> String { "<<SYS>>\n\(system)\n<</SYS>>\n\n" }

    /// Llama 2's template takes the space around a question away: what Python calls space.
    private static func trimmed(_ text: String) -> String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last])
    }

    /// The same segments, texts side by side as one.
    static func joined(_ segments: [Segment]) -> [Segment] {
        segments.reduce(into: []) { joined, segment in
            switch (joined.last, segment) {
            case (.text(let first), .text(let second)): joined[joined.count - 1] = .text(first + second)
            case (.continued(let first), .text(let second)): joined[joined.count - 1] = .continued(first + second)
            default: joined.append(segment)
            }
        }
    }
}

extension Tokenizer {
    /// The tokens of segments that follow each other; none for a picture, whose rows are no tokens.
    func encode(_ segments: [ChatTemplate.Segment]) -> [Int32] {
        // A mark that the vocabulary lacks is read as the text that it looks like.
        let known = segments.map { segment -> ChatTemplate.Segment in
            if case .control(let name) = segment, controlToken(named: name) == nil { .text(name) } else { segment }
        }
        var tokens: [Int32] = []
        var place = SegmentPlace.middle
        for segment in ChatTemplate.joined(known) {
            switch segment {
            case .beginning:
                tokens += vocabulary.addsBeginning ? vocabulary.beginning.map { [$0] } ?? [] : []
                place = .start
                continue
            case .beginningMark: tokens += vocabulary.beginning.map { [$0] } ?? []
            case .text(let text): tokens += encode(text, at: place)
            case .continued(let text): tokens += encode(text, at: .continued)
            case .control(let name): tokens += controlToken(named: name).map { [$0] } ?? []
            case .picture: break
            }
            place = .middle
        }
        return tokens
    }
}
