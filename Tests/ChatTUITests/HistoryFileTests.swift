// HistoryFileTests.swift — the history on disk: read back, shared, bounded, and harmless when it is damaged.

import Foundation
import Testing

@testable import ChatTUI

struct `The history on disk` {
    private func file(_ folder: TemporaryFolder) -> HistoryFile { HistoryFile(path: folder.path + "/specchat/history") }

    @Test func `gives back what was written, each on a line, for its owner only`() throws {
        let folder = try TemporaryFolder()
        let history = file(folder)
        let entries = ["one", "two\nlines \"quoted\" \\ /path", "日本語 👩‍👩‍👧 \u{1B}[2J", " "]
        entries.forEach(history.append)
        history.finish()
        #expect(history.load() == entries)
        #expect(try folder.read("specchat/history").filter { $0 == "\n" }.count == entries.count)
        #expect(try folder.mode("specchat/history") == 0o600)
        #expect(try folder.mode("specchat") == 0o700)
    }

    @Test func `loses nothing when several programs write at once`() throws {
        let folder = try TemporaryFolder()
        let files = (0..<4).map { _ in file(folder) }
        for index in 0..<100 { for (writer, file) in files.enumerated() { file.append("\(writer) wrote \(index)") } }
        files.forEach { $0.finish() }
        let entries = files[0].load()
        #expect(entries.count == 400)
        for writer in 0..<4 {
            #expect(entries.filter { $0.hasPrefix("\(writer) ") } == (0..<100).map { "\(writer) wrote \($0)" })
        }
    }

    @Test func `passes over lines that are none, and ends a half one before it goes on`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/specchat", withIntermediateDirectories: true)
        try folder.write("specchat/history", "\"good\"\nnot json\n{\"a\":1}\n\u{0}\u{1}\n\"cut of")
        let history = file(folder)
        #expect(history.load() == ["good"])
        history.append("after")
        history.finish()
        #expect(history.load() == ["good", "after"])
        #expect(try folder.mode("specchat/history") == 0o600)
    }

    @Test func `is cut back to its newest entries when it has grown too long`() throws {
        let folder = try TemporaryFolder()
        let history = file(folder)
        let long = String(repeating: "x", count: 20_000)
        for index in 0..<80 { history.append("\(index) \(long)") }
        history.finish()
        let entries = history.load()
        #expect(entries.last?.hasPrefix("79 ") == true && entries.count < 80)
        let numbers = entries.compactMap { Int($0.prefix { $0 != " " }) }
        #expect(numbers == Array((80 - numbers.count)..<80))
        let size = try FileManager.default.attributesOfItem(atPath: history.path)[.size] as? Int ?? .max
        #expect(size <= HistoryFile.largest)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/specchat") == ["history"])
    }

    @Test func `keeps no text that is longer than a history should hold`() throws {
        let folder = try TemporaryFolder()
        let history = file(folder)
        history.append(String(repeating: "x", count: HistoryFile.longestEntry + 1))
        history.append("short")
        history.finish()
        #expect(history.load() == ["short"])
    }

    @Test func `is nothing where a folder, a pipe or nothing stands in its place`() throws {
        let folder = try TemporaryFolder()
        let history = file(folder)
        #expect(history.load().isEmpty)
        try FileManager.default.createDirectory(atPath: history.path, withIntermediateDirectories: true)
        history.append("lost")
        history.finish()
        #expect(history.load().isEmpty)
        let pipe = HistoryFile(path: folder.path + "/pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        pipe.append("lost")
        pipe.finish()
        #expect(pipe.load().isEmpty)
    }

    @Test func `is where the specification puts it`() {
        #expect(HistoryFile.path(environment: ["HOME": "/home/me"]) == "/home/me/.local/state/specchat/history")
        #expect(HistoryFile.path(environment: ["HOME": "/h", "XDG_STATE_HOME": "/s"]) == "/s/specchat/history")
        #expect(
            HistoryFile.path(environment: ["HOME": "/h", "XDG_STATE_HOME": "s"]) == "/h/.local/state/specchat/history")
        #expect(HistoryFile.path(environment: [:]) == nil)
    }
}

struct `The editor` {
    private func edit(_ script: String, _ text: String = "before") throws -> EditOutcome {
        let folder = try TemporaryFolder()
        try folder.write("editor", "#!/bin/sh\n\(script)\n", mode: 0o755)
        let launcher = EditorLauncher(wish: folder.path + "/editor --flag", environment: [:])
        return launcher.edit(text) { $0.wait(milliseconds: 10_000) }
    }

    @Test func `changes the text and leaves no file behind`() throws {
        #expect(try edit("echo \"$1\" > \"$2\"") == .edited("--flag"))
        #expect(try edit("printf 'a\\nb\\n' > \"$2\"") == .edited("a\nb"))
        #expect(try edit("true", "kept\n") == .edited("kept\n"))
        let seen = try edit("dirname \"$2\" > \"$2\"; ls -l \"$2\" | cut -c1-10 >> \"$2\"")
        guard case .edited(let text) = seen, let place = text.split(separator: "\n").first else {
            Issue.record("\(seen)")
            return
        }
        #expect(text.contains("-rw-------"))
        #expect(!FileManager.default.fileExists(atPath: String(place)))
    }

    @Test(arguments: [
        ("exit 1", "editor ended with code 1; the text is as it was"),
        ("rm \"$2\"", "the edited file is gone; the text is as it was"),
        ("printf '\\377' > \"$2\"", "the edited file is not UTF-8; the text is as it was"),
        ("kill -9 $$", "editor was ended by signal 9; the text is as it was"),
    ])
    func `that fails leaves the text as it was and says so`(script: String, reason: String) throws {
        #expect(try edit(script) == .failed(reason))
    }

    @Test func `that is missing is named`() {
        let launcher = EditorLauncher(wish: nil, environment: ["EDITOR": "/nowhere/ed", "VISUAL": " "])
        let outcome = launcher.edit("x") { $0.wait(milliseconds: 5000) }
        #expect(
            outcome
                == .failed(
                    "ed cannot be started (No such file or directory): set $VISUAL or $EDITOR; the text is as it was"))
    }

    @Test func `is that of the settings, then VISUAL, then EDITOR, then vi`() {
        let both = ["VISUAL": "code --wait", "EDITOR": "nano"]
        #expect(EditorLauncher(wish: "'my editor' -x", environment: both).words == ["my editor", "-x"])
        #expect(EditorLauncher(wish: nil, environment: both).words == ["code", "--wait"])
        #expect(EditorLauncher(wish: " ", environment: ["EDITOR": "nano"]).words == ["nano"])
        #expect(EditorLauncher(wish: nil, environment: [:]).words == ["vi"])
    }

    @Test func `is asked for with Ctrl-G or Ctrl-X Ctrl-E, and what comes back can be taken back`() {
        var driver = Driver.loaded()
        driver.type("ab")
        driver.press(.control("g"), .control("x"), .control("e"))
        #expect(driver.effects == [.edit("ab"), .edit("ab")])
        driver.send(.edited(.edited("abc")))
        #expect(driver.state.composer.text == "abc" && driver.state.hint == "edited; Enter sends it")
        driver.press(.control("x"), .control("u"))
        #expect(driver.state.composer.text == "ab")
        driver.send(.edited(.failed("vi ended with code 1; the text is as it was")))
        #expect(driver.state.composer.text == "ab" && driver.state.hint?.hasPrefix("vi ended") == true)
        driver.press(.control("x"), .character("c"))
        #expect(driver.state.composer.text == "abc")
    }
}
