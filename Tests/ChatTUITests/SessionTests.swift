// SessionTests.swift — conversations that are begun, resumed, listed, retried and edited, event by event.

import Foundation
import Testing

@testable import ChatTUI
@testable import ConversationStore
@testable import Engine

extension Driver {
    static func saved() -> Driver {
        var driver = Driver.loaded()
        driver.state.session.isSaved = true
        return driver
    }

    /// Asks, and lets the engine answer.
    mutating func talk(_ question: String, _ answer: String, finish: GenerationReport.FinishReason = .stop) {
        ask(question)
        reply(answer, finish: finish)
    }

    mutating func reply(_ answer: String, finish: GenerationReport.FinishReason = .stop) {
        send(.engine(.round(Samples.plain(index: 0), text: answer)))
        send(.engine(.finished(Samples.report(text: answer, finish: finish))))
        end()
    }

    mutating func show(_ name: String, id: Int) {
        ask("/image \(name)")
        send(.pictureReady(Photo(name: name, image: Conversations.image, id: id), path: name))
        end()
    }

    mutating func forget() { effects = [] }
}

enum Conversations {
    static let image = PixelImage(
        width: 4, height: 2, pixels: [UInt8](repeating: 200, count: 24), source: .init(name: "a", width: 40, height: 20)
    )

    static func picture(_ path: String) -> SavedPicture {
        SavedPicture(path: path, digest: SHA256Digest(of: [1]), byteCount: 9, width: 40, height: 20, isKept: false)
    }

    static func saved(temperature: Float = 0.7, pictures: [String] = ["/photos/a.png"]) -> SavedConversation {
        var settings = ConversationSettings()
        (settings.sampler.temperature, settings.sampler.seed) = (temperature, 7)
        func turn(_ number: Int, _ question: String, _ answer: String, _ state: TurnState) -> SavedTurn {
            SavedTurn(
                number: number, asked: Date(timeIntervalSince1970: 0), question: question,
                pictures: number == 0 ? pictures.map(picture) : [], answer: answer, tokens: [1, 2], state: state,
                settings: settings, statistics: TurnStatistics(Samples.report(text: answer)))
        }
        let file = ModelIdentity.File(path: "/models/a.gguf", byteCount: 3, digest: SHA256Digest(of: [2]))
        return SavedConversation(
            id: ConversationID(saved: "k3f9td"), title: "What is it?", created: Date(timeIntervalSince1970: 0),
            updated: Date(timeIntervalSince1970: 0), model: ModelIdentity(name: "demo", target: file, vision: nil),
            template: nil, settings: settings,
            turns: [
                turn(0, "What is it?", "A cat.", .complete), turn(1, "And then?", "It sl", .broken),
            ])
    }
}

