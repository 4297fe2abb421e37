// ChatApp.swift — the chat: on the screen where there is one, line by line elsewhere.

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
    /// The command that edits a question, such as "vim -f"; absent: $VISUAL, $EDITOR, or vi.
    public var editor: String?

    public var conversation = ConversationChoice.new
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
            return LineChat(configuration: configuration, home: environment["HOME"]).run()
        case let obstacle?: return ChatApp.fail(obstacle.description, exitCode: 3)
        case nil: return runScreen()
        }
    }

    /// - Parameter demo: what plays instead of a user.
    func runScreen(playing demo: Demo? = nil) -> Int32 {
        let mailbox = Mailbox(wake: Terminal.post)
        let home = environment["HOME"]
        let runner = JobRunner(source: configuration.source, mailbox: mailbox, home: home)
        let files = FileLookup(home: home)
        let history = configuration.savesConversations ? HistoryFile.path(environment: environment) : nil
        let past = history.map(HistoryFile.init(path:))
        let editor = EditorLauncher(wish: configuration.editor, environment: environment)
        let actions = ScreenActions(
            start: { job, options in runner.start(job, options: options) }, cancel: { runner.cancel() },
            listFiles: { .files(files.completions(of: $0), completing: $0) },
            edit: { text, wait in editor.edit(text, wait: wait) }, remember: { past?.append($0) },
            lookForPictures: { .pastedPaths($0, exist: $0.allSatisfy(files.isFile), original: $1) },
            gate: configuration.source.gate)
        var state = initialState
        state.composer.history.begin(with: past?.load() ?? [])
        defer { past?.finish() }
        state.demo = demo
        var effects = state.enqueue(.load)
        for path in configuration.images { effects += state.enqueue(.attach(path: path)) }
        do {
            let loop = try ScreenLoop(
                state: state, environment: environment, mailbox: mailbox, actions: actions,
                imageProtocol: configuration.imageProtocol)
            let end = loop.run(beginning: effects)
            runner.cancel()
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
        state.tree.size = configuration.treeSize
        state.symbols = Terminal.isUTF8 ? .unicode : .ascii
        return state
    }

    static func fail(_ message: String, exitCode: Int32) -> Int32 {
        PlainOutput.complain(message)
        return exitCode
    }
}
