// ReplayTests.swift — a trace played again: its keys, its transcript, its figures, wherever the reader jumps.

import Engine
import Testing

@testable import ChatTUI

struct `A replay` {
    private func driver() -> Driver {
        let rounds = [Samples.plain(index: 0)] + (1..<30).map { Samples.sketch(index: $0) }
        return Driver(state: ReplayApp.state(rounds, title: "rounds.jsonl", speed: 1, symbols: .unicode))
    }

    @Test func `plays by itself and stops at the end`() {
        var driver = driver()
        for _ in 0..<200 {
            driver.now += 0.4
            driver.send(.tick)
        }
        #expect(driver.state.tree.number == 30 && driver.state.replay?.isPlaying == false)
    }

    @Test func `steps, jumps and changes speed`() {
        var driver = driver()
        driver.press(.character(" "), .character("n"), .character("]"))
        #expect(driver.state.tree.number == 12)
        driver.press(.character("p"), .character("2"), .character("5"), .enter)
        #expect(driver.state.tree.number == 25)
        driver.press(.character("g"))
        #expect(driver.state.tree.number == 1)
        driver.press(.character("+"), .character("+"))
        #expect(driver.state.replay?.speed == 4)
        driver.press(.character("q"))
        #expect(driver.effects == [.quit(.asked)])
    }

    @Test func `says the text of the rounds so far`() {
        var driver = driver()
        driver.press(.character(" "), .character("n"))
        driver.now += 10
        driver.send(.tick)
        #expect(driver.state.shownTurns.map(\.text) == [" sat and a blue mug"])
    }
}

struct `What a replay adds up` {
    /// Three answers, the second without any tree.
    private static let rounds: [SpeculationRound] = (0..<60).map { number in
        let index = number % 20
        let isPlain = (20..<40).contains(number) || index % 7 == 3
        return isPlain
            ? Samples.round(index: index, root: " cat", [], accepted: [], bonus: " word\(number)")
            : Samples.sketch(index: index)
    }

    private func state() -> AppState {
        var state = ReplayApp.state(Self.rounds, title: "t", speed: 1, symbols: .unicode)
        state.replay?.questions = [1: "First?", 41: "Third?"]
        state.replay?.isPlaying = false
        state.now = 100
        return state
    }

    @Test func `is the same however the reader came there`() {
        var random = SeededRandom(seed: 4)
        var walker = state()
        for _ in 0..<200 {
            walker.tree.step(random.next(below: 51) - 25, at: 0)
            var fresh = state()
            fresh.tree.step(walker.tree.number - 1, at: 0)
            #expect(walker.shownTurns == fresh.shownTurns)
            #expect(walker.shownStatistics == fresh.shownStatistics && walker.shownSpeeds == fresh.shownSpeeds)
        }
    }

    @Test func `holds every answer below its question, and the sums of the rounds so far`() {
        for number in 1...60 {
            var state = state()
            state.tree.step(number - 1, at: 0)
            let shown = Self.rounds.prefix(number)
            let answers = stride(from: 0, to: number, by: 20).map { shown[$0..<min($0 + 20, number)] }
            var texts = answers.map { $0.map { String(decoding: $0.textBytes, as: UTF8.self) }.joined() }
            texts.insert("First?", at: 0)
            if texts.count == 4 { texts.insert("Third?", at: 3) }
            #expect(state.shownTurns.map(\.text) == texts)
            var statistics = AnswerStatistics()
            var speeds = ConversationSpeed()
            for answer in answers {
                let speculates = answer.contains { $0.drafted > 0 }
                answer.forEach { speeds.add($0, speculates: speculates) }
            }
            answers.last?.forEach { statistics.add($0) }
            #expect(state.shownStatistics == statistics && state.shownSpeeds == speeds)
        }
    }

    @Test func `is of the trace at hand, not of another with as many rounds`() {
        var state = state()
        state.tree.step(30, at: 0)
        let before = state.shownTurns
        state.tree = TreeState(rounds: (0..<60).map { Samples.plain(index: $0) })
        state.tree.step(30, at: 0)
        #expect(state.shownTurns != before)
        #expect(state.shownTurns.map(\.text).last == String(repeating: " sat", count: 31))
    }
}
