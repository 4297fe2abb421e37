// ChatApp.swift — the chat: on the screen where there is one, line by line elsewhere.

import ConversationStore
public import Engine
import Foundation

/// What the chat is started with.
public struct ChatConfiguration: Sendable {
    public var source: ChatSource
    /// Named in the title.
    public var modelName: String
    public var draftName: String?
    /// Lines of the empty transcript; the first is set off.
    public var welcome: [String]
    public var options: GenerationOptions
    /// Picture files to attach at the start, in this order.
    public var images: [String]
    public var imageProtocol: ImageProtocol

    public var theme = ThemeChoice.auto
    public var color = ColorChoice.auto
    /// The size that the draft tree begins with.
    public var treeSize = TreeSize.full
    /// Where the settings file is, or would be; named by `/doctor`.
    public var settingsFile: String?
    /// Whether answers are styled as Markdown; the true text is kept either way.
    public var rendersMarkdown = true
    /// Whether the model can be shown pictures.
    public var seesPictures = true
    /// The command that edits a question, such as "vim -f"; absent: $VISUAL, $EDITOR, or vi.
    public var editor: String?

    public var conversation = ConversationChoice.new
    /// How conversations are saved and resumed; absent where they cannot be.
    public var sessions: SessionSource?
    /// Whether conversations are stored.
    public var savesConversations = true
    /// Whether stored conversations hold the bytes of their pictures, not only where they were.
    public var keepsImages = false
    /// Bytes that the folder of encoded pictures may take; 0 keeps none.
    public var pictureCacheBytes = PictureCacheOptions.standardBytes

    public init(
        source: ChatSource, modelName: String, draftName: String? = nil, welcome: [String] = [],
        options: GenerationOptions = GenerationOptions(), images: [String] = [], imageProtocol: ImageProtocol = .auto
    ) {
        self.source = source
        self.modelName = modelName
        self.draftName = draftName
        self.welcome = welcome
        self.options = options
        self.images = images
        self.imageProtocol = imageProtocol
    }
}

public struct ChatApp {
    private let configuration: ChatConfiguration
    private let environment: [String: String]

    public init(
        configuration: ChatConfiguration, environment: [String: String]? = nil
    ) {
        self.configuration = configuration
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Runs the chat to its end and returns the exit code. Blocks the calling thread, which owns the screen.
    ///
    /// Off a terminal, and on one without cursor movement, questions are read line by line and only answers printed.
    public func run() -> Int32 {
        Terminal.useLocale()
        switch Terminal.obstacle(terminalName: environment["TERM"] ?? "") {
        case .notATerminal, .dumbTerminal:
            return LineChat(configuration: configuration, environment: environment).run()
        case let obstacle?: return ChatApp.fail(obstacle.description, exitCode: 3)
        case nil: return runScreen()
        }
    }

    /// - Parameter demo: what plays instead of a user.
    func runScreen(playing demo: Demo? = nil) -> Int32 {
        let mailbox = Mailbox(wake: Terminal.post)
        let home = environment["HOME"]
        let sessions = configuration.sessions.map { source in
            ChatSessions(configuration, source, environment: environment) { mailbox.post(.session($0)) }
        }
        let runner = JobRunner(source: configuration.source, mailbox: mailbox, home: home, sessions: sessions)
        let files = FileLookup(home: home)
        let history = configuration.savesConversations ? HistoryFile.path(environment: environment) : nil
        let past = history.map(HistoryFile.init(path:))
        let editor = EditorLauncher(wish: configuration.editor, environment: environment)
        let actions = ScreenActions(
            start: { job, options in runner.start(job, options: options) }, cancel: { runner.cancel() },
            listFiles: { .files(files.completions(of: $0), completing: $0) },
            edit: { text, wait in editor.edit(text, wait: wait) }, remember: { past?.append($0) },
            lookForPictures: { $0.first { $0.allSatisfy(files.isFile) } },
            session: { sessions?.shelf.carryOut($0) }, beforeSuspend: { sessions?.flushShortly() },
            gate: configuration.source.gate)
        var state = initialState
        state.composer.history.begin(with: past?.load() ?? [])
        defer { past?.finish() }
        state.demo = demo
        do throws(StoreError) {
            let effects = try begin(&state, sessions: sessions)
            return show(state, mailbox: mailbox, actions: actions, beginning: effects) {
                if let failure = sessions?.close() { PlainOutput.complain(failure) }
                runner.abandon()
            }
        } catch {
            return ChatApp.fail("\(error)", exitCode: error.exitCode)
        }
    }

    /// What the screen begins with: a conversation to go on with, if one was asked for, and pictures.
    private func begin(_ state: inout AppState, sessions: ChatSessions?) throws(StoreError) -> [Effect] {
        var effects = state.enqueue(.load)
        if let saved = try sessions?.chosen(configuration.conversation) {
            let options = sessions?.options(for: saved, over: state.options) ?? state.options
            effects += state.open(saved, options: options)
        } else if configuration.conversation == .latest {
            state.hint = "no conversation is saved yet, so a new one begins"
        }
        for path in configuration.images { effects += state.enqueue(.attach(path: path)) }
        return effects
    }

    private func show(
        _ state: AppState, mailbox: Mailbox, actions: ScreenActions, beginning effects: [Effect], whenDone: () -> Void
    ) -> Int32 {
        do {
            let loop = try ScreenLoop(
                state: state, environment: environment, mailbox: mailbox, actions: actions,
                imageProtocol: configuration.imageProtocol)
            let end = loop.run(beginning: effects)
            whenDone()
            return end.message.map { ChatApp.fail($0, exitCode: end.exitCode) } ?? end.exitCode
        } catch {
            return ChatApp.fail(error.description, exitCode: 3)
        }
    }

    private var initialState: AppState {
        var state = AppState()
        state.modelName = configuration.modelName
        state.draftName = configuration.draftName
        state.welcome = configuration.welcome
        state.options = configuration.options
        state.look = ScreenLook(theme: configuration.theme, color: configuration.color)
        state.terminal.noteFiles(environment: environment, settingsFile: configuration.settingsFile)
        state.showsMarkdown = configuration.rendersMarkdown
        state.seesPictures = configuration.seesPictures
        state.tree.size = configuration.treeSize
        state.session.isSaved = configuration.savesConversations && configuration.sessions != nil
        state.symbols = Terminal.isUTF8 ? .unicode : .ascii
        return state
    }

    static func fail(_ message: String, exitCode: Int32) -> Int32 {
        PlainOutput.complain(message)
        return exitCode
    }
}

extension StoreError {
    /// A name that was typed wrongly is a mistake of the command line.
    var exitCode: Int32 {
        switch self {
        case .unknownConversation, .ambiguous: 2
        default: 1
        }
    }
}
