// SessionListTests.swift — the list of saved conversations: its rows, its search, deleting, its dates.

import Foundation
import Testing

@testable import ChatTUI

struct `The list of conversations` {
    private static func line(_ id: String, _ title: String) -> SessionLine {
        SessionLine(
            id: id, title: title, date: "today 14:05", turns: 2, pictures: 1, model: "demo", isShown: id == "aaa111")
    }
    private static let lines = [line("aaa111", "What is it?"), line("bbb222", "Is it a dog?")]

    private func opened() -> Driver {
        var driver = Driver.saved()
        driver.ask("/sessions")
        driver.send(.session(.listed(Self.lines, search: "")))
        driver.forget()
        return driver
    }

    @Test func `shows date, title, turns and model, and opens the one that is chosen`() {
        var driver = opened()
        let shown = screen(driver.state, 100, 30).joined(separator: "\n")
        #expect(shown.contains("today 14:05  aaa111  What is it? (on the screen)  2 turns, 1 picture, demo"))
        #expect(shown.contains("Del delete"))
        driver.press(.down, .enter)
        #expect(driver.effects == [.session(.read(id: "bbb222"))] && driver.state.overlay == nil)
    }

    @Test(arguments: [Key.character("d"), .character("y"), .delete])
    func `deletes what Del has named at the next key that agrees, and keeps it at any other`(key: Key) {
        var driver = opened()
        driver.press(.delete)
        #expect(driver.state.overlay?.title.contains("delete aaa111 for good?") == true)
        driver.press(.character("x"))
        #expect(driver.effects.isEmpty && driver.state.overlay?.title == "conversations")
        driver.press(.delete, key)
        #expect(driver.effects == [.session(.delete(id: "aaa111", search: ""))])
    }

    @Test func `is searched by typing; late answers to earlier words are left aside`() {
        var driver = opened()
        driver.press(.character("d"), .character("o"))
        #expect(driver.effects == [.session(.list(search: "d")), .session(.list(search: "do"))])
        driver.send(.session(.listed([Self.lines[1]], search: "do")))
        driver.send(.session(.listed(Self.lines, search: "d")))
        #expect(driver.state.overlay?.shown.count == 1)
        driver.press(.enter)
        #expect(driver.effects.last == .session(.read(id: "bbb222")))
    }

    @Test func `says that nothing is saved yet`() {
        var driver = Driver.saved()
        driver.ask("/sessions")
        driver.send(.session(.listed([], search: "")))
        #expect(driver.state.overlay == nil && driver.state.hint == "no conversation is saved yet")
    }
}

struct `Dates in the list` {
    @Test(arguments: [
        (0.0, "today 12:00"), (-3600 * 11.0, "today 01:00"), (-3600 * 20.0, "yesterday 16:00"),
        (-86400 * 3.0, "2023-11-11 12:00"),
    ])
    func `are as near as they are`(offset: Double, text: String) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        let now = Date(timeIntervalSince1970: 1_699_963_200)
        #expect(SessionShelf.date(now.addingTimeInterval(offset), now: now, calendar: calendar) == text)
    }
}
