// CopyTests.swift — which text is copied, what is sent to the terminal, and what is said about it.

import Engine
import Foundation
import Testing

@testable import ChatTUI

struct `Copying` {
    private func driver() -> Driver {
        var driver = Driver.loaded()
        for (index, answer) in [
            "  first answer\n", "second:\n```swift\nlet a = 1\n```\nand\n```\nlet b = 2\n```\n", "third",
        ].enumerated() {
            driver.ask("question \(index + 1)")
            driver.send(.engine(.round(Samples.plain(index: 0), text: answer)))
            driver.end()
        }
        driver.effects = []
        return driver
    }

    @Test(arguments: [
        ("/copy", Effect.copy("third", what: "the answer")), ("/copy 1", .copy("third", what: "the answer")),
        ("/copy 3", .copy("first answer", what: "the answer")), ("/copy code", .copy("let b = 2", what: "the code")),
    ])
    func `takes the text that is meant, without white space around it`(text: String, effect: Effect) {
        var driver = driver()
        driver.ask(text)
        #expect(driver.effects.contains(effect))
    }

    @Test func `of what is not there says so`() {
        var driver = driver()
        driver.ask("/copy 4")
        #expect(driver.state.hint == "there are 3 answers so far")
        driver = Driver.loaded()
        driver.ask("/copy")
        #expect(driver.state.hint == "there is no answer yet to copy")
        driver.ask("/copy code")
        #expect(driver.state.hint == "no answer holds a block of code")
    }

    @Test func `from the list of messages takes the one under the cursor`() {
        var driver = driver()
        driver.press(.function(5))
        #expect(driver.state.overlay?.chosen?.text == "bot  third")
        driver.press(.up, .up, .character("c"))
        #expect(driver.effects == [.copy("let b = 2", what: "the code")] && driver.state.overlay == nil)
        driver.press(.function(5), .home, .character("y"))
        #expect(driver.effects.last == .copy("question 1", what: "the message"))
    }

    @Test func `a message is also gone to`() {
        var driver = driver()
        driver.send(.resized(Size(rows: 10, columns: 40)))
        driver.press(.function(5), .home, .enter)
        #expect(driver.state.overlay == nil && driver.state.scroll == .held(turn: 0, line: 0))
        #expect(screen(driver.state, 40, 10)[1].contains("question 1"))
    }

    @Test(
        arguments: [
            ("no code", nil), ("```\na\n```", "a"), ("~~~~\n```\nx\n```\n~~~~", "```\nx\n```"), ("```\nopen", "open"),
            ("```a\n1\n```\n```b\n2\n```", "2"), ("  ```\n  in\n  ```", "  in"), ("```", nil),
        ] as [(String, String?)])
    func `finds the last block of code`(text: String, code: String?) {
        #expect(CodeBlock.last(in: text) == code)
    }
}

struct `The clipboard` {
    @Test func `is asked for in base64, and in tmux through tmux too`() {
        #expect(Clipboard.sequence(for: "né", isInTmux: false) == Array("\u{1B}]52;c;bsOp\u{07}".utf8))
        let inTmux = "\u{1B}]52;c;bsOp\u{07}\u{1B}Ptmux;\u{1B}\u{1B}]52;c;bsOp\u{07}\u{1B}\\"
        #expect(Clipboard.sequence(for: "né", isInTmux: true) == Array(inTmux.utf8))
        #expect(Clipboard.sequence(for: String(repeating: "x", count: 75_000), isInTmux: false) != nil)
        #expect(Clipboard.sequence(for: String(repeating: "x", count: 75_001), isInTmux: false) == nil)
    }

    @Test func `never holds what could end the sequence`() {
        let evil = "\u{1B}\\\u{07}]52;c;?\u{07}"
        let bytes = Clipboard.sequence(for: evil, isInTmux: false) ?? []
        #expect(bytes.dropLast().allSatisfy { $0 != 7 } && bytes.filter { $0 == 0x1B }.count == 1)
    }

    @Test func `program is that of the display, if PATH has it`() throws {
        let folder = try TemporaryFolder()
        for name in ["wl-copy", "xclip"] { try folder.write(name, "#!/bin/sh\n", mode: 0o755) }
        let path = folder.path
        #expect(Clipboard.program(environment: ["PATH": path]) == nil)
        #expect(Clipboard.program(environment: ["PATH": path, "WAYLAND_DISPLAY": "wayland-0"]) == ["wl-copy"])
        #expect(Clipboard.program(environment: ["PATH": path, "DISPLAY": ":0"])?.first == "xclip")
        #expect(Clipboard.program(environment: ["PATH": "/nowhere", "DISPLAY": ":0"]) == nil)
    }

    @Test func `program gets the text, and its failures are told`() throws {
        let folder = try TemporaryFolder()
        try folder.write("good", "#!/bin/sh\ncat > '\(folder.path)/got'\n", mode: 0o755)
        try folder.write("bad", "#!/bin/sh\ncat > /dev/null\nexit 3\n", mode: 0o755)
        let text = String(repeating: "日本 ", count: 100_000)
        #expect(Clipboard.run([folder.path + "/good"], text: text) == nil)
        #expect(try folder.read("got") == text)
        #expect(Clipboard.run([folder.path + "/bad"], text: "x") == "ended with code 3")
        #expect(Clipboard.run([folder.path + "/missing"], text: "x") == "could not be started")
    }

    @Test func `program that does not read is ended after a while`() throws {
        let folder = try TemporaryFolder()
        try folder.write("stuck", "#!/bin/sh\nexec sleep 60\n", mode: 0o755)
        let start = ContinuousClock.now
        #expect(
            Clipboard.run([folder.path + "/stuck"], text: String(repeating: "x", count: 1 << 20)) == "took too long")
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func `is never claimed to have what nobody confirmed`() {
        let report = { Clipboard.report(what: "the answer", sent: $0, program: $1) }
        #expect(report(true, nil) == "sent the answer to the terminal (OSC 52), which confirms nothing")
        #expect(report(true, ("wl-copy", nil)) == "copied the answer with wl-copy")
        #expect(
            report(true, ("xclip", "took too long")).hasPrefix("xclip took too long; sent to the terminal"))
        #expect(
            report(false, ("xclip", "took too long"))
                == "xclip took too long, and the answer is too long for the terminal")
        #expect(report(false, nil).contains("/export"))
    }
}
