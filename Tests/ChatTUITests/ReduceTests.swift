// ReduceTests.swift — what keys and engine events make of the state, and what they ask of the world.

import Engine
import Synchronization
import Testing

@testable import ChatTUI

/// A chat driven event by event, with the effects that it asked for.
struct Driver {
    var state = AppState()
    var now = 0.0
    var effects: [Effect] = []

    static func loaded() -> Driver {
        var driver = Driver()
        driver.effects = driver.state.enqueue(.load)
        driver.end()
        driver.effects = []
        return driver
    }

    mutating func send(_ event: AppEvent) {
        now += 0.01
        effects += reduce(&state, event, at: now)
    }

    mutating func press(_ keys: Key...) { keys.forEach { send(.input(.key($0))) } }

    mutating func type(_ text: String) { text.forEach { press(.character($0)) } }

    mutating func ask(_ question: String) {
        type(question)
        press(.enter)
    }

    /// The running job comes to its end.
    mutating func end(failure: String? = nil) {
        send(.jobEnded(id: state.running?.id ?? -1, failure: failure))
    }

    var started: [Job.Kind] {
        effects.compactMap { if case .start(let job) = $0 { job.kind } else { nil } }
    }

    var transcript: [String] { state.turns.map(\.text) }
}

struct `Asking` {
    @Test func `while the model loads waits in sight and is sent afterwards`() {
        var driver = Driver()
        driver.effects = driver.state.enqueue(.load)
        driver.ask("hello")
        #expect(driver.started == [.load])
        #expect(driver.state.turns.first?.content == .question(.queued))
        #expect(screen(driver.state, 80, 24)[1].contains("hello (waiting)"))
        driver.end()
        #expect(driver.started.count == 2)
        #expect(driver.state.turns.map(\.content) == [.question(.sent), .answer(.streaming)])
    }

    @Test func `puts the text of every round into the answer`() {
        var driver = Driver.loaded()
        driver.ask("what?")
        driver.send(.engine(.round(Samples.plain(index: 0), text: "A cat")))
        driver.send(.engine(.round(Samples.sketch(index: 1), text: " and a dog.")))
        driver.send(.engine(.finished(Samples.report())))
        driver.end()
        #expect(driver.transcript == ["what?", "A cat and a dog."])
        #expect(driver.state.turns[1].content == .answer(.complete))
        #expect(driver.state.tree.total == 2 && !driver.state.isAnswering)
    }

    @Test func `again while an answer is written waits for its turn`() {
        var driver = Driver.loaded()
        driver.ask("one")
        driver.ask("two")
        driver.send(.engine(.round(Samples.plain(index: 0), text: "first answer")))
        #expect(driver.transcript == ["one", "first answer", "two"])
        driver.end()
        #expect(driver.transcript == ["one", "first answer", "two", ""])
        #expect(driver.started.count == 2)
    }

    @Test func `sends nothing that is only white space`() {
        var driver = Driver.loaded()
        driver.type("  ")
        driver.press(.altEnter, .enter)
        #expect(driver.effects.isEmpty && driver.state.turns.isEmpty)
    }

    @Test func `keeps newlines of Alt-Enter, Ctrl-J and pastes, and never sends a paste`() {
        var driver = Driver.loaded()
        driver.type("a")
        driver.press(.altEnter)
        driver.type("b")
        driver.press(.control("j"))
        driver.send(.input(.paste("c\nd\n")))
        #expect(driver.state.composer.text == "a\nb\nc\nd\n" && driver.effects.isEmpty)
    }

    @Test func `that fails says why and keeps the question for another try`() {
        var driver = Driver.loaded()
        driver.ask("why?")
        driver.end(failure: "The draft ended badly. Try /spec off.")
        #expect(driver.transcript.last == "The draft ended badly. Try /spec off.")
        #expect(driver.state.turns[1].content == .answer(.broken))
        driver.press(.up)
        #expect(driver.state.composer.text == "why?")
    }

    @Test func `in a full context says what to do`() {
        var driver = Driver.loaded()
        driver.ask("more")
        driver.send(.engine(.finished(Samples.report(finish: .contextFull))))
        driver.end()
        #expect(driver.state.turns[1].content == .answer(.contextFull))
        #expect(driver.transcript.last?.contains("/new begins a new conversation") == true)
        #expect(driver.transcript.first == "more")
    }
}

struct `Stopping` {
    @Test(arguments: [Key.escape, .control("c")])
    func `an answer keeps what there is and marks it`(key: Key) {
        var driver = Driver.loaded()
        driver.ask("tell me")
        driver.send(.engine(.round(Samples.plain(index: 0), text: "Once upon")))
        driver.effects = []
        driver.press(key)
        #expect(driver.effects == [.cancel] && driver.state.isStopping)
        driver.press(key)
        #expect(driver.effects == [.cancel])
        driver.end()
        #expect(driver.state.turns[1].content == .answer(.stopped) && driver.state.turns[1].text == "Once upon")
    }

