// ComposerChangeTests.swift — cutting, putting back, taking back, long pastes, and the way through the past.

import Testing

@testable import ChatTUI

struct `What was cut` {
    private func composer(_ text: String) -> Composer {
        var composer = Composer()
        composer.insert(text)
        return composer
    }

    @Test func `in a row comes back as one piece, in the order of the text`() {
        var composer = composer("one two three four")
        composer.edit(.control("w"))
        composer.edit(.control("w"))
        composer.edit(.control("a"))
        composer.edit(.control("y"))
        #expect(composer.text == "three fourone two ")
    }

    @Test func `forwards and backwards joins as it stood`() {
        var composer = composer("one two three")
        composer.edit(.alt("b"))
        composer.edit(.alt("d"))
        composer.edit(.control("u"))
        composer.edit(.control("y"))
        #expect(composer.text == "one two three")
    }

    @Test func `before comes in its place with Alt-Y, and the newest after the oldest`() {
        var composer = composer("a b c")
        for _ in 0..<2 {
            composer.edit(.control("w"))
            composer.edit(.end)
        }
        composer.edit(.control("y"))
        #expect(composer.text == "a b ")
        composer.edit(.alt("y"))
        #expect(composer.text == "a c")
        composer.edit(.alt("y"))
        #expect(composer.text == "a b ")
    }

    @Test func `comes back with Alt-Y only right after Ctrl-Y`() {
        var composer = composer("word")
        composer.edit(.control("u"))
        composer.edit(.alt("y"))
        #expect(composer.isEmpty)
        composer.edit(.control("y"))
        composer.edit(.left)
        composer.edit(.alt("y"))
        #expect(composer.text == "word")
    }
}

struct `Taking back` {
    @Test func `undoes words that were typed, cuts, pastes and replacements`() {
        var composer = Composer()
        for character in "one two" { composer.insert(String(character)) }
        composer.edit(.control("w"))
        composer.insert("pasted\ntext")
        composer.replace(with: "other")
        composer.edit(.control("_"))
        #expect(composer.text == "one pasted\ntext")
        composer.edit(.control("_"))
        #expect(composer.text == "one ")
        composer.edit(.control("_"))
        #expect(composer.text == "one two")
        composer.edit(.control("_"))
        #expect(composer.text == "one")
        composer.edit(.control("_"))
        composer.edit(.control("_"))
        #expect(composer.isEmpty && composer.cursor == 0)
    }

    @Test func `any number of random edits comes back to each text before`() {
        var random = SeededRandom(seed: 7)
        let keys: [Key] = [
            .backspace, .delete, .left, .right, .home, .end, .wordLeft, .wordRight, .control("k"), .control("u"),
            .control("w"), .alt("d"), .control("y"), .alt("y"), .up, .down, .alt("<"), .alt(">"),
        ]
        var composer = Composer()
        composer.remember("an entry of the past\nwith 日本語 in it")
        for _ in 0..<3000 {
            if random.next(below: 3) == 0 {
                composer.insert(["a", " ", "\n", "日", "e\u{301}", "\u{301}", "👩‍👩‍👧", "🇩", "🇪"][random.next(below: 9)])
            } else {
                composer.edit(keys[random.next(below: keys.count)])
            }
            #expect((0...composer.characters.count).contains(composer.cursor))
            #expect(composer.text == String(composer.characters))
        }
        for _ in 0..<3000 { composer.edit(.control("_")) }
        let settled = composer.text
        composer.edit(.control("_"))
        #expect(composer.text == settled)
    }
}

struct `A long paste` {
    @Test func `stands as one character and is sent whole`() {
        let text = (1...12_345).map { "line \($0)\n" }.joined()
        var driver = Driver.loaded()
        driver.type("see ")
        driver.send(.input(.paste(text)))
        driver.type("and say")
        #expect(screen(driver.state, 80, 24)[22].contains("see [pasted 12345 lines]and say"))
        driver.press(.enter)
        #expect(driver.started == [.ask(question: "see \(text)and say", turn: driver.state.turns[0].id)])
        driver.press(.up)
        #expect(driver.state.composer.text == "see \(text)and say")
    }

