// OverlayTests.swift — what lies over the panes: its keys, its filter, its box at every size.

import Engine
import Testing

@testable import ChatTUI

struct `An overlay` {
    private func palette() -> Driver {
        var driver = Driver.loaded()
        driver.send(.resized(Size(rows: 24, columns: 80)))
        driver.press(.function(3))
        return driver
    }

    @Test(arguments: [Key.escape, .control("c"), .control("g")])
    func `closes and does nothing else`(key: Key) {
        var driver = palette()
        driver.press(key)
        #expect(driver.state.overlay == nil && driver.effects.isEmpty && driver.state.interruptedAt == nil)
    }

    @Test func `leaves suspending and redrawing as they are`() {
        var driver = palette()
        driver.press(.control("z"), .control("l"))
        #expect(driver.effects == [.suspend, .redraw] && driver.state.overlay != nil)
    }

    @Test func `of commands is narrowed by typing and runs what is chosen`() {
        var driver = palette()
        driver.type("tree m")
        #expect(driver.state.overlay?.chosen?.text.hasPrefix("/tree mini") == true)
        driver.press(.enter)
        #expect(driver.state.overlay == nil && driver.state.tree.size == .mini)
    }

    @Test func `of commands writes what needs more`() {
        var driver = palette()
        driver.type("image")
        driver.press(.enter)
        #expect(driver.state.composer.text == "/image " && driver.effects.isEmpty)
    }

    @Test func `narrowed to nothing stays open`() {
        var driver = palette()
        driver.type("zzzz")
        driver.press(.enter)
        #expect(driver.state.overlay?.shown.isEmpty == true)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("nothing fits") })
        driver.press(.control("u"))
        #expect(driver.state.overlay?.chosen != nil)
    }

    @Test func `moves its cursor and stops at the ends`() throws {
        var driver = palette()
        driver.press(.up)
        #expect(driver.state.overlay?.cursor == 0)
        driver.press(.end, .down)
        let overlay = try #require(driver.state.overlay)
        #expect(overlay.cursor == overlay.shown.count - 1)
        driver.press(.pageUp)
        #expect(try #require(driver.state.overlay?.cursor) < overlay.shown.count - 1)
    }

    @Test func `takes a paste into its filter`() {
        var driver = palette()
        driver.send(.input(.paste("tree\nfull")))
        #expect(driver.state.overlay?.filter?.text == "tree full" && driver.state.composer.isEmpty)
    }

    @Test func `gives way to a paste when it has no filter`() {
        var driver = Driver.loaded()
        driver.press(.function(1))
        driver.send(.input(.paste("text")))
        #expect(driver.state.overlay == nil && driver.state.composer.text == "text")
    }

    @Test func `leaves an answer streaming below it`() {
        var driver = Driver.loaded()
        driver.ask("go")
        driver.press(.function(1))
        driver.send(.engine(.round(Samples.plain(index: 0), text: "A cat")))
        #expect(driver.transcript == ["go", "A cat"])
        driver.press(.control("c"))
        #expect(driver.state.overlay == nil && !driver.state.isStopping)
        driver.press(.control("c"))
        #expect(driver.state.isStopping)
    }

    @Test func `of help begins with the keys of where the reader is`() {
        var driver = Driver.loaded()
        driver.press(.character("?"))
        #expect(driver.state.overlay?.rows.first?.text == "Writing")
        driver.press(.escape, .tab, .character("?"))
        #expect(driver.state.overlay?.rows.first?.text == "Draft tree")
        driver.press(.character("q"), .tab)
        driver.ask("/help")
        #expect(driver.state.overlay?.rows.first?.text == "Pictures")
    }

    @Test func `of help has every command, and shows all of them when scrolled`() {
        for size in [Size(rows: 10, columns: 40), Size(rows: 24, columns: 80), Size(rows: 60, columns: 200)] {
            var driver = Driver.loaded()
            driver.send(.resized(size))
            driver.press(.function(1))
            var seen = ""
            for _ in 0..<400 {
                seen += screen(driver.state, size.columns, size.rows).joined(separator: "\n")
                driver.press(.down)
            }
            for name in CommandTable.names { #expect(seen.contains(name), "\(name) at \(size.columns)x\(size.rows)") }
        }
    }

    @Test func `keeps the picture that it does not cover, and only that`() {
        var driver = Driver.loaded()
        driver.send(.resized(Size(rows: 40, columns: 160)))
        let limits = PixelLimits(cellWidth: 10, cellHeight: 20, maximumWidth: 1000, maximumHeight: 1000)
        driver.send(.pictureStyle(.pixels(.sixel, limits)))
        driver.send(.pictureReady(Photo(name: "a.png", image: Attaching.image, id: 1), path: "a.png"))
        let whole = render(driver.state, size: driver.state.size).picture
        #expect(whole != nil)
        driver.ask("/set")
        #expect(render(driver.state, size: driver.state.size).picture == nil)
        driver.press(.escape)
        #expect(render(driver.state, size: driver.state.size).picture == whole)
    }
}

struct `A row of an overlay's text` {
    private func wrap(_ spans: [Span], _ width: Int, indent: Int = 0) -> [String] {
        let lines = OverlayPane.lines(of: Overlay.Row(spans, indent: indent), width: width)
        return lines.map { $0.flatMap(\.glyphs).map(\.text).joined() }
    }

    @Test func `breaks at spaces and sets the rest in`() {
        #expect(
            wrap([Span("ab  "), Span("one two three")], 8, indent: 4) == ["ab  one", "    two", "    thre", "    e"])
        #expect(wrap([Span("one two")], 7) == ["one two"])
        #expect(wrap([Span("one two three")], 8) == ["one two", "three"])
        #expect(wrap([], 5) == [""])
        // The line that is not set in has all of the width.
        #expect(wrap([Span("one two three four")], 12, indent: 4) == ["one two", "    three", "    four"])
        #expect(wrap([Span("abcdefghij klmnopq")], 10, indent: 5) == ["abcdefghij", "     klmno", "     pq"])
        // A narrow box has no room for a margin.
        #expect(wrap([Span("one two")], 4, indent: 3) == ["one", "two"])
    }

    @Test func `never becomes a line wider than asked`() {
        for width in 2...12 {
            for indent in 0...6 {
                let row = Overlay.Row([Span("日本 a 日本語 bcd efghijk")], indent: indent)
                for line in OverlayPane.lines(of: row, width: width) { #expect(line.columns <= width) }
            }
        }
    }
}