    @Test func `a waiting question takes it back`() {
        var driver = Driver()
        driver.effects = driver.state.enqueue(.load)
        driver.ask("too soon")
        driver.press(.escape)
        #expect(driver.state.composer.text == "too soon" && driver.state.turns.isEmpty)
        driver.end()
        #expect(driver.started == [.load])
    }

    @Test func `with Ctrl-C clears the input first and quits at the second press`() {
        var driver = Driver.loaded()
        driver.type("half a thought")
        driver.press(.control("c"))
        #expect(driver.state.composer.isEmpty && driver.effects.isEmpty)
        driver.press(.control("c"))
        #expect(driver.effects.isEmpty && driver.state.hint == "Ctrl-C again quits")
        driver.press(.control("c"))
        #expect(driver.effects == [.quit(.asked)])
    }

    @Test func `with Ctrl-C twice too slowly does not quit`() {
        var driver = Driver.loaded()
        driver.press(.control("c"))
        driver.now += 1.6
        driver.press(.control("c"))
        #expect(driver.effects.isEmpty)
    }

    @Test func `with Ctrl-D only on empty input`() {
        var driver = Driver.loaded()
        driver.type("x")
        driver.press(.home, .control("d"))
        #expect(driver.effects.isEmpty && driver.state.composer.isEmpty)
        driver.press(.control("d"))
        #expect(driver.effects == [.quit(.asked)])
    }
}

struct `Attaching` {
    static let image = PixelImage(
        width: 2, height: 2, pixels: Array(repeating: 200, count: 12),
        source: .init(name: "photo.jpg", width: 4032, height: 3024))

    @Test func `says what was added and shows it`() {
        var driver = Driver.loaded()
        driver.ask("/image 'my photo.jpg'")
        #expect(driver.started == [.attach(path: "my photo.jpg")])
        driver.send(.pictureReady(Photo(name: "my photo.jpg", image: Self.image, id: 1), path: "my photo.jpg"))
        driver.end()
        #expect(driver.transcript == ["my photo.jpg 4032×3024"])
        #expect(driver.state.photo?.name == "my photo.jpg")
    }

    @Test func `that fails takes back the question that came after it`() {
        var driver = Driver.loaded()
        driver.ask("/image gone.png")
        driver.ask("What is it?")
        driver.end(failure: "gone.png cannot be opened: no such file.")
        #expect(driver.started == [.attach(path: "gone.png")])
        #expect(driver.transcript == ["gone.png cannot be opened: no such file."])
        #expect(driver.state.composer.text == "What is it?")
    }

    private static let readings = [["/tmp/a.png"]]

    @Test func `a pasted path asks whether it exists, and becomes text with a word about it when it does not`() {
        var driver = Driver.loaded()
        driver.send(.input(.paste("/tmp/a.png\n")))
        #expect(
            driver.effects == [
                .lookForPictures(readings: Self.readings, original: "/tmp/a.png\n", isTyped: false)
            ])
        driver.send(.foundPictures(nil, readings: Self.readings, original: "/tmp/a.png\n", isTyped: false))
        #expect(driver.state.composer.text == "/tmp/a.png")
        #expect(driver.state.hint == "there is no file /tmp/a.png; with a space before it, it is sent as text")
        driver.send(.foundPictures(["/tmp/b.png"], readings: [["/tmp/b.png"]], original: "", isTyped: false))
        #expect(driver.started == [.attach(path: "/tmp/b.png")])
    }

    @Test func `a path dropped into a half-written question adds the picture and leaves the words`() {
        var driver = Driver.loaded()
        driver.type("What is ")
        driver.send(.input(.paste("'/tmp/a b.png' ")))
        driver.send(.foundPictures(["/tmp/a b.png"], readings: [], original: "'/tmp/a b.png' ", isTyped: false))
        #expect(driver.started == [.attach(path: "/tmp/a b.png")] && driver.state.composer.text == "What is ")
    }

    @Test func `a path pasted after a command is its argument`() {
        var driver = Driver.loaded()
        driver.type("/image ")
        driver.send(.input(.paste("/tmp/a.png")))
        #expect(driver.effects.isEmpty && driver.state.composer.text == "/image /tmp/a.png")
    }

    @Test func `a typed path with bare spaces is looked for before it is anything`() {
        var driver = Driver.loaded()
        driver.ask("/tmp/a b.png")
        let readings = [["/tmp/a b.png"]]
        #expect(
            driver.effects == [.lookForPictures(readings: readings, original: "/tmp/a b.png", isTyped: true)])
        driver.send(.foundPictures(nil, readings: readings, original: "/tmp/a b.png", isTyped: true))
        #expect(driver.state.composer.text == "/tmp/a b.png" && driver.started.isEmpty)
        driver.send(.foundPictures(["/tmp/a b.png"], readings: readings, original: "/tmp/a b.png", isTyped: true))
        #expect(driver.started == [.attach(path: "/tmp/a b.png")] && driver.state.composer.isEmpty)
    }

    @Test func `is confirmed with what the model looks at`() {
        var driver = Driver.loaded()
        driver.ask("/image photo.jpg")
        driver.send(.pictureReady(Photo(name: "photo.jpg", image: Self.image, id: 1), path: "photo.jpg"))
        driver.send(.engine(.picture(PictureReading(width: 448, height: 448, tokens: 256))))
        #expect(driver.transcript == ["Added photo.jpg 4032×3024 → 448×448, 256 tokens"])
    }

    @Test func `completes the path that is being typed`() {
        var driver = Driver.loaded()
        driver.type("/image ph")
        driver.press(.tab)
        #expect(driver.effects == [.listFiles("ph")])
        driver.send(.files(["photo1.jpg", "photo2.jpg"], completing: "ph"))
        #expect(driver.state.composer.text == "/image photo")
        #expect(driver.state.hint == "photo1.jpg  photo2.jpg")
    }

    @Test func `is undone by a new conversation, which leaves the old one in sight`() {
        var driver = Driver.loaded()
        driver.send(.pictureReady(Photo(name: "a.png", image: Self.image, id: 1), path: "a.png"))
        driver.ask("/new")
        driver.end()
        #expect(driver.state.photo == nil)
        #expect(driver.state.turns.map(\.content) == [.picture, .divider])
    }
}

