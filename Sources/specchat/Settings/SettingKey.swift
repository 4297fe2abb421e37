// SettingKey.swift — every setting there is: its table, its name, its variable, what it may be. One line each.

import ChatTUI
import Engine

/// A thing that can be set. It is called the same everywhere: `top-p` in the file, --top-p, SPECCHAT_TOP_P.
struct SettingKey: Sendable, Equatable {
    let table: String
    let name: String
    /// One sentence for the settings file.
    let about: String
    /// A value to show where there is no default.
    let example: SettingValue?
    let form: SettingForm

    private init(_ table: String, _ name: String, _ about: String, example: SettingValue? = nil, _ form: SettingForm) {
        self.table = table
        self.name = name
        self.about = about
        self.example = example
        self.form = form
    }

    /// What `/set` changes too, under the same name and between the same bounds.
    private init(_ table: String, _ setting: Setting, example: SettingValue? = nil) {
        self.init(
            table, setting.rawValue, setting.help.prefix(1).uppercased() + setting.help.dropFirst() + ".",
            example: example, .generation(setting))
    }

    /// The environment variable.
    var variable: String { "SPECCHAT_" + name.uppercased().replacing("-", with: "_") }

    static func == (a: SettingKey, b: SettingKey) -> Bool { a.name == b.name }

    static func named(_ name: String) -> SettingKey? { all.first { $0.name == name } }

    /// The tables in the order in which they are written.
    static let tables = ["model", "speculation", "sampling", "screen", "conversations"]
    static let all = modelKeys + speculationKeys + samplingKeys + screenKeys + conversationKeys

    // MARK: [model]

    static let model = SettingKey(
        "model", "model", "A bundle's folder, or a GGUF language model. Without it: the demo model.",
        example: .text("~/models/llava-1.5-7b.gguf"), .text(\.model, isPath: true, "the path of a folder or a file"))
    static let mmproj = SettingKey(
        "model", "mmproj", "The GGUF vision file of that model.", example: .text("~/models/mmproj.gguf"),
        .text(\.mmproj, isPath: true, "the path of a file"))
    static let draft = SettingKey(
        "model", "draft",
        "A draft of the bundle (small, medium) or a GGUF language model, with +lookup for words that were said before; "
            + "lookup for those alone; none.",
        example: .text("small+lookup"),
        .text(
            \.draft, isPath: true,
            "a draft's name or the path of a file, with or without +lookup, \"lookup\" or \"none\""))
    static let draftProjector = SettingKey(
        "model", "draft-projector", "The GGUF projector with which a draft file sees the picture.",
        example: .text("~/models/draft-projector.gguf"), .text(\.draftProjector, isPath: true, "the path of a file"))
    static let threads = SettingKey(
        "model", "threads", "Threads for the arithmetic. Without it: one per physical core.", example: .integer(4),
        .integer(\.threads, "between 1 and 1024") { (1...1024).contains($0) })
    static let context = SettingKey(
        "model", "context", "Tokens that a conversation can hold. Without it: what the model allows.",
        example: .integer(4096), .integer(\.context, "1 or more") { $0 >= 1 })
    static let template = SettingKey(
        "model", "template", "How prompts are written. Without it: as the model's files say.",
        example: .text("vicuna_v1"), .choice(\.template))
    static let kvCache = SettingKey(
        "model", "kv-cache", "How the keys and values of the text are kept; q8_0 takes half of f16's memory.",
        .choice(\.cacheFormat))
    static let quantize = SettingKey(
        "model", "quantize",
        "What the matrices of a model of F32, F16 or BF16 become while it is loaded: q8_0, q4_0 or q4_k.",
        example: .text("q8_0"), .choice(\.quantize))
    static let weightCache = SettingKey(
        "model", "weight-cache", "What packed weights of large models may take on disk; \"0\" keeps none.",
        .size(\.weightCache))
    private static let modelKeys = [
        model, mmproj, draft, draftProjector, threads, context, template, kvCache, quantize, weightCache,
    ]

    // MARK: [speculation]

    static let speculation = SettingKey(
        "speculation", "speculation",
        "How to draft: off, chain (one path), or dynamic (a tree sized by what it costs).",
        .choice(\.generation.speculation.policy))
    static let nodes = SettingKey("speculation", .nodes, example: .integer(8))
    private static let speculationKeys = [speculation, nodes]

    // MARK: [sampling]

    static let temperature = SettingKey("sampling", .temperature)
    static let topK = SettingKey("sampling", .topK)
    static let topP = SettingKey("sampling", .topP)
    static let minP = SettingKey("sampling", .minP)
    static let repetitionPenalty = SettingKey("sampling", .repetitionPenalty)
    static let seed = SettingKey("sampling", .seed)
    static let maxTokens = SettingKey("sampling", .maximumTokens)
    private static let samplingKeys = [temperature, topK, topP, minP, repetitionPenalty, seed, maxTokens]

    // MARK: [screen]

    static let theme = SettingKey(
        "screen", "theme", "The colours of the screen: auto, dark, light, high-contrast or none.", .choice(\.theme))
    static let color = SettingKey(
        "screen", "color", "Whether to use colours: auto heeds the terminal, NO_COLOR and CLICOLOR_FORCE.",
        .choice(\.color))
    static let imageProtocol = SettingKey(
        "screen", "image-protocol", "How pictures are drawn on the screen.", .choice(\.imageProtocol))
    static let tree = SettingKey(
        "screen", "tree", "The draft tree at the start: off, mini or full.", .choice(\.tree))
    static let markdown = SettingKey(
        "screen", "markdown", "Style answers as Markdown; copies and exports keep the true text.", .truth(\.markdown))
    static let pace = SettingKey(
        "screen", "pace", "Seconds that every round is left standing, for an audience; 0 waits for nothing.",
        .number(\.pace, "between 0 and 60 seconds a round") { (0...60).contains($0) })
    static let editor = SettingKey(
        "screen", "editor", "The command that edits a question. Without it: $VISUAL, $EDITOR, or vi.",
        example: .text("vim -f"), .text(\.editor, "a command"))
    private static let screenKeys = [theme, color, imageProtocol, tree, markdown, pace, editor]

    // MARK: [conversations]

    static let save = SettingKey(
        "conversations", "save", "Store conversations, for --continue and `specchat sessions`.", .truth(\.save))
    static let keepImages = SettingKey(
        "conversations", "keep-images", "Store the pictures themselves too, not only where they were.",
        .truth(\.keepImages))
    static let pictureCache = SettingKey(
        "conversations", "picture-cache", "What encoded pictures may take on disk; \"0\" keeps none.",
        .size(\.pictureCache))
    static let keepAnswers = SettingKey(
        "conversations", "keep-answers", "Keep the last answers of each model, for later conversations to draft from.",
        .truth(\.keepAnswers))
    private static let conversationKeys = [save, keepImages, pictureCache, keepAnswers]
}
