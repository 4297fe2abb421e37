// CommandTests.swift — every slash command with good and bad arguments, and what finds them: Tab, slips, the palette.

import Engine
import Foundation
import Testing

@testable import ChatTUI

struct `Slash commands` {
    @Test(
        arguments: [
            ("/help", .help(nil)), ("/?", .help(nil)), ("/help set", .help("set")), ("/quit", .quit), ("/exit", .quit),
            ("/q", .quit), ("/clear", .clear), ("/new", .new), ("/new \n", .new), (" /new", .ask("/new")),
            ("hello", .ask("hello")),
            ("/image 'a b.png'", .attach(paths: ["a b.png"])),
            ("/image a.png b.png", .attach(paths: ["a.png", "b.png"])),
            ("/home/x.png", .attach(paths: ["/home/x.png"])),
            ("/home/my x.png", .findPictures(readings: [["/home/my x.png"]])), (" /home/x.png", .ask("/home/x.png")),
            ("Is /home/x.png red?", .ask("Is /home/x.png red?")), ("/images", .images(nil)), ("/images 2", .images(2)),
            ("/sessions", .sessions(search: "")), ("/sessions red dog", .sessions(search: "red dog")),
            ("/resume", .resume(id: nil)), ("/resume 3f2a", .resume(id: "3f2a")), ("/save", .save),
            ("/export", .export(ExportWish())), ("/export json", .export(ExportWish(format: .json))),
            ("/export a.json", .export(ExportWish(format: .json, path: "a.json"))),
            (
                "/export trace 'my rounds' --force",
                .export(ExportWish(format: .trace, path: "my rounds", isForced: true))
            ),
            ("/export notes.jsonl", .export(ExportWish(format: .trace, path: "notes.jsonl"))),
            ("/system Be brief.", .system("Be brief.")), ("/system", .system(nil)), ("/retry", .retry),
            ("/edit", .edit(nil)), ("/edit 3", .edit(3)), ("/copy", .copy(.answer(1))), ("/copy 2", .copy(.answer(2))),
            ("/copy code", .copy(.code)), ("/set", .set("")), ("/set seed 4", .set("seed 4")), ("/stats", .stats),
            ("/spec", .speculation(nil)), ("/spec on", .speculation(.dynamic)), ("/spec off", .speculation(.off)),
            ("/spec chain", .speculation(.chain)), ("/spec dynamic", .speculation(.dynamic)), ("/tree", .tree(nil)),
            ("/tree mini", .tree(.mini)), ("/pause", .pause), ("/step", .step(1)), ("/step -3", .step(-3)),
            ("/replay", .replay), ("/theme", .theme(nil)), ("/theme dark", .theme("dark")), ("/doctor", .doctor),
        ] as [(String, Command)])
    func `mean what the help says`(text: String, command: Command) {
        #expect(Command(text) == command)
    }

    @Test(arguments: [
        ("/spec fast", "/spec takes one of: on, off, chain, dynamic"),
        ("/tree large", "/tree takes one of: off, mini, full"),
        ("/image", "/image needs a file: /image photo.jpg (Tab completes)"),
        ("/images x", "/images takes a number from 1 to 9999"), ("/images 0", "/images takes a number from 1 to 9999"),
        ("/edit first", "/edit takes a number from 1 to 9999"),
        ("/step far", "/step takes a number from -9999 to 9999"),
        ("/copy all", "/copy takes code, or a number: 1 is the last answer, 2 the one before it"),
        ("/copy 0", "/copy takes code, or a number: 1 is the last answer, 2 the one before it"),
        ("/export md a b", "/export takes one file; put quotes around a name with spaces"),
        ("/quit now", "/quit stands alone: nothing may follow it"),
        ("/new x", "/new stands alone: nothing may follow it"),
        ("/clear x", "/clear stands alone: nothing may follow it"),
        ("/save x", "/save stands alone: nothing may follow it"),
        ("/retry 2", "/retry stands alone: nothing may follow it"),
        ("/stats x", "/stats stands alone: nothing may follow it"),
        ("/pause x", "/pause stands alone: nothing may follow it"),
        ("/replay x", "/replay stands alone: nothing may follow it"),
        ("/doctor x", "/doctor stands alone: nothing may follow it"),
        ("/qiut", "/qiut is not a command. Did you mean /quit?"),
        ("/Help", "/Help is not a command. Did you mean /help?"),
        (
            "/etc/passwd is what?",
            "/etc/passwd is neither a command nor a picture. With a space before it, it is sent as text."
        ),
        ("/sesions", "/sesions is not a command. Did you mean /sessions?"),
        ("/frobnicate", "/frobnicate is not a command. /help lists what there is."),
        ("/", "/ is not a command. /help lists what there is."),
    ])
    func `that are wrong say what to type instead`(text: String, message: String) {
        #expect(Command(text) == .mistake(message))
    }