struct `The mailbox` {
    @Test func `wakes its reader once for all that came since, and not while hushed`() {
        let counted = Counter()
        let mailbox = Mailbox(wake: { counted.increment() })
        mailbox.post(.tick)
        mailbox.post(.tick)
        #expect(counted.count == 1)
        #expect(mailbox.takeAll() == [.tick, .tick])
        mailbox.hush()
        mailbox.post(.tick)
        #expect(counted.count == 1)
        #expect(mailbox.takeAll() == [.tick])
        mailbox.post(.tick)
        #expect(counted.count == 2)
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func increment() { value.withLock { $0 += 1 } }
    }
}

struct `The tree panel` {
    private func driver(rounds: Int) -> Driver {
        var driver = Driver.loaded()
        driver.ask("go")
        for index in 0..<rounds {
            driver.now += 0.2
            driver.send(.engine(.round(Samples.sketch(index: index), text: "x")))
        }
        return driver
    }

    @Test func `goes through rounds that came too fast, one after another`() {
        var driver = driver(rounds: 0)
        for index in 0..<20 {
            _ = reduce(&driver.state, .engine(.round(Samples.sketch(index: index), text: "x")), at: 5)
        }
        driver.now = 5
        #expect(driver.state.tree.total == 20 && driver.state.tree.number == 1)
        for number in 2...20 {
            driver.now += TreeState.dwell
            driver.send(.tick)
            #expect(driver.state.tree.number == number)
        }
        #expect(!driver.state.tree.isMoving)
    }

    /// A screen that wakes only when `nextChange` says so must still see every phase of every round.
    @Test func `names every moment at which time alone changes it`() {
        var driver = driver(rounds: 0)
        for index in 0..<3 { driver.send(.engine(.round(Samples.sketch(index: index), text: "x"))) }
        driver.end()
        var shown: [String] = []
        var look: String { "\(driver.state.tree.number) \(driver.state.phase)" }
        shown.append(look)
        while let change = driver.state.nextChange {
            #expect(change > driver.state.now)
            var before = driver.state
            _ = reduce(&before, .tick, at: change - 1e-6)
            #expect("\(before.tree.number) \(before.phase)" == look)
            _ = reduce(&driver.state, .tick, at: change + 1e-6)
            #expect(look != shown.last)
            shown.append(look)
        }
        let phases: [RoundPhase] = [.drafted, .verified, .committed]
        #expect(shown == (1...3).flatMap { number in phases.map { "\(number) \($0)" } })
    }

    @Test func `leaves rounds out rather than fall far behind`() {
        var driver = driver(rounds: 0)
        for index in 0..<900 { driver.send(.engine(.round(Samples.plain(index: index), text: "x"))) }
        var showings = 0
        while driver.state.tree.isMoving {
            driver.now += TreeState.dwell
            driver.send(.tick)
            showings += 1
        }
        #expect(driver.state.tree.number == 900)
        #expect((TreeState.catchUpShowings...150).contains(showings))
    }