struct `A resumed conversation` {
    @Test func `is on the screen at once, with its settings, while the engine reads it`() {
        var driver = Driver.saved()
        driver.state.options.inspectsNodes = true
        let saved = Conversations.saved()
        driver.send(.session(.read(saved, saved.settings.options(over: driver.state.options))))
        #expect(driver.transcript == ["a.png 40×20", "What is it?", "A cat.", "And then?", "It sl"])
        #expect(
            driver.state.turns.map(\.content) == [
                .picture, .question(.sent), .answer(.complete), .question(.sent), .answer(.broken),
            ])
        #expect(driver.started == [.restore(saved)])
        #expect(driver.state.options.sampler.seed == 7 && driver.state.options.sampler.temperature == 0.7)
        #expect(driver.state.options.inspectsNodes)
        driver.send(.engine(.progress(Progress(phase: .prefill, completed: 3, total: 9))))
        #expect(screen(driver.state, 80, 24)[23].contains("reading"))
        // A question that is typed meanwhile waits for the engine.
        driver.ask("Where?")
        #expect(driver.state.turns.last?.content == .question(.queued))
        driver.end()
        #expect(driver.started.count == 2 && driver.state.isAnswering)
        driver.reply("There.")
        #expect(driver.state.session.asked.map(\.text) == ["What is it?", "And then?", "Where?"])
    }

    @Test func `takes the place of the one on the screen, which is saved; one that is not stays above`() {
        for isSaved in [true, false] {
            var driver = Driver.saved()
            driver.state.session.isSaved = isSaved
            driver.talk("Hello?", "Hi.")
            let saved = Conversations.saved(pictures: [])
            driver.send(.session(.read(saved, driver.state.options)))
            #expect(driver.transcript.contains("Hi.") == !isSaved)
            #expect(driver.state.session.asked.count == 2)
        }
    }

    @Test func `that the engine cannot read is only shown, and the next question begins a new one`() {
        var driver = Driver.saved()
        let saved = Conversations.saved()
        driver.send(.session(.read(saved, driver.state.options)))
        driver.ask("Where?")
        driver.end(failure: "It was held with another model.")
        #expect(driver.transcript.contains("It was held with another model."))
        // What was typed for the old conversation is not put to the new one unseen.
        #expect(driver.state.composer.text == "Where?")
        #expect(driver.started == [.restore(saved), .clear(.unreadable)])
        driver.end()
        #expect(driver.state.turns.last?.content == .divider)
        #expect(driver.state.session.asked.isEmpty && driver.state.photo == nil)
        driver.press(.enter)
        #expect(driver.started.last.map { if case .ask("Where?", _) = $0 { true } else { false } } == true)
    }

    @Test func `without one of its pictures says so, and asks nothing before the reader has seen it`() {
        var driver = Driver.saved()
        let saved = Conversations.saved(pictures: ["/photos/a.png", "/photos/b.png"])
        driver.send(.session(.read(saved, driver.state.options)))
        driver.ask("Where?")
        let photo = Photo(name: "a.png", image: Conversations.image, id: 5)
        driver.send(.session(.pictureFound(photo, place: 0)))
        let reason = Restoration.sentence(about: saved.turns[0].pictures[1], of: saved.turns[0])
        driver.send(.session(.pictureMissing(nil, place: 1, reason: reason)))
        driver.end()
        #expect(driver.state.photo == photo)
        #expect(driver.transcript.contains { $0.contains("/photos/b.png of question 1 is gone") })
        #expect(driver.state.composer.text == "Where?")
        #expect(driver.state.hint == "A picture is missing; Enter asks all the same.")
        #expect(driver.state.running == nil && driver.state.session.asked.count == 2)
    }

    @Test func `is asked for by its id, and not while an answer is being written`() {
        var driver = Driver.saved()
        driver.ask("/resume k3f")
        #expect(driver.effects.contains(.session(.read(id: "k3f"))))
        driver.forget()
        driver.ask("Hello?")
        driver.ask("/resume k3f")
        #expect(!driver.effects.contains(.session(.read(id: "k3f"))))
        #expect(driver.state.hint == "an answer is being written; Esc stops it")
        // One that was chosen before is let go of.
        driver.send(.session(.read(Conversations.saved(), driver.state.options)))
        #expect(driver.transcript.contains("Hello?"))
    }
}

struct `A new conversation` {
    @Test func `begun with new stays below the old one, with clear on an empty screen`() {
        var driver = Driver.saved()
        driver.talk("Hello?", "Hi.")
        driver.ask("/new")
        driver.ask("First?")
        driver.end()
        #expect(driver.transcript == ["Hello?", "Hi.", "new conversation", "First?", ""])
        driver.reply("Yes.")
        driver.ask("/clear")
        driver.ask("Second?")
        driver.end()
        #expect(driver.transcript == ["Second?", ""])
        driver.reply("Yes.")
        #expect(driver.state.session.asked.map(\.text) == ["Second?"])
    }
}

struct `What the store says` {
    @Test func `is one sentence, and the chat goes on`() {
        var driver = Driver.saved()
        driver.send(.session(.saving(.waiting(.diskFull(path: "/x")))))
        #expect(driver.transcript.last?.hasPrefix("Not saved for now: no room is left") == true)
        driver.send(.session(.saving(.saved)))
        #expect(driver.transcript.last == "The conversation is saved again, all of it.")
        driver.talk("Hello?", "Hi.")
        #expect(driver.state.session.asked.count == 1)
    }
}

struct `Trying again` {
    @Test func `at temperature 0 would say the same, and says that`() {
        var driver = Driver.saved()
        driver.talk("Hello?", "Hi.")
        driver.forget()
        driver.ask("/retry")
        #expect(driver.started.isEmpty && driver.transcript == ["Hello?", "Hi."])
        #expect(driver.state.hint?.contains("/set temperature 0.7") == true)
        // An answer that was cut off can be had whole.
        driver.talk("More?", "Mo", finish: .cancelled)
        driver.forget()
        driver.ask("/retry")
        #expect(driver.started == [.rewind(toTurn: 1)])
    }

