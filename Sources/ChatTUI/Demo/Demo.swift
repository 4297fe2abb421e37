// Demo.swift — a script as it is played: which line it is at, what it waits for, and what keys mean meanwhile.

import Engine

/// A running script. It does to the state what a user at the keyboard would, in the time that the script gives.
struct Demo: Sendable, Equatable {
    let steps: [DemoStep]
    /// The pace that the command line asks for; it takes the place of the script's.
    var fixedPace: Double?
    fileprivate(set) var index = 0
    fileprivate(set) var isPaused = false
    /// When the present line goes on, in seconds of the screen's clock; absent while it waits for something to happen.
    fileprivate(set) var wakeAt: Double? = 0
    /// What was left of that time when the demo was paused.
    fileprivate var left = 0.0
    /// Whether the pause, and not the script, holds the engine.
    fileprivate var holdsEngine = false
    /// How far the present line has come: characters typed, rounds or keys done.
    fileprivate var done = 0
    fileprivate var typingRate = 18.0
    fileprivate var caption: String?

    init(_ script: DemoScript, pace: Double? = nil) {
        steps = script.steps
        fixedPace = pace
    }

    var isOver: Bool { index >= steps.count }

    /// When the demo changes the screen next, unless something else does.
    var nextChange: Double? { isPaused || isOver ? nil : wakeAt }
}

/// What playing a line a little further came to.
private enum DemoProgress {
    /// The line is done.
    case done([Effect] = [])
    /// The line goes on after so many seconds.
    case later(Double, [Effect] = [])
    /// The line goes on when something has happened.
    case blocked
    /// The next line is another one.
    case jump(to: Int)
}

extension AppState {
    /// Plays as much of the script as is due.
    mutating func advanceDemo() -> [Effect] {
        guard var demo, !demo.isPaused, !demo.isOver else { return [] }
        var effects: [Effect] = []
        playing: while !demo.isOver, demo.wakeAt.map({ now >= $0 }) ?? true {
            switch play(demo.steps[demo.index], &demo) {
            case .done(let more):
                effects += more
                (demo.index, demo.done, demo.wakeAt) = (demo.index + 1, 0, now)
            case .later(let seconds, let more):
                effects += more
                demo.wakeAt = now + seconds
                // Even a line without any time of its own must not keep the screen from being drawn.
                if seconds <= 0 { break playing }
            case .blocked:
                demo.wakeAt = nil
                break playing
            case .jump(let index):
                // A script that takes no time must not take all of the processor's either.
                (demo.index, demo.done, demo.wakeAt) = (index, 0, now + 0.1)
                break playing
            }
        }
        if demo.isOver { demo.caption = "the demo is over: Space plays it again, q ends" }
        self.demo = demo
        if hint == nil || demo.isOver { hint = demo.caption }
        return effects
    }

    /// Whether everything that was asked of the engine is done.
    private var isIdle: Bool { isLoaded && running == nil && waiting.isEmpty }

    private mutating func play(_ step: DemoStep, _ demo: inout Demo) -> DemoProgress {
        switch step {
        case .picture(let path): return .done(enqueue(.attach(path: path)))
        case .typing(let rate): demo.typingRate = rate
        case .ask(let text): return type(text, &demo)
        case .pause(let seconds):
            guard demo.done == 0 else { break }
            demo.done = 1
            return .later(max(0.001, seconds))
        case .wait:
            let isShown = !tree.isMoving && (tree.round == nil || phase == .committed)
            return isIdle && isShown ? .done() : .blocked
        case .tree(let size): return .done(changeTreeSize(size))
        case .pace(let seconds): options.pace = demo.fixedPace ?? seconds
        case .speculation(let policy): options.speculation.policy = policy
        case .hold: return .done(tree.isEngineHeld ? [] : toggleHold())
        case .step(let rounds, let seconds): return stepOn(rounds, every: seconds, &demo)
        case .goOn: return .done(followLive())
        case .keys(let keys):
            guard demo.done < keys.count else { break }
            focus = .tree
            demo.done += 1
            return .later(0.7, pressInTree(keys[demo.done - 1]) ?? [])
        case .say(let text):
            demo.caption = text
            hint = text
        case .clear: return .done(enqueue(.clear(.below)))
        case .again: return .jump(to: 0)
        }
        return .done()
    }

    /// One more character, and at last Enter. Nothing is typed before the engine is ready for it.
    private mutating func type(_ text: String, _ demo: inout Demo) -> DemoProgress {
        guard demo.done > 0 || isIdle else { return .blocked }
        let characters = Array(text)
        demo.done += 1
        guard demo.done <= characters.count else { return .done(send()) }
        focus = .composer
        composer.insert(String(characters[demo.done - 1]))
        return .later(demo.done == characters.count ? 0.5 : 1 / demo.typingRate)
    }

    /// One more round of the held engine, as long as there is an answer to write.
    private mutating func stepOn(_ rounds: Int, every seconds: Double, _ demo: inout Demo) -> DemoProgress {
        if running == nil { return .done() }
        guard isAnswering, tree.isEngineHeld else { return .blocked }
        guard demo.done < rounds else { return .done() }
        demo.done += 1
        return .later(max(0.001, seconds), goOn(1))
    }

    // MARK: Keys

    /// Keys while a demo plays: any of them pauses it; nil for those that keep their meaning.
    mutating func pressInDemo(_ key: Key) -> [Effect]? {
        guard var demo else { return nil }
        switch key {
        case .control("c"): return [.quit(.interrupted)]
        case .character("q"), .control("d"): return [.quit(.asked)]
        case .control("z"), .control("l"): return nil
        case .character(" ") where demo.isOver:
            self.demo?.index = 0
            self.demo?.wakeAt = now
            return enqueue(.clear(.below))
        case .character(" ") where demo.isPaused: return goOnWithDemo()
        case .escape where demo.isPaused || demo.isOver:
            _ = leaveNode()
            return []
        default: break
        }
        // Whoever stops a demo wants to look around.
        if demo.isPaused || demo.isOver {
            focus = .tree
            let effects = key == .tab || key == .backTab ? [] : pressInTree(key) ?? []
            if hint == nil { hint = DemoText.paused }
            return effects
        }
        demo.isPaused = true
        demo.left = demo.wakeAt.map { max(0, $0 - now) } ?? 0
        demo.holdsEngine = isAnswering && !tree.isEngineHeld
        self.demo = demo
        hint = DemoText.paused
        return demo.holdsEngine ? toggleHold() : []
    }

    private mutating func goOnWithDemo() -> [Effect] {
        guard let held = demo?.holdsEngine, let left = demo?.left else { return [] }
        demo?.isPaused = false
        demo?.holdsEngine = false
        demo?.wakeAt = now + left
        tree.prompt = nil
        tree.showsDetails = false
        tree.cursor = nil
        hint = nil
        if held { return followLive() }
        tree.resume(at: now)
        return []
    }
}

private enum DemoText {
    static let paused = "demo paused: Space goes on, q ends, other keys look around in the tree"
}
