// TemplateRecognition.swift — which family of prompts a checkpoint's own chat template belongs to. Used by Chat.

extension ChatTemplate {
    /// The family that a checkpoint's template belongs to, by the marks that it writes; absent where it fits none.
    ///
    /// - Parameter text: the template itself, as Jinja, or a family's name.
    static func recognised(in text: String) -> ChatTemplate? {
        func has(_ marks: String...) -> Bool { marks.contains(where: text.contains) }
        if let named = ChatTemplate(rawValue: text) { return named }
        if text == "vicuna" { return .vicunaV1 }
        if has("<|im_start|>"), has("<|im_end|>") { return endsLines(text) ? .chatML : .chatMLDirect }
        if has("[INST]"), has("[/INST]") { return instructions(text) }
        // Phi's template looks alike and ends its turns in a way of its own.
        if has("<|user|>"), has("<|assistant|>"), !has("<|end|>") { return .zephyr }
        guard has("ASSISTANT:"), has("USER:", ".upper()", "| upper") else { return nil }
        if has("A chat between a curious user") { return .vicunaV1 }
        if has("A chat between a curious human") { return .llavaV1 }
        if has("eos_token", "</s>") { return .plain }
        return has("<image>", ".upper()", "| upper") ? .llavaHF : .plain
    }

    /// The family of an original LLaVA checkpoint, by how it was trained: such folders name no template, or that of the
    /// language model which they were made from.
    ///
    /// - Parameters:
    ///   - architecture: or type of model, of `config.json`: "LlavaMistralForCausalLM", "llava_mistral".
    ///   - isTiled: whether pictures are cut into tiles, as LLaVA-1.6 does. BakLLaVA is Mistral too, but was trained with
    ///     LLaVA-1.5's pictures and conversations.
    ///   - hasChatML: whether the vocabulary has "<|im_start|>", as Yi's has.
    static func original(architecture: String, isTiled: Bool, hasChatML: Bool) -> ChatTemplate {
        if architecture.lowercased().contains("mistral") { return isTiled ? .mistralInstruct : .vicunaV1 }
        return hasChatML ? .chatMLDirect : .vicunaV1
    }

    private static func instructions(_ text: String) -> ChatTemplate {
        func has(_ marks: String...) -> Bool { marks.contains(where: text.contains) }
        if has("<<SYS>>") { return has("<image>") ? .llavaNext : .llama2 }
        if has("bos_token + '[INST]", "bos_token + \"[INST]") { return .llama2 }
        if has("<image>") { return .llavaNext }
        if has("'[/INST]", "\"[/INST]") { return .mistralV3 }
        return has("' [INST] ", "\" [INST] ") ? .mistralSpaced : .mistral
    }

    /// Whether a line ends after "<|im_end|>", in any of the ways in which Jinja can say it.
    private static func endsLines(_ text: String) -> Bool {
        var rest = text[...]
        while let mark = rest.firstRange(of: "<|im_end|>") {
            rest = rest[mark.upperBound...]
            let next = rest.drop { "'\"+ ".contains($0) }
            if next.hasPrefix("\n") || next.hasPrefix("\\n") { return true }
        }
        return false
    }
}