    @Test func `is deleted and taken back like a character`() {
        var composer = Composer()
        let text = String(repeating: "x", count: 5000)
        composer.insert("a" + "b")
        composer.insert(text)
        #expect(composer.characters.count == 3)
        composer.edit(.backspace)
        #expect(composer.text == "ab")
        composer.edit(.control("_"))
        #expect(composer.text == "ab" + text)
    }

    @Test func `of forty lines is still shown as it is`() {
        var composer = Composer()
        composer.insert(Array(repeating: "x", count: 40).joined(separator: "\n"))
        #expect(composer.characters.count == 79 && composer.folds.isEmpty)
        composer.insert(Array(repeating: "x", count: 41).joined(separator: "\n"))
        #expect(composer.characters.count == 80 && !composer.folds.isEmpty)
    }

    @Test func `cannot be mistaken for a character of the private plane`() {
        var composer = Composer()
        let text = String(repeating: "y", count: 5000)
        composer.insert(text)
        composer.insert("\u{F0000}")
        #expect(composer.text == text + "\u{F0000}")
    }

    @Test func `is no wider than the screen`() {
        var composer = Composer()
        composer.insert(String(repeating: "z", count: 5000))
        #expect(ComposerPane.wrap(composer, width: 10).rows.allSatisfy { $0.count <= 10 })
    }
}

struct `Searching what was written` {
    private func driver() -> Driver {
        var driver = Driver.loaded()
        for text in ["What is left of the dog?", "How many cats?", "What colour is the dog?", "/spec off"] {
            driver.state.composer.remember(text)
        }
        driver.type("draft")
        return driver
    }

    @Test func `finds the newest that fits, and older ones with Ctrl-R`() {
        var driver = driver()
        driver.press(.control("r"))
        driver.type("DOG")
        #expect(driver.state.composer.text == "What colour is the dog?")
        #expect(screen(driver.state, 80, 24)[21].contains(" search: DOG "))
        driver.press(.control("r"))
        #expect(driver.state.composer.text == "What is left of the dog?")
        driver.press(.control("s"))
        #expect(driver.state.composer.text == "What colour is the dog?")
    }

    @Test func `keeps what fits as more is typed, and says when nothing does`() {
        var driver = driver()
        driver.press(.control("r"))
        driver.type("what")
        #expect(driver.state.composer.text == "What colour is the dog?")
        driver.type(" is left")
        #expect(driver.state.composer.text == "What is left of the dog?")
        driver.type("x")
        #expect(driver.state.search?.isFailing == true && driver.state.composer.text == "draft")
        driver.press(.backspace)
        #expect(driver.state.composer.text == "What is left of the dog?")
    }

    @Test(arguments: [Key.escape, .control("g"), .control("c")])
    func `is left with the draft untouched`(key: Key) {
        var driver = driver()
        driver.press(.control("r"))
        driver.type("cats")
        driver.press(key)
        #expect(driver.state.search == nil && driver.state.composer.text == "draft" && driver.effects.isEmpty)
    }

    @Test func `takes what was found without sending it, and other keys edit it`() {
        var driver = driver()
        driver.press(.control("r"))
        driver.type("cats")
        driver.press(.enter)
        #expect(driver.state.composer.text == "How many cats?" && driver.started.isEmpty)
        driver.press(.control("r"))
        driver.type("left")
        driver.press(.control("a"), .character("!"))
        #expect(driver.state.composer.text == "!What is left of the dog?")
    }

    @Test func `with nothing written says so`() {
        var driver = Driver.loaded()
        driver.press(.control("r"))
        #expect(driver.state.search == nil && driver.state.hint?.contains("nothing was written yet") == true)
    }
}