    @Test func `above it takes the next seed, shows it, and puts the answer in the old one's place`() {
        var driver = Driver.saved()
        driver.state.options.sampler.temperature = 0.7
        driver.show("a.png", id: 1)
        driver.talk("Hello?", "Hi.")
        driver.forget()
        driver.ask("/retry")
        #expect(driver.state.hint == "seed 1, temperature 0.7")
        #expect(driver.transcript == ["a.png 40×20", "Hello?"])
        driver.end()
        driver.reply("Good day.")
        #expect(driver.started.count == 2)
        #expect(driver.transcript == ["a.png 40×20", "Hello?", "Good day."])
        #expect(driver.state.session.asked.map(\.options.sampler.seed) == [1])
        #expect(driver.state.session.pictures.map(\.question) == [0])
        // A seed that was set by hand is taken as it is.
        driver.ask("/set seed 40")
        driver.ask("/retry")
        #expect(driver.state.options.sampler.seed == 40)
    }

    @Test func `with another speculation gives the same text at another speed`() {
        var driver = Driver.saved()
        driver.talk("Hello?", "Hi.")
        driver.ask("/spec off")
        driver.forget()
        driver.ask("/retry")
        #expect(driver.started == [.rewind(toTurn: 0)])
        driver.end()
        driver.reply("Hi.")
        driver.ask("/stats")
        let rows = driver.state.overlay?.rows.map(\.text) ?? []
        #expect(rows.contains { $0.hasPrefix("drafted") && $0.contains("1 answer, 3 tokens") })
        #expect(rows.contains { $0.hasPrefix("plain") && $0.contains("1 answer, 3 tokens") })
        #expect(rows.contains { $0.hasPrefix("seed") })
    }
}

struct `Editing a question` {
    private func driver() -> Driver {
        var driver = Driver.saved()
        driver.show("a.png", id: 1)
        driver.talk("One?", "1")
        driver.show("b.png", id: 2)
        driver.talk("Two?", "2")
        driver.talk("Three?", "3")
        driver.forget()
        return driver
    }

    @Test func `changes nothing before it is sent, and Esc leaves all as it was`() {
        var driver = driver()
        let before = driver.transcript
        driver.type("half a thought")
        driver.send(.input(.key(.home)))
        driver.state.composer.replace(with: "")
        _ = driver.state.carryOut(.edit(2))
        #expect(driver.state.composer.text == "Two?")
        #expect(driver.state.hint?.contains("question 2") == true && driver.state.hint?.contains("1 after it") == true)
        driver.press(.escape)
        #expect(driver.state.session.editing == nil && driver.state.composer.text == "")
        #expect(driver.transcript == before && driver.started.isEmpty)
    }

    @Test func `keeps its pictures, and drops what came after`() {
        var driver = driver()
        driver.ask("/edit 2")
        driver.press(.backspace)
        driver.ask(" and a half?")
        #expect(driver.started == [.rewind(toTurn: 1)])
        driver.end()
        driver.reply("2.5")
        #expect(driver.transcript == ["a.png 40×20", "One?", "1", "b.png 40×20", "Two and a half?", "2.5"])
        #expect(driver.state.session.asked.map(\.text) == ["One?", "Two and a half?"])
        #expect(driver.state.session.pictures.map(\.question) == [0, 1])
        #expect(driver.state.photo?.name == "b.png")
    }

    @Test func `of the first question drops later pictures, and shows the engine those once more that still wait`() {
        var driver = driver()
        driver.show("c.png", id: 3)
        driver.forget()
        driver.ask("/edit 1")
        driver.ask("!")
        driver.end()
        #expect(driver.started == [.rewind(toTurn: 0), .attach(path: "c.png")])
        driver.send(.pictureReady(Photo(name: "c.png", image: Conversations.image, id: 4), path: "c.png"))
        driver.end()
        driver.reply("1!")
        #expect(driver.transcript == ["a.png 40×20", "c.png 40×20", "One?!", "1!"])
        #expect(driver.state.session.pictures.map(\.name) == ["a.png", "c.png"])
        #expect(driver.state.session.pictures.map(\.question) == [0, 0])
    }
}

struct `A question that the engine could not take` {
    @Test func `is no part of the conversation`() {
        var driver = Driver.saved()
        driver.talk("One?", "1")
        driver.ask("Two?")
        driver.end(failure: "the context is full")
        #expect(driver.state.session.asked.count == 1)
        // Whatever the engine has read of it is taken back.
        #expect(driver.started.last == .rewind(toTurn: 1))
        driver.end()
        driver.ask("Three?")
        driver.send(.engine(.round(Samples.plain(index: 0), text: "3")))
        driver.end(failure: "The draft ended badly.")
        #expect(driver.state.session.asked.map(\.state) == [.complete, .broken])
    }
}

