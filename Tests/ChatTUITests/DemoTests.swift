// DemoTests.swift — scripts: what may stand in them, what is said of those that are wrong, and how they are played.

import Engine
import Foundation
import Testing

@testable import ChatTUI

struct `A script` {
    @Test func `is read line by line, with notes and pictures beside it`() throws {
        let script = try DemoScript(
            """
            # a note
            picture my\\ cat.png
            picture /tmp/x.png

              typing 30
            ask What is "left" of it?
            pause 1.5
            wait
            tree mini
            pace 0.2
            speculation off
            hold
            step 3
            step 2 0.5
            go
            keys up enter m space
            say hello
            clear
            again
            """, path: "talks/one.txt")
        #expect(
            script.steps == [
                .picture("talks/my cat.png"), .picture("/tmp/x.png"), .typing(30), .ask("What is \"left\" of it?"),
                .pause(1.5), .wait, .tree(.mini), .pace(0.2), .speculation(.off), .hold, .step(3, every: 1),
                .step(2, every: 0.5), .goOn, .keys([.up, .enter, .character("m"), .character(" ")]), .say("hello"),
                .clear, .again,
            ])
    }

    @Test(arguments: [
        ("ask", "ask wants a question or a command"), ("pause long", "pause wants seconds between 0 and 3600"),
        ("pause -1", "pause wants seconds"), ("pause nan", "pause wants seconds"),
        ("tree big", "tree wants one of: off, mini, full"),
        ("pace 61", "pace wants seconds a round between 0 and 60"),
        ("speculation on", "speculation wants one of: off, chain"),
        ("step 0", "step wants rounds between 1 and 10000"), ("step 1 2 3", "step wants rounds"),
        ("keys up sideways", "keys wants keys of the tree panel"), ("typing 0", "typing wants characters a second"),
        ("wait 3", "wait wants to stand alone"), ("say", "say wants a line of text"),
        ("picture", "picture wants a picture file"),
        ("dance", "\"dance\" is not one of: again, ask, clear, go, hold"),
    ])
    func `that is wrong names file, line and what is wanted`(line: String, wanted: String) {
        do {
            _ = try DemoScript("# note\nask hello\n\(line)\n", path: "talk.txt")
            Issue.record("\(line) was taken")
        } catch {
            #expect(error.description.hasPrefix("talk.txt, line 3: \(wanted)"), "\(error)")
            #expect(error.description.hasSuffix("."))
        }
    }

    @Test func `that names a picture which is not there says so before anything is played`() {
        #expect(throws: DemoScriptError.badLine(path: "a/t", line: 2, wanted: "there is no picture a/x.png")) {
            try DemoScript("ask hi\npicture x.png", path: "a/t") { _ in false }
        }
    }

    @Test func `that is empty, missing or no text says so`() throws {
        #expect(throws: DemoScriptError.empty(path: "t")) { try DemoScript("# only notes\n", path: "t") }
        #expect(throws: DemoScriptError.empty(path: "t")) { try DemoScript("again", path: "t") }
        #expect(throws: DemoScriptError.self) { try DemoScript.read(path: "/nonexistent/talk.txt") }
        #expect(throws: DemoScriptError.self) { try DemoScript.read(path: "/bin/sh") }
    }

    @Test func `that comes with the program is sound`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let script = try DemoScript.read(path: root.appending(path: "Assets/demo-script.txt").path)
        for case .picture(let path) in script.steps { #expect(FileManager.default.fileExists(atPath: path), "\(path)") }
        for case .say(let text) in script.steps { #expect(DisplayText.width(text) <= 70, "\(text)") }
    }
}

struct `A demo` {
    private func driver(_ script: String, pace: Double? = nil) throws -> Driver {
        var driver = Driver()
        driver.state.demo = Demo(try DemoScript(script, path: "t"), pace: pace)
        driver.effects = driver.state.enqueue(.load)
        return driver
    }

    /// Lets so many seconds go by, moment by moment.
    private func wait(_ seconds: Double, _ driver: inout Driver) {
        for _ in 0..<Int(seconds * 50) {
            driver.now += 0.01
            driver.send(.tick)
        }
    }

