// ModelOptions.swift — the options that say which files and how much of the machine. Shared by all that load a model.

public import ArgumentParser
public import Engine

extension ChatTemplate: ExpressibleByArgument {}
extension CacheFormat: ExpressibleByArgument {}
extension Quantisation: ExpressibleByArgument {}

struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A GGUF file, a folder, or a name in another program's store such as ollama:llava:7b (`specchat models` lists "
                + "them); default: the demo model.", valueName: "model"),
        completion: .models)
    var model: String?

    @Option(
        help: ArgumentHelp("The GGUF vision file or the CLIP folder, in place of the model's own.", valueName: "path"),
        completion: .models)
    var mmproj: String?

    @Option(
        help: ArgumentHelp(
            "A draft of the bundle (small, medium), a GGUF language model or a Hugging Face folder, with +lookup for words "
                + "that were said before; lookup for those alone; none. Default: the bundle's draft; lookup where it has "
                + "none.", valueName: "draft"),
        completion: .drafts)
    var draft: String?

    @Option(
        help: ArgumentHelp(
            "The GGUF projector, or the LLaVA folder, with which a draft sees the picture.", valueName: "path"),
        completion: .models)
    var draftProjector: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads for the arithmetic; default: one per physical core.", valueName: "n"))
    var threads: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tokens that a conversation can hold; default: what the model allows.", valueName: "n"))
    var context: Int?

    @Option(
        help: ArgumentHelp(
            "How prompts are written, whatever the model's files say.",
            valueName: "family"))
    var template: ChatTemplate?

    @Option(
        help: ArgumentHelp(
            "How the keys and values of the text are kept; q8_0 takes half the memory; default: f16.", valueName: "type"
        ))
    var kvCache: CacheFormat?

    @Option(
        help: ArgumentHelp(
            "Make the matrices of an F32, F16 or BF16 model into this type while it is loaded; a large one is kept so for "
                + "the next start.", valueName: "type"))
    var quantize: Quantisation?

    @Option(
        help: ArgumentHelp(
            "What packed weights of large models may take on disk, such as 20GB; 0 keeps none.", valueName: "size"))
    var weightCache: String?

    func validate() throws { try SettingEntry.check(entries) }

    var entries: [SettingEntry] {
        let paths: [(SettingKey, String?)] = [
            (.model, model), (.mmproj, mmproj), (.draft, draft), (.draftProjector, draftProjector),
        ]
        let numbers: [(SettingKey, Int?)] = [(.threads, threads), (.context, context)]
        return SettingEntry.flag(.template, template.map { .text($0.rawValue) })
            + SettingEntry.flag(.kvCache, kvCache.map { .text($0.rawValue) })
            + SettingEntry.flag(.quantize, quantize.map { .text($0.rawValue) })
            + SettingEntry.flag(.weightCache, weightCache.map { .text($0) })
            + paths.flatMap { SettingEntry.flag($0, $1.map { .text($0) }) }
            + numbers.flatMap { SettingEntry.flag($0, $1.map { .integer($0) }) }
    }
}
