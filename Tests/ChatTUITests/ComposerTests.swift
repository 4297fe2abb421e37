// ComposerTests.swift — editing as people know it from shells, and keys as terminals really send them.

import Engine
import Testing

@testable import ChatTUI

struct `Composer editing` {
    private func composer(_ text: String) -> Composer {
        var composer = Composer()
        composer.insert(text)
        return composer
    }

    @Test func `moves by words and cuts them`() {
        var composer = composer("what is left of it?")
        composer.moveWordLeft()
        composer.cutWordBackward()
        #expect(composer.text == "what is left it?")
        composer.moveToLineEnd()
        composer.yank()
        #expect(composer.text == "what is left it?of ")
    }

    @Test func `cuts to either end of the line and only of the line`() {
        var composer = composer("one\ntwo three")
        composer.moveWordLeft()
        composer.cutToLineStart()
        #expect(composer.text == "one\nthree")
        composer.cutToLineEnd()
        #expect(composer.text == "one\n")
    }

    @Test func `goes up and down between lines and then through the past`() {
        var composer = Composer()
        composer.insert("first")
        _ = composer.take()
        composer.insert("second")
        _ = composer.take()
        composer.insert("draft\nof two lines")
        composer.moveUp()
        #expect(composer.text == "draft\nof two lines" && composer.cursor == 5)
        composer.moveUp()
        composer.moveUp()
        #expect(composer.text == "first")
        composer.moveDown()
        composer.moveDown()
        #expect(composer.text == "draft\nof two lines")
    }

    @Test func `treats a letter and its accents as one character`() {
        var composer = composer("e")
        composer.insert("\u{301}")
        composer.deleteBackward()
        #expect(composer.isEmpty)
    }

    @Test func `wraps by columns and keeps the cursor on its row`() {
        var composer = composer("日本語日本")
        let rows = ComposerPane.wrap(composer, width: 5)
        #expect(rows.rows.count == 3)
        #expect(rows.cursorRow == 2 && rows.cursorColumn == 2)
        composer.insert("\n")
        #expect(ComposerPane.wrap(composer, width: 5).cursorRow == 3)
    }
}

struct `Key reading` {
    private func read(_ text: String) -> [Input] {
        var reader = KeyReader()
        return text.unicodeScalars.flatMap { reader.feed(.scalar($0)) } + reader.pause()
    }

    @Test func `tells a lone Escape from Alt and from sequences`() {
        #expect(read("\u{1B}") == [.key(.escape)])
        #expect(read("\u{1B}b") == [.key(.alt("b"))])
        #expect(read("\u{1B}\r") == [.key(.altEnter)])
        #expect(read("\u{1B}\u{7F}") == [.key(.altBackspace)])
        #expect(
            read("\r\n\t\u{03}x") == [
                .key(.enter), .key(.control("j")), .key(.tab), .key(.control("c")), .key(.character("x")),
            ])
    }

    @Test func `takes a late answer of the terminal for what it is`() {
        #expect(read("\u{1B}[?63;1;2;4ca") == [.report("[?63;1;2;4c"), .key(.character("a"))])
    }

    @Test func `swallows sequences that nobody knows`() {
        #expect(read("\u{1B}[27;5;9~x") == [.report("[27;5;9~"), .key(.character("x"))])
    }

    @Test func `makes one paste of everything between its marks, newlines included`() {
        var reader = KeyReader()
        var inputs = reader.feed(.pasteBegin)
        for scalar in "a\rb\u{1B}[A".unicodeScalars { inputs += reader.feed(.scalar(scalar)) }
        inputs += reader.feed(.key(.enter))
        #expect(inputs.isEmpty && reader.isPasting)
        inputs = reader.feed(.pasteEnd)
        #expect(inputs == [.paste("a\nb\u{1B}[A\n")])
    }

    @Test func `gives a paste up whose end was lost`() {
        var reader = KeyReader()
        _ = reader.feed(.pasteBegin)
        _ = reader.feed(.scalar("x"))
        #expect(reader.endPaste() == [.paste("x")])
        #expect(!reader.isPasting)
    }
}

struct `Path reading` {
    @Test(arguments: [
        ("photo.jpg", "photo.jpg"), ("  a b.png ", "a b.png"), ("'/tmp/a b.png'", "/tmp/a b.png"),
        ("\"/tmp/it's.png\"", "/tmp/it's.png"), ("/tmp/a\\ b.png", "/tmp/a b.png"),
        ("file:///tmp/a%20b.png", "/tmp/a b.png"), ("file://localhost/tmp/%C3%A9.png", "/tmp/é.png"),
        ("~/x.png", "~/x.png"), ("back\\\\slash.png", "back\\slash.png"),
    ])
    func `undoes quotes, escapes and addresses`(typed: String, path: String) {
        #expect(PathText.path(from: typed) == path)
    }

    @Test func `reads back what it escaped`() {
        let path = "/a b/it's \"here\"\\x.png"
        #expect(PathText.path(from: PathText.escaped(path)) == path)
    }

    @Test(
        arguments: [
            ("/home/x.png", ["/home/x.png"]), ("'/home/a b.JPG'", ["/home/a b.JPG"]), ("./a.webp", ["./a.webp"]),
            ("/home/a\\ b.png", ["/home/a b.png"]), ("What is in /home/x.png?", nil), ("/help", nil),
            ("/a.png or /b.png", nil), ("/a.png /b.png\n'/c d.gif'\n", ["/a.png", "/b.png", "/c d.gif"]),
            ("'/it'\\''s here.png' ~/b.jpg", ["/it's here.png", "~/b.jpg"]),
            ("file:///a%20b.png file:///c.png", ["/a b.png", "/c.png"]),
            ("~other/a.png", ["~other/a.png"]), ("/it's.png", ["/it's.png"]), ("'/open.png", nil),
            ("/etc/passwd", nil), ("/image x.png", nil), ("photo.png", nil), ("", nil),
        ] as [(String, [String]?)])
    func `takes only whole picture paths for pictures`(text: String, paths: [String]?) {
        #expect(PathText.wholePicturePaths(text) == paths)
    }

    @Test(
        arguments: [
            ("/home/my photo.png", [["/home/my photo.png"]]), ("/home/x.png", [["/home/x.png"]]),
            ("/a/b.png /c.png", [["/a/b.png", "/c.png"], ["/a/b.png /c.png"]]), ("/image a b.png", []),
            ("/home/my photo.png\n~/other one.jpg", [["/home/my photo.png", "~/other one.jpg"]]),
            ("What is /a.png", []), ("/a/b.png is what?", []), ("", []),
        ] as [(String, [[String]])])
    func `finds what a dropped text may mean`(text: String, readings: [[String]]) {
        #expect(PathText.readings(of: text) == readings)
    }

    @Test(arguments: [
        ("a.png b.png", ["a.png", "b.png"]), ("my photo.png", ["my photo.png"]),
        ("'a b.png' c.jpg", ["a b.png", "c.jpg"]),
        ("a\\ b.png", ["a b.png"]), ("one.png\ntwo words.png", ["one.png", "two words.png"]),
    ])
    func `finds every file of an argument`(text: String, paths: [String]) {
        #expect(PathText.paths(in: text) == paths)
    }

    @Test func `puts the home folder for a tilde`() {
        #expect(PathText.expandingHome("~/a.png", home: "/home/me") == "/home/me/a.png")
        #expect(PathText.expandingHome("~other/a.png", home: "/home/me") == "~other/a.png")
    }
}