struct `Pictures of a conversation` {
    @Test func `go with the question that was asked after them, though it waited`() {
        var driver = Driver.saved()
        driver.ask("One?")
        driver.ask("/image a.png")
        driver.ask("Two?")
        driver.reply("1")
        driver.send(.pictureReady(Photo(name: "a.png", image: Conversations.image, id: 1), path: "a.png"))
        #expect(driver.transcript == ["One?", "1", "a.png 40×20", "Two?"])
        driver.end()
        driver.reply("2")
        #expect(driver.transcript == ["One?", "1", "a.png 40×20", "Two?", "2"])
        #expect(driver.state.session.pictures.map(\.question) == [1])
    }

    @Test func `are listed, and the one that is chosen is shown`() {
        var driver = Driver.saved()
        driver.ask("/images")
        #expect(driver.state.hint == "no picture yet: /image FILE adds one")
        for number in 1...3 { driver.show("\(number).png", id: number) }
        #expect(driver.state.photoTitle == "3/3 3.png")
        driver.ask("/images")
        #expect(driver.state.overlay?.rows.map(\.text).first?.contains("1.png") == true)
        driver.press(.home, .enter)
        #expect(driver.state.photoTitle == "1/3 1.png" && driver.state.photo?.id == 1)
        driver.ask("/images 4")
        #expect(driver.state.hint == "there are 3 pictures")
        for turn in 0..<300 {
            driver.ask("/images \(turn % 3 + 1)")
            #expect(driver.state.photo?.id == turn % 3 + 1)
        }
    }

    @Test func `that the engine refuses are not shown any longer`() {
        var driver = Driver.saved()
        driver.show("a.png", id: 1)
        driver.ask("/image b.png")
        driver.send(.pictureReady(Photo(name: "b.png", image: Conversations.image, id: 2), path: "b.png"))
        driver.end(failure: "the context is full")
        #expect(driver.state.photo?.name == "a.png" && driver.state.session.pictures.count == 1)
        #expect(driver.transcript == ["a.png 40×20", "the context is full"])
    }
}

struct `The list of conversations` {
    private static func line(_ id: String, _ title: String) -> SessionLine {
        SessionLine(
            id: id, title: title, date: "today 14:05", turns: 2, pictures: 1, model: "demo", isShown: id == "aaa111")
    }
    private static let lines = [line("aaa111", "What is it?"), line("bbb222", "Is it a dog?")]

    private func opened() -> Driver {
        var driver = Driver.saved()
        driver.ask("/sessions")
        driver.send(.session(.listed(Self.lines, search: "")))
        driver.forget()
        return driver
    }

    @Test func `shows date, title, turns and model, and opens the one that is chosen`() {
        var driver = opened()
        let shown = screen(driver.state, 100, 30).joined(separator: "\n")
        #expect(shown.contains("today 14:05  aaa111  What is it? (on the screen)  2 turns, 1 picture, demo"))
        #expect(shown.contains("d delete"))
        driver.press(.down, .enter)
        #expect(driver.effects == [.session(.read(id: "bbb222"))] && driver.state.overlay == nil)
    }

    @Test func `deletes at the second d, and keeps at any other key`() {
        var driver = opened()
        driver.press(.character("d"))
        #expect(driver.state.overlay?.title.contains("delete aaa111 for good?") == true)
        driver.press(.character("x"))
        #expect(driver.effects.isEmpty && driver.state.overlay?.title == "conversations")
        driver.press(.character("d"), .character("d"))
        #expect(driver.effects == [.session(.delete(id: "aaa111", search: ""))])
    }

    @Test func `is searched by typing after a slash; late answers to earlier words are left aside`() {
        var driver = opened()
        driver.press(.character("/"), .character("d"), .character("o"))
        #expect(driver.effects == [.session(.list(search: "d")), .session(.list(search: "do"))])
        driver.send(.session(.listed([Self.lines[1]], search: "do")))
        driver.send(.session(.listed(Self.lines, search: "d")))
        #expect(driver.state.overlay?.shown.count == 1)
        driver.press(.enter)
        #expect(driver.effects.last == .session(.read(id: "bbb222")))
    }

    @Test func `says that nothing is saved yet`() {
        var driver = Driver.saved()
        driver.ask("/sessions")
        driver.send(.session(.listed([], search: "")))
        #expect(driver.state.overlay == nil && driver.state.hint == "no conversation is saved yet")
    }
}

struct `Dates in the list` {
    @Test(arguments: [
        (0.0, "today 12:00"), (-3600 * 11.0, "today 01:00"), (-3600 * 20.0, "yesterday 16:00"),
        (-86400 * 3.0, "2023-11-11 12:00"),
    ])
    func `are as near as they are`(offset: Double, text: String) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        let now = Date(timeIntervalSince1970: 1_699_963_200)
        #expect(SessionShelf.date(now.addingTimeInterval(offset), now: now, calendar: calendar) == text)
    }
}
