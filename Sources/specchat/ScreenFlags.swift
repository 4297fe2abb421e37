// ScreenFlags.swift — the options about the screen and about the conversation that is on it.

public import ArgumentParser
public import ChatTUI

extension ImageProtocol: ExpressibleByArgument {}
extension ThemeChoice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
extension TreeSize: ExpressibleByArgument {}

struct ScreenFlags: ParsableArguments {
    @Option(help: "How pictures are drawn on the screen.")
    var imageProtocol: ImageProtocol?

    @Option(help: "The colours of the screen.")
    var theme: ThemeChoice?

    @Option(help: "Whether to use colours; auto heeds the terminal, NO_COLOR and CLICOLOR_FORCE.")
    var color: ColorChoice?

    @Option(help: "The draft tree at the start.")
    var tree: TreeSize?

    @Flag(inversion: .prefixedNo, help: "Style answers as Markdown; copies and exports keep the true text.")
    var markdown: Bool?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Leave every round standing this long, for an audience; measured times stay true.", valueName: "seconds")
    )
    var pace: Double?

    @Option(
        help: ArgumentHelp(
            "The command that edits a question; default: $VISUAL, $EDITOR, or vi.", valueName: "command"))
    var editor: String?

    func validate() throws { try SettingEntry.check(entries) }

    var entries: [SettingEntry] {
        let texts: [(SettingKey, String?)] = [
            (.imageProtocol, imageProtocol?.rawValue), (.theme, theme?.rawValue), (.color, color?.rawValue),
            (.tree, tree?.rawValue), (.editor, editor),
        ]
        return texts.flatMap { SettingEntry.flag($0, $1.map { .text($0) }) }
            + SettingEntry.flag(.markdown, markdown.map { .truth($0) })
            + SettingEntry.flag(.pace, pace.map { .number($0) })
    }
}

struct ConversationFlags: ParsableArguments {
    @Flag(name: .customLong("continue"), help: "Go on with the last conversation.")
    var continuesLast = false

    @Option(
        help: ArgumentHelp("Go on with this conversation; `specchat sessions list` names them.", valueName: "id"),
        completion: .conversations)
    var resume: String?

    @Flag(inversion: .prefixedNo, help: "Store this conversation.")
    var save: Bool?

    @Flag(inversion: .prefixedNo, help: "Store the pictures themselves too, not only where they were.")
    var keepImages: Bool?

    @Option(
        help: ArgumentHelp("What encoded pictures may take on disk, such as 512MB; 0 keeps none.", valueName: "size"))
    var pictureCache: String?

    @Flag(inversion: .prefixedNo, help: "Keep the last answers of the model, for later conversations to draft from.")
    var keepAnswers: Bool?

    func validate() throws {
        guard !continuesLast || resume == nil else { throw ValidationError("give one of --continue and --resume ID") }
        guard save != false || keepImages != true else {
            throw ValidationError("--no-save stores nothing, so --keep-images has no meaning with it")
        }
        try SettingEntry.check(entries)
    }

    var entries: [SettingEntry] {
        SettingEntry.flag(.save, save.map { .truth($0) })
            + SettingEntry.flag(.keepImages, keepImages.map { .truth($0) })
            + SettingEntry.flag(.pictureCache, pictureCache.map { .text($0) })
            + SettingEntry.flag(.keepAnswers, keepAnswers.map { .truth($0) })
    }

    var choice: ConversationChoice {
        if continuesLast { .latest } else if let resume { .stored(id: resume) } else { .new }
    }
}
