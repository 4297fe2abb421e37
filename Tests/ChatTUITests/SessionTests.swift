// SessionTests.swift — conversations that are begun and resumed, and their pictures, event by event.

import Foundation
import Testing

@testable import ChatTUI
@testable import ConversationStore
@testable import Engine

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