    @Test func `types, sends when the engine is ready, and waits for the answer`() throws {
        var driver = try driver("typing 100\nask hi?\nwait\nsay done")
        wait(1, &driver)
        #expect(driver.state.composer.isEmpty, "the model is still loading")
        driver.end()
        wait(0.04, &driver)
        #expect(driver.state.composer.text.hasPrefix("h"))
        wait(1, &driver)
        #expect(driver.started == [.load, .ask(question: "hi?", turn: 2)] || driver.started.count == 2)
        #expect(driver.state.turns.first?.text == "hi?" && driver.state.hint == nil)
        driver.send(.engine(.round(Samples.sketch(), text: "yes")))
        driver.end()
        #expect(driver.state.hint == nil, "the panel has not shown the round to its end")
        wait(1, &driver)
        #expect(driver.state.demo?.isOver == true)
        #expect(driver.state.hint == "the demo is over: Space plays it again, q ends")
    }

    @Test func `holds the engine, steps, and lets it go on`() throws {
        var driver = try driver("hold\nask go\nstep 2 0.5\ngo\nwait")
        driver.end()
        wait(2, &driver)
        #expect(driver.effects.contains(.holdEngine))
        #expect(driver.effects.filter { $0 == .advanceEngine(rounds: 1) }.count == 2)
        #expect(driver.effects.last == .releaseEngine)
    }

    @Test func `pauses at any key, holds the engine, and goes on at Space`() throws {
        var driver = try driver("ask go\nwait\nsay after")
        driver.end()
        wait(2, &driver)
        driver.send(.engine(.round(Samples.sketch(), text: "x")))
        driver.press(.character("x"))
        #expect(driver.effects.last == .holdEngine && driver.state.hint?.hasPrefix("demo paused") == true)
        driver.end()
        wait(3, &driver)
        #expect(driver.state.demo?.isOver == false)
        // Whoever stopped it may look around.
        driver.press(.down)
        #expect(driver.state.tree.cursor != nil)
        driver.press(.character(" "))
        #expect(driver.effects.last == .releaseEngine && driver.state.tree.cursor == nil)
        wait(2, &driver)
        #expect(driver.state.demo?.isOver == true)
    }

    @Test func `keeps the rest of a pause while it is paused`() throws {
        var driver = try driver("pause 2\nsay later")
        driver.end()
        wait(1, &driver)
        driver.press(.enter)
        wait(5, &driver)
        driver.press(.character(" "))
        wait(0.6, &driver)
        #expect(driver.state.demo?.isOver == false)
        wait(1, &driver)
        #expect(driver.state.demo?.isOver == true)
    }

    @Test func `ends at q, and at Ctrl-C as interrupted`() throws {
        var driver = try driver("pause 5")
        driver.press(.character("q"))
        #expect(driver.effects.last == .quit(.asked))
        driver.press(.control("c"))
        #expect(driver.effects.last == .quit(.interrupted))
    }

    @Test func `takes the pace from the command line before the script's`() throws {
        var driver = try driver("pace 0.5\nspeculation off\ntree mini", pace: 0.2)
        driver.end()
        wait(0.1, &driver)
        #expect(driver.state.options.pace == 0.2 && driver.state.options.speculation.policy == .off)
        #expect(driver.state.tree.size == .mini)
    }

    @Test func `that plays again for ever still lets the screen be drawn`() throws {
        var driver = try driver("say one\nagain")
        driver.end()
        wait(1, &driver)
        #expect(driver.state.hint == "one" && driver.state.demo?.isOver == false)
        #expect(driver.state.demo?.nextChange.map { $0 > driver.now } == true)
    }

    @Test func `plays again from its beginning when it is over`() throws {
        var driver = try driver("say one\npause 1")
        driver.end()
        wait(2, &driver)
        driver.press(.character(" "))
        driver.end()
        wait(0.5, &driver)
        #expect(driver.started.last == .clear(.below) && driver.state.demo?.isOver == false)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("one") })
    }
}