    @Test func `leaves the old answer's rounds for those of a new one`() {
        var driver = driver(rounds: 0)
        for index in 0..<20 { driver.send(.engine(.round(Samples.sketch(index: index), text: "x"))) }
        driver.end()
        #expect(driver.state.tree.number < 20)
        driver.ask("more")
        #expect(driver.state.tree.number == 20)
        driver.now += TreeState.dwell
        driver.send(.engine(.round(Samples.plain(index: 0), text: "y")))
        #expect(driver.state.tree.number == 21)
    }

    @Test func `steps when it has the focus, and typing goes to the composer when not`() {
        var driver = driver(rounds: 5)
        driver.press(.character("p"))
        #expect(driver.state.composer.text == "p")
        driver.press(.backspace, .tab, .character("p"), .character("p"))
        #expect(driver.state.tree.number == 3 && driver.state.composer.isEmpty)
        driver.press(.character("n"), .character("g"))
        #expect(driver.state.tree.number == 1)
        driver.press(.character("G"))
        #expect(driver.state.tree.number == 5 && driver.state.tree.isFollowing)
        driver.press(.tab, .character("p"))
        #expect(driver.state.composer.text == "p")
    }

    @Test func `held stays where it is while rounds go on`() {
        var driver = driver(rounds: 3)
        driver.press(.tab, .character(" "))
        driver.now += 1
        driver.send(.engine(.round(Samples.sketch(index: 3), text: "x")))
        #expect(driver.state.tree.number == 3)
        driver.press(.character(" "))
        #expect(driver.state.tree.number == 4)
    }

    @Test func `goes through its three phases`() {
        var driver = driver(rounds: 1)
        #expect(driver.state.phase == .drafted)
        driver.now += TreeState.dwell * 0.5
        driver.send(.tick)
        #expect(driver.state.phase == .verified)
        driver.now += TreeState.dwell
        driver.send(.tick)
        #expect(driver.state.phase == .committed)
    }

    @Test func `forgets the oldest rounds and keeps their numbers`() {
        var tree = TreeState()
        for index in 0...TreeState.capacity { tree.append(Samples.plain(index: index), at: Double(index)) }
        #expect(tree.rounds.count < TreeState.capacity && tree.total == TreeState.capacity + 1)
        #expect(tree.number == TreeState.capacity + 1)
        #expect(tree.round?.index == TreeState.capacity)
    }
}

struct `Scrolling` {
    @Test func `holds its place while text arrives, and says that there is more`() {
        var driver = Driver.loaded()
        driver.ask("count")
        let lines = (1...60).map { "line \($0)" }.joined(separator: "\n")
        driver.send(.engine(.round(Samples.plain(index: 0), text: lines)))
        driver.press(.pageUp)
        let before = screen(driver.state, 80, 24)
        #expect(before[1].contains("line 36"))
        driver.send(.engine(.round(Samples.plain(index: 1), text: "\nline 61\nline 62")))
        let after = screen(driver.state, 80, 24)
        #expect(after[1] == before[1])
        #expect(after.contains { $0.contains("↓ new") })
        driver.press(.pageDown)
        driver.press(.pageDown)
        #expect(driver.state.scroll == .following)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("line 62") })
    }
}

struct `A replay` {
    private func driver() -> Driver {
        let rounds = [Samples.plain(index: 0)] + (1..<30).map { Samples.sketch(index: $0) }
        return Driver(state: ReplayApp.state(rounds, title: "rounds.jsonl", speed: 1, symbols: .unicode))
    }

    @Test func `plays by itself and stops at the end`() {
        var driver = driver()
        for _ in 0..<200 {
            driver.now += 0.4
            driver.send(.tick)
        }
        #expect(driver.state.tree.number == 30 && driver.state.replay?.isPlaying == false)
    }

    @Test func `steps, jumps and changes speed`() {
        var driver = driver()
        driver.press(.character(" "), .character("n"), .character("]"))
        #expect(driver.state.tree.number == 12)
        driver.press(.character("p"), .character("2"), .character("5"), .enter)
        #expect(driver.state.tree.number == 25)
        driver.press(.character("g"))
        #expect(driver.state.tree.number == 1)
        driver.press(.character("+"), .character("+"))
        #expect(driver.state.replay?.speed == 4)
        driver.press(.character("q"))
        #expect(driver.effects == [.quit(.asked)])
    }

    @Test func `says the text of the rounds so far`() {
        var driver = driver()
        driver.press(.character(" "), .character("n"))
        driver.now += 10
        driver.send(.tick)
        #expect(driver.state.shownTurns.map(\.text) == [" sat and a blue mug"])
    }
}
