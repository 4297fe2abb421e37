// ScreenLoop.swift — draw if something changed, wait for anything, reduce: the life of a screen from up to down.

import Engine

/// What the loop asks of the program around it. Everything that is the terminal's own it does itself.
struct ScreenActions {
    var start: (Job, GenerationOptions) -> Void = { _, _ in }
    var cancel: () -> Void = {}
    var listFiles: (String) -> AppEvent? = { _ in nil }
    /// Changes a text with an editor, which the second closure waits for.
    var edit: (String, (ChildProcess) -> ChildProcess.Ending?) -> EditOutcome = { text, _ in .edited(text) }
    var remember: (String) -> Void = { _ in }
    /// The first list of files that all exist.
    var lookForPictures: ([[String]]) -> [String]? = { _ in nil }
    var session: (SessionEffect) -> Void = { _ in }
    /// The program is about to be stopped.
    var beforeSuspend: () -> Void = {}
    var gate = EngineGate()
    /// Writes a round to a file and says where.
    var exportRound: (SpeculationRound, Int, RoundFormat) -> AppEvent? = { RoundFile.write($0, number: $1, as: $2) }
}

/// How a screen came to its end.
struct ScreenEnd {
    let exitCode: Int32
    /// For standard error, once the terminal is back.
    var message: String?
}

final class ScreenLoop {
    private var state: AppState
    let terminal: Terminal
    let mailbox: Mailbox
    let actions: ScreenActions
    let environment: [String: String]
    private var facts: TerminalFacts
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var reader = KeyReader()
    /// What came with the terminal's answers before the screen was up.
    private let typedAhead: String
    private var pictures = PictureCache()
    private var isDirty = true
    private var lastDrawn = -1.0
    /// Someone has typed since the last frame, and looks for it.
    private var hasTyped = false
    var end: ScreenEnd?

    /// Thirty frames a second are as many as anyone sees.
    private let frameSeconds = 1.0 / 30
    /// But fingers feel the delay of a key: what was typed is drawn at once, unless a frame has only just been.
    private let keySeconds = 1.0 / 120

    init(
        state: AppState, environment: [String: String], mailbox: Mailbox, actions: ScreenActions,
        imageProtocol: ImageProtocol
    ) throws(TerminalError) {
        start = clock.now
        var facts = state.terminal
        facts.take(environment)
        if let obstacle = Terminal.obstacle(terminalName: facts.name) { throw obstacle }
        facts.wish = imageProtocol
        typedAhead = facts.ask(state.look.color)
        terminal = try Terminal(palette: facts.palette)
        self.state = state
        self.facts = facts
        self.mailbox = mailbox
        self.environment = environment
        self.actions = actions
        self.state.size = terminal.size
        self.state.adopt(facts)
    }

    private var now: Double {
        let elapsed = clock.now - start
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }

    /// Runs until something ends the screen, and gives the terminal back.
    func run(beginning effects: [Effect]) -> ScreenEnd {
        defer { terminal.close() }
        effects.forEach(perform)
        for scalar in typedAhead.unicodeScalars { reader.feed(.scalar(scalar)).forEach { apply(.input($0)) } }
        while true {
            drawIfDue()
            let pause = pause
            if pause != nil { mailbox.hush() }
            react(to: terminal.wait(milliseconds: pause ?? waitLimit), isPause: pause != nil)
            if let end { return end }
        }
    }

    private func drawIfDue() {
        guard isDirty, now - lastDrawn >= frameTime else { return }
        terminal.theme = Theme(state.look.theme, palette: facts.palette, background: state.look.background)
        let frame = render(state, size: state.size)
        terminal.draw(frame, picture: frame.picture.flatMap { pictures.picture(state, in: $0) })
        lastDrawn = now
        isDirty = false
        hasTyped = false
    }

    /// Seconds from the last frame to the next.
    private var frameTime: Double { hasTyped ? keySeconds : frameSeconds }

    /// Milliseconds until the next frame, where there is or will be something to draw in it; else nil. What the engine
    /// does before then is taken in all at once: an answer has a round in every millisecond.
    private var pause: Int? {
        let left = frameTime - (now - lastDrawn)
        guard isDirty || state.running != nil && left > 0 else { return nil }
        return max(1, milliseconds(left))
    }

    /// Milliseconds until the screen has to do something by itself; nil when only the world can change it.
    private var waitLimit: Int? {
        reader.isPasting ? 500 : state.nextChange.map { max(1, milliseconds($0 - now)) }
    }

    /// Rounded up, so that the moment has come when they are over.
    private func milliseconds(_ seconds: Double) -> Int { Int((seconds * 1000).rounded(.up)) }

    private func react(to wake: Wake, isPause: Bool) {
        if wake.contains(.terminated) { end = ScreenEnd(exitCode: 143) }
        if wake.contains(.hungUp) { end = ScreenEnd(exitCode: 129) }
        if wake.contains(.interrupted) { apply(.interrupted) }
        if wake.contains(.suspend) { perform(.suspend) }
        if wake.contains(.continued) {
            terminal.resume()
            isDirty = true
        }
        if wake.contains(.resized) {
            terminal.resize()
            facts.size = terminal.size
            facts.pixels = Terminal.pixelSize
            apply(.terminal(facts))
            apply(.resized(terminal.size))
        }
        if wake.contains(.input) {
            readKeys()
        } else if wake.isEmpty, !isPause, reader.isPasting {
            reader.endPaste().forEach { apply(.input($0)) }
        }
        for event in mailbox.takeAll() { apply(event) }
        if let change = state.nextChange, change <= now { apply(.tick) }
    }

    private func readKeys() {
        hasTyped = true
        for raw in terminal.read() {
            for input in reader.feed(raw) { apply(.input(input)) }
        }
        for input in reader.pause() { apply(.input(input)) }
    }

    func apply(_ event: AppEvent) {
        let wasStreaming = state.isAnswering
        for effect in reduce(&state, event, at: now) { perform(effect) }
        // Scrolling text is what could have hurt a picture; at the end of an answer it is sent once more.
        if wasStreaming, !state.isAnswering { terminal.resendPicture() }
        isDirty = true
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .start(let job): actions.start(job, state.options)
        case .cancel: actions.cancel()
        case .quit(let reason): end = ScreenLoop.end(for: reason)
        case .session(let effect): actions.session(effect)
        case .suspend:
            actions.beforeSuspend()
            terminal.suspend()
            apply(.resized(terminal.size))
        case .redraw:
            terminal.forget()
            isDirty = true
        case .holdEngine: actions.gate.pause()
        case .releaseEngine: actions.gate.resume()
        case .advanceEngine(let rounds): for _ in 0..<rounds { actions.gate.step() }
        case .exportRound(let round, let number, let format):
            if let event = actions.exportRound(round, number, format) { apply(event) }
        case .listFiles(let prefix): if let event = actions.listFiles(prefix) { apply(event) }
        case .lookForPictures(let readings, let original, let isTyped):
            let found = actions.lookForPictures(readings)
            apply(.foundPictures(found, readings: readings, original: original, isTyped: isTyped))
        case .edit(let text): edit(text)
        case .copy(let text, let what): copy(text, what: what)
        case .remember(let text): actions.remember(text)
        case .interpret(let report):
            facts.probe.readReport(report)
            apply(.terminal(facts))
        }
    }

    private static func end(for reason: ExitReason) -> ScreenEnd {
        switch reason {
        case .asked: ScreenEnd(exitCode: 0)
        case .interrupted: ScreenEnd(exitCode: 130)
        case .loadFailed(let message): ScreenEnd(exitCode: 4, message: message)
        }
    }
}
