// ScreenFlags.swift — the options about the screen and about the conversation that is on it.

public import ArgumentParser
public import ChatTUI

extension ImageProtocol: ExpressibleByArgument {}
extension ThemeChoice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}

struct ScreenFlags: ParsableArguments {
    @Option(help: "How pictures are drawn on the screen.")
    var imageProtocol: ImageProtocol?

    @Option(help: "The colours of the screen.")
    var theme: ThemeChoice?

    @Option(help: "Whether to use colours; auto heeds the terminal, NO_COLOR and CLICOLOR_FORCE.")
    var color: ColorChoice?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Give each token this long on the screen, for an audience; measured times stay true.", valueName: "seconds")
    )
    var pace: Double?

    func validate() throws {
        guard pace.map({ (0...60).contains($0) }) ?? true else {
            throw ValidationError("--pace must be between 0 and 60 seconds a token")
        }
    }

    func apply(to configuration: inout ChatConfiguration) {
        if let imageProtocol { configuration.imageProtocol = imageProtocol }
        if let theme { configuration.theme = theme }
        if let color { configuration.color = color }
        if let pace { configuration.pace = pace }
    }
}

struct ConversationFlags: ParsableArguments {
    @Flag(name: .customLong("continue"), help: "Go on with the last conversation.")
    var continuesLast = false

    @Option(
        help: ArgumentHelp("Go on with this conversation; `specchat sessions list` names them.", valueName: "id"))
    var resume: String?

    @Flag(name: .customLong("no-save"), help: "Keep nothing of this conversation.")
    var savesNothing = false

    @Flag(help: "Store the pictures themselves with the conversation, not only where they were.")
    var keepImages = false

    func validate() throws {
        guard !continuesLast || resume == nil else { throw ValidationError("give one of --continue and --resume ID") }
        guard !savesNothing || !keepImages else {
            throw ValidationError("--no-save stores nothing, so --keep-images has no meaning with it")
        }
    }

    func apply(to configuration: inout ChatConfiguration) {
        if continuesLast { configuration.conversation = .latest }
        if let resume { configuration.conversation = .stored(id: resume) }
        if savesNothing { configuration.savesConversations = false }
        if keepImages { configuration.keepsImages = true }
    }
}
