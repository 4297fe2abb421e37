// AppState.swift — everything that the screen shows, as one value. Changed by reduce, drawn by render.

import ConversationStore
import Engine

/// One entry of the transcript.
struct Turn: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case question(Waiting)
        case answer(Ending)
        case picture
        case notice
        case failure
        /// Where one conversation ends and the next begins.
        case divider
    }
    enum Waiting: Sendable, Equatable { case queued, sent }
    enum Ending: Sendable, Equatable {
        case streaming, stopping, complete
        /// Stopped by the user, cut by the token limit, cut by a full context, broken off by an error.
        case stopped, limit, contextFull, broken
    }

    let id: Int
    var content: Content
    var text: String
    /// Of an answer: which bytes of the text came with which round. For the marks in the transcript.
    var runs: [RoundRun] = []
    /// How those are to be marked; absent where they are not.
    var marks: RunMarks?
}

/// Work for the engine. Jobs run one after another, in the order in which they were asked for.
struct Job: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case load
        case attach(path: String)
        /// `turn` is the question's place in the transcript.
        case ask(question: String, turn: Int)
        case clear(Clearing)
        /// Puts a saved conversation in the place of this one.
        case restore(SavedConversation)
        /// Forgets that turn and all after it, but for its pictures.
        case rewind(toTurn: Int)
        /// The system prompt of the next conversation; nil is the model's own.
        case setSystem(String?)
    }
    /// Where the next conversation begins.
    enum Clearing: Sendable, Equatable {
        case below, onEmptyScreen
        /// Below one that the engine could not read.
        case unreadable
    }
    let id: Int
    let kind: Kind

    var isAsk: Bool { if case .ask = kind { true } else { false } }
}

enum Focus: Sendable, Equatable { case composer, tree }

/// Where the transcript stands.
enum Scroll: Sendable, Equatable {
    /// At the end, moving on with it.
    case following
    /// Held: this line of this turn is the topmost one.
    case held(turn: Int, line: Int)
}

/// The picture that the photo pane shows.
struct Photo: Sendable, Equatable {
    let name: String
    /// No larger than a screen needs, whatever the file held.
    let image: PixelImage
    /// Tells one picture from the next without comparing their pixels.
    let id: Int

    /// Pixels of the longer side that are kept.
    static let longestSide = 1000

    /// Scales `image` down to what a screen can show; slow for large pictures, so not for the screen's thread.
    init(name: String, image: PixelImage, id: Int) {
        self.name = name
        self.id = id
        let side = max(image.width, image.height)
        self.image =
            side <= Photo.longestSide
            ? image
            : image.resized(
                width: max(1, image.width * Photo.longestSide / side),
                height: max(1, image.height * Photo.longestSide / side))
    }

    static func == (a: Photo, b: Photo) -> Bool { a.id == b.id }
}

/// A trace that is being shown without a model.
struct Replay: Sendable, Equatable {
    var isPlaying = true
    /// Rounds each second at speed 1.
    static let pace = 1.25
    var speed = 1.0
    /// Digits typed before G.
    var typedNumber = ""
    /// What was asked, by the number of the answer's first round.
    var questions: [Int: String] = [:]
    var duration: Double { 1 / (Replay.pace * speed) }
}

struct AppState: Sendable, Equatable {
    // What the program was started with.
    var modelName = ""
    var draftName: String?
    /// Lines of the empty transcript.
    var welcome: [String] = []
    var options = GenerationOptions()
    var symbols = Symbols.unicode
    /// What is known of the terminal.
    var terminal = TerminalFacts()
    /// How pictures are drawn there.
    var pictureStyle = PictureStyle.halfBlocks
    var look = ScreenLook()
    /// Absent in a chat.
    var replay: Replay?
    /// What plays instead of a user; absent in all but a demo.
    var demo: Demo?

    var size = Size(rows: 24, columns: 80)
    var turns: [Turn] = []
    let transcriptMemo = TranscriptMemo()
    let replayMemo = ReplayMemo()
    let treeMemo = TreeMemo()
    /// Whether the model can be shown pictures.
    var seesPictures = true
    /// Answers are styled; else they stand as the model wrote them.
    var showsMarkdown = true
    var scroll = Scroll.following
    /// Lines came below a held transcript.
    var hasNewBelow = false
    var composer = Composer()
    /// What Tab left in the composer last: once more there opens the list.
    var hasCompleted: String?
    /// The search through what was written before, while there is one.
    var search: HistorySearch?
    /// Ctrl-X was pressed, and waits for its second key.
    var isPairBegun = false
    var focus = Focus.composer
    /// As it was set with /system.
    var systemPrompt: String?
    /// What lies over the panes and takes the keys.
    var overlay: Overlay?
    /// One line above the composer, until the next key.
    var hint: String?
    /// The conversation as the engine has it.
    var session = SessionState()
    var photo: Photo?
    var photoArt: PhotoPane.Art?
    var tree = TreeState()

    var running: Job?
    var waiting: [Job] = []
    /// The running job was asked to stop.
    var isStopping = false
    var isLoaded = false
    var progress: Progress?
    var report: GenerationReport?
    /// When the running question was handed to the engine, and how long its first text took.
    var askedAt: Double?
    var firstTokenSeconds: Double?
    var interruptedAt: Double?
    var now = 0.0
    var nextID = 0

    var isAnswering: Bool { running?.isAsk ?? false }

    /// When time alone changes the screen next, in seconds of its clock; nil when only an event can.
    var nextChange: Double? { [demo?.nextChange, nextTreeChange].compactMap { $0 }.min() }

    private var nextTreeChange: Double? {
        if tree.shown != nil, let change = tree.nextPhase(after: now, duration: phaseDuration) { return change }
        return replay?.isPlaying ?? tree.isMoving ? tree.shownSince + phaseDuration : nil
    }

    var phaseDuration: Double { (replay ?? tree.playback?.player)?.duration ?? tree.dwell }
    var phase: RoundPhase { tree.phase(at: now, duration: phaseDuration) }

    mutating func makeID() -> Int {
        nextID += 1
        return nextID
    }

    @discardableResult
    mutating func addTurn(_ content: Turn.Content, _ text: String) -> Int {
        let id = makeID()
        turns.append(Turn(id: id, content: content, text: text))
        if scroll != .following { hasNewBelow = true }
        return id
    }

    mutating func change(turn id: Int, _ body: (inout Turn) -> Void) {
        guard let index = turns.lastIndex(where: { $0.id == id }) else { return }
        body(&turns[index])
    }
}
