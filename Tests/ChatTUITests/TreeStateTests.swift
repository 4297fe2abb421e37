// TreeStateTests.swift — which round the tree panel shows and how far its showing is.

import Engine
import Testing

@testable import ChatTUI

struct `The tree panel` {
    private func driver(rounds: Int) -> Driver {
        var driver = Driver.loaded()
        driver.ask("go")
        for index in 0..<rounds {
            driver.now += 0.2
            driver.send(.engine(.round(Samples.sketch(index: index), text: "x")))
        }
        return driver
    }

    @Test func `goes through rounds that came too fast, one after another`() {
        var driver = driver(rounds: 0)
        for index in 0..<20 {
            _ = reduce(&driver.state, .engine(.round(Samples.sketch(index: index), text: "x")), at: 5)
        }
        driver.now = 5
        #expect(driver.state.tree.total == 20 && driver.state.tree.number == 1)
        for number in 2...20 {
            driver.now += TreeState.dwell
            driver.send(.tick)
            #expect(driver.state.tree.number == number)
        }
        #expect(!driver.state.tree.isMoving)
    }

    /// A screen that wakes only when `nextChange` says so must still see every phase of every round.
    @Test func `names every moment at which time alone changes it`() {
        var driver = driver(rounds: 0)
        for index in 0..<3 { driver.send(.engine(.round(Samples.sketch(index: index), text: "x"))) }
        driver.end()
        var shown: [String] = []
        var look: String { "\(driver.state.tree.number) \(driver.state.phase)" }
        shown.append(look)
        while let change = driver.state.nextChange {
            #expect(change > driver.state.now)
            var before = driver.state
            _ = reduce(&before, .tick, at: change - 1e-6)
            #expect("\(before.tree.number) \(before.phase)" == look)
            _ = reduce(&driver.state, .tick, at: change + 1e-6)
            #expect(look != shown.last)
            shown.append(look)
        }
        let phases: [RoundPhase] = [.drafted, .verified, .committed]
        #expect(shown == (1...3).flatMap { number in phases.map { "\(number) \($0)" } })
    }

    @Test func `leaves rounds out rather than fall far behind`() {
        var driver = driver(rounds: 0)
        for index in 0..<900 { driver.send(.engine(.round(Samples.plain(index: index), text: "x"))) }
        var showings = 0
        while driver.state.tree.isMoving {
            driver.now += TreeState.dwell
            driver.send(.tick)
            showings += 1
        }
        #expect(driver.state.tree.number == 900)
        #expect((TreeState.catchUpShowings...150).contains(showings))
    }

    @Test func `leaves the old answer's rounds for those of a new one`() {
        var driver = driver(rounds: 0)
        for index in 0..<20 { driver.send(.engine(.round(Samples.sketch(index: index), text: "x"))) }
        driver.end()
        #expect(driver.state.tree.number < 20)
        driver.ask("more")
        #expect(driver.state.tree.number == 20)
        driver.now += TreeState.dwell
        driver.send(.engine(.round(Samples.plain(index: 0), text: "y")))
        #expect(driver.state.tree.number == 21)
    }

    @Test func `steps when it has the focus, and typing goes to the composer when not`() {
        var driver = driver(rounds: 5)
        driver.press(.character("p"))
        #expect(driver.state.composer.text == "p")
        driver.press(.backspace, .tab, .character("p"), .character("p"))
        #expect(driver.state.tree.number == 3 && driver.state.composer.isEmpty)
        driver.press(.character("n"), .character("g"))
        #expect(driver.state.tree.number == 1)
        driver.press(.character("G"))
        #expect(driver.state.tree.number == 5 && driver.state.tree.isFollowing)
        driver.press(.tab, .character("p"))
        #expect(driver.state.composer.text == "p")
    }

    @Test func `held stays where it is while rounds go on`() {
        var driver = driver(rounds: 3)
        driver.press(.tab, .character(" "))
        driver.now += 1
        driver.send(.engine(.round(Samples.sketch(index: 3), text: "x")))
        #expect(driver.state.tree.number == 3)
        driver.press(.character(" "))
        #expect(driver.state.tree.number == 4)
    }

    @Test func `goes through its three phases`() {
        var driver = driver(rounds: 1)
        #expect(driver.state.phase == .drafted)
        driver.now += TreeState.dwell * 0.5
        driver.send(.tick)
        #expect(driver.state.phase == .verified)
        driver.now += TreeState.dwell
        driver.send(.tick)
        #expect(driver.state.phase == .committed)
    }

    @Test func `forgets the oldest rounds and keeps their numbers`() {
        var tree = TreeState()
        for index in 0...TreeState.capacity { tree.append(Samples.plain(index: index), at: Double(index)) }
        #expect(tree.rounds.count < TreeState.capacity && tree.total == TreeState.capacity + 1)
        #expect(tree.number == TreeState.capacity + 1)
        #expect(tree.round?.index == TreeState.capacity)
    }
}
