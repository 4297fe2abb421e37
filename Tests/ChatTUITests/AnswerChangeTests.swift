// AnswerChangeTests.swift — /retry and /edit: an answer or a question that takes the place of another.

import Foundation
import Testing

@testable import ChatTUI
@testable import ConversationStore
@testable import Engine

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
