// AskingTests.swift — questions on their way to an answer, and what stops one.

import Engine
import Testing

@testable import ChatTUI

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