    @Test func `of the expectations are all there, each once, each with help`() {
        let wanted = [
            "/clear", "/copy", "/doctor", "/edit", "/export", "/help", "/image", "/images", "/new", "/pause", "/quit",
            "/replay", "/resume", "/retry", "/save", "/sessions", "/set", "/spec", "/stats", "/step", "/system",
            "/theme",
            "/tree",
        ]
        #expect(CommandTable.names == wanted)
        let all = CommandTable.entries.flatMap { [$0.name] + $0.aliases }
        #expect(Set(all).count == all.count)
        for entry in CommandTable.entries {
            #expect(!entry.help.isEmpty && entry.help.count <= 52 && !entry.help.hasSuffix("."))
            // What needs nothing more must run from the palette.
            if entry.argument.isOptional, case .mistake(let fault) = entry.command("") { Issue.record("\(fault)") }
        }
    }

    @Test func `that are wrong stay in the composer to be mended`() {
        var driver = Driver.loaded()
        driver.ask("/qiut")
        #expect(driver.state.composer.text == "/qiut" && driver.effects.isEmpty)
        #expect(driver.state.hint == "/qiut is not a command. Did you mean /quit?")
    }

    @Test func `are completed as far as they are clear`() {
        #expect(CommandTable.completion(of: "/cl")?.text == "/clear")
        #expect(CommandTable.completion(of: "/the")?.text == "/theme ")
        #expect(CommandTable.completion(of: "/spec d")?.text == "/spec dynamic")
        #expect(CommandTable.completion(of: "/set see")?.text == "/set seed ")
        #expect(CommandTable.completion(of: "/export tr")?.text == "/export trace")
        #expect(CommandTable.completion(of: "/")?.candidates == CommandTable.names)
        #expect(CommandTable.completion(of: "/theme hi")?.text == "/theme high-contrast")
        #expect(CommandTable.completion(of: "/theme ")?.candidates.count == ThemeChoice.allCases.count)
        #expect(CommandTable.completion(of: "/copy c")?.text == "/copy code")
        #expect(CommandTable.completion(of: "/help the")?.text == "/help theme")
        #expect(CommandTable.completion(of: "/spec ")?.candidates.count == 4)
        #expect(CommandTable.completion(of: "/xyz") == nil && CommandTable.completion(of: "hello") == nil)
    }

    @Test func `complete an export's format first, then its file`() {
        var driver = Driver.loaded()
        driver.type("/export tr")
        driver.press(.tab)
        #expect(driver.state.composer.text == "/export trace" && driver.effects.isEmpty)
        driver.type(" not")
        driver.press(.tab)
        #expect(driver.effects == [.listFiles("not")])
    }

    @Test func `are listed to choose from when Tab is pressed once more`() {
        var driver = Driver.loaded()
        driver.type("/s")
        driver.press(.tab)
        #expect(
            driver.state.overlay == nil && driver.state.hint == "/save  /sessions  /set  /spec  /stats  /step  /system")
        driver.press(.tab)
        #expect(driver.state.overlay?.kind == .completion)
        driver.type("pec")
        driver.press(.enter)
        #expect(driver.state.overlay == nil && driver.state.composer.text == "/spec")
    }

    @Test func `stand in README as the table has them`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../README.md").standardizedFileURL
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains(CommandTable.markdown), "README's table of commands should be:\n\(CommandTable.markdown)")
    }
}

struct `The distance between words` {
    @Test(arguments: [
        ("", "", 0), ("/help", "/help", 0), ("/hlep", "/help", 1), ("/hel", "/help", 1), ("/helpp", "/help", 1),
        ("/HELP", "/help", 0), ("/stats", "/step", 3), ("abc", "", 3),
    ])
    func `counts slips of the finger`(a: String, b: String, slips: Int) {
        #expect(CommandTable.distance(a, b) == slips)
    }
}

struct `Fuzzy matching` {
    @Test func `wants all letters in their order`() {
        #expect(FuzzyMatch.score("tf", in: "/tree full") != nil)
        #expect(FuzzyMatch.score("ft", in: "/tree full") == nil)
        #expect(FuzzyMatch.score("", in: "anything") == 0)
        #expect(FuzzyMatch.score("TREE", in: "/tree off") != nil)
    }

    @Test func `prefers words' beginnings and letters that stand together`() throws {
        func score(_ wanted: String, _ text: String) throws -> Int { try #require(FuzzyMatch.score(wanted, in: text)) }
        #expect(try score("set", "/set") > score("set", "/sessions list"))
        #expect(try score("co", "/copy") > score("co", "/clear conversation"))
        #expect(try score("tf", "/tree full") > score("tf", "most of it fits"))
    }
}

struct `Settings` {
    @Test(arguments: [
        ("temperature 0.7", "temperature: 0.7"), ("temp 0,5", "temperature: 0.5"), ("top_k=40", "top-k: 40"),
        ("top-p 1", "top-p: 1.0"), ("min-p 0.05", "min-p: 0.05"), ("repetition-penalty 1.1", "repetition-penalty: 1.1"),
        ("seed 18446744073709551615", "seed: 18446744073709551615"), ("max-tokens 64", "max-tokens: 64"),
        ("nodes 16", "nodes: 16"), ("nodes auto", "nodes: auto"), ("depth 6", "depth: 6"), ("width: 2", "width: 2"),
    ])
    func `take good values, from the next answer on`(text: String, said: String) {
        var driver = Driver.loaded()
        driver.ask("/set \(text)")
        #expect(driver.state.hint == said + ", from the next answer on")
    }

    @Test(arguments: [
        ("temperature hot", "temperature takes a number from 0 to 10"),
        ("temperature -1", "temperature takes a number from 0 to 10"),
        ("temperature nan", "temperature takes a number from 0 to 10"),
        ("temperature inf", "temperature takes a number from 0 to 10"),
        ("top-k 1.5", "top-k takes a whole number from 0"), ("top-p 1.1", "top-p takes a number from 0 to 1"),
        ("min-p -0.1", "min-p takes a number from 0 to 1"),
        ("repetition-penalty 0", "repetition-penalty takes a number above 0, up to 10"),
        ("seed -1", "seed takes a whole number from 0"), ("max-tokens 0", "max-tokens takes a whole number from 1"),
        ("nodes 257", "nodes takes auto, or a whole number from 1 to 256"),
        ("depth 0", "depth takes a whole number from 1 to 64"),
        ("width 65", "width takes a whole number from 1 to 64"), ("seed 1 2", "seed takes a whole number from 0"),
        ("tempreature 1", "there is no setting 'tempreature'. Did you mean temperature?"),
    ])
    func `refuse bad values, say what they take and change nothing`(text: String, said: String) {
        var driver = Driver.loaded()
        let before = driver.state.options
        driver.ask("/set \(text)")
        #expect(driver.state.hint == said && driver.state.options == before)
    }

    @Test func `are shown by their name, and all of them by none`() {
        var driver = Driver.loaded()
        driver.ask("/set seed")
        #expect(driver.state.hint == "seed: 0 (a whole number from 0)")
        driver.ask("/set")
        #expect(driver.state.overlay?.rows.count == Setting.allCases.count)
        driver.press(.down, .enter)
        #expect(driver.state.overlay == nil && driver.state.composer.text == "/set top-k ")
    }

    @Test func `go with the next question`() {
        var driver = Driver.loaded()
        driver.ask("/set temperature 0.5")
        #expect(driver.state.options.sampler.temperature == 0.5)
    }
}

struct `The system prompt` {
    @Test func `is said, set and taken back`() {
        var driver = Driver.loaded()
        driver.ask("/system")
        #expect(driver.state.hint == "system prompt: the model's own")
        driver.ask("/system Be brief.")
        #expect(driver.started == [.setSystem("Be brief.")])
        driver.end()
        #expect(driver.state.systemPrompt == "Be brief." && driver.transcript == ["System prompt: Be brief."])
        driver.ask("/system -")
        driver.end()
        #expect(driver.state.systemPrompt == nil)
    }

    @Test func `in the middle of a conversation is that of the next one`() {
        var driver = Driver.loaded()
        driver.ask("Hello")
        driver.end()
        driver.ask("/system Be brief.")
        driver.end()
        #expect(driver.transcript.last == "System prompt: Be brief. (from the next conversation on: /new)")
    }

    @Test func `that the model cannot have stays what it was`() {
        var driver = Driver.loaded()
        driver.ask("/system Be brief.")
        driver.end(failure: "the model knows no system prompt.")
        #expect(driver.state.systemPrompt == nil && driver.state.turns.last?.content == .failure)
    }
}
