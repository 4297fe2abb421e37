// TreePanelTests.swift — the tree panel's engine that really waits, its replays, its high form, the transcript's marks.

import Engine
import Testing

@testable import ChatTUI

struct `The tree panel's engine` {
    private func driver(rounds: Int) -> Driver {
        var driver = Driver.loaded()
        driver.ask("go")
        driver.press(.tab)
        for index in 0..<rounds {
            driver.now += 0.2
            driver.send(.engine(.round(Samples.sketch(index: index), text: " word")))
        }
        driver.effects = []
        return driver
    }

    @Test func `is held by Space, makes a round for each n at the newest, and goes on at Space`() {
        var driver = driver(rounds: 2)
        driver.press(.character(" "))
        #expect(driver.effects == [.holdEngine])
        #expect(screen(driver.state, 80, 24).contains { $0.contains("round 2/2 · paused") })
        driver.press(.character("n"))
        #expect(driver.effects.last == .advanceEngine(rounds: 1))
        driver.send(.engine(.round(Samples.sketch(index: 2), text: " word")))
        driver.now += 1
        driver.send(.tick)
        #expect(driver.state.tree.number == 3)
        driver.press(.character(" "))
        #expect(driver.effects.last == .releaseEngine && driver.state.tree.isFollowing)
    }

    @Test func `is asked for a round only beyond the newest`() {
        var driver = driver(rounds: 4)
        driver.press(.character(" "), .character("p"), .character("p"), .character("n"))
        #expect(driver.effects == [.holdEngine] && driver.state.tree.number == 3)
        driver.press(.character("]"))
        #expect(driver.effects.last == .advanceEngine(rounds: 9))
    }

    @Test func `goes on when the reader goes back to live or leaves the panel`() {
        for key in [Key.character("f"), .character("G"), .end, .escape] {
            var driver = driver(rounds: 2)
            driver.press(.character(" "), key)
            #expect(driver.effects == [.holdEngine, .releaseEngine], "\(key)")
        }
    }

    @Test func `can be held before a question, so that not a round is missed`() {
        var driver = Driver.loaded()
        driver.press(.tab, .character(" "))
        #expect(driver.effects == [.holdEngine])
        driver.press(.character("n"))
        #expect(driver.effects == [.holdEngine] && driver.state.hint?.contains("no answer") == true)
        driver.press(.tab)
        driver.ask("go")
        driver.press(.tab, .character("n"))
        #expect(driver.effects.last == .advanceEngine(rounds: 1))
    }

    @Test func `is held and stepped by commands too`() {
        var driver = driver(rounds: 1)
        driver.press(.tab)
        driver.ask("/step 3")
        #expect(driver.effects.suffix(2) == [.holdEngine, .advanceEngine(rounds: 3)])
        driver.ask("/pause")
        #expect(driver.effects.last == .releaseEngine)
    }

    @Test func `shows an answer again at another speed, and never goes past its end`() {
        var driver = driver(rounds: 5)
        driver.end()
        driver.press(.tab)
        driver.ask("again")
        driver.press(.tab)
        driver.send(.engine(.round(Samples.plain(index: 0), text: "x")))
        driver.press(.character("p"), .character("r"))
        #expect(driver.state.tree.number == 1)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("replay 1×") })
        driver.press(.character("+"))
        #expect(screen(driver.state, 80, 24).contains { $0.contains("replay 2×") })
        for _ in 0..<40 {
            driver.now += 0.5
            driver.send(.tick)
        }
        #expect(driver.state.tree.number == 5 && driver.state.nextChange == nil)
        driver.press(.character("f"))
        #expect(driver.state.tree.number == 6 && driver.state.tree.playback == nil)
    }

    @Test func `never shows more than ten rounds a second, however fast the reader wants them`() {
        var driver = driver(rounds: 1)
        driver.press(.character("+"), .character("+"), .character("+"))
        #expect(driver.state.tree.dwell == TreeState.shortestDwell)
        driver.press(.character("-"), .character("-"), .character("-"), .character("-"))
        #expect(driver.state.tree.dwell == 2 * TreeState.dwell)
    }
}

struct `A high tree panel` {
    @Test func `draws sixty nodes without folding and counts the rows out of sight`() throws {
        let nodes = (0..<59).map { (0, " w\($0)", Float(60 - $0) / 100) }
        let round = Samples.round(nodes, accepted: [], bonus: " end")
        var state = ReplayApp.state([round], title: "t", speed: 1, symbols: .unicode)
        state.now = 60
        let lines = screen(state, 200, 60)
        #expect(lines.contains { $0.contains("rows of this tree out of sight: ↓ ") })
        #expect(!lines.contains { $0.contains("·ball +") })
        state.tree.cursor = 59
        let scrolled = screen(state, 200, 60)
        #expect(scrolled.contains { $0.contains("✗ ·w58") } && scrolled.contains { $0.contains("out of sight: ↑ ") })
    }

    @Test func `has a strip of the rounds with the shown one in the middle`() {
        let rounds = (0..<200).map { $0 % 3 == 0 ? Samples.plain(index: $0) : Samples.sketch(index: $0) }
        var state = ReplayApp.state(rounds, title: "t", speed: 1, symbols: .unicode)
        state.tree.step(100, at: 0)
        state.now = 60
        let lines = screen(state, 200, 60)
        #expect(lines.contains { $0.contains("timeline  rounds 79 to 122, tokens of each") })
        #expect(lines.contains { $0.contains("▶  101  ·and✓ ·a✓ ·blue✓ ·mug★") })
    }
}

struct `The marks in the transcript` {
    @Test func `tell what came together, and survive wrapping`() {
        var driver = Driver.loaded()
        driver.ask("go")
        let texts = [" one two", " three", " 日本語 four", "\n\nfive six seven eight nine ten"]
        for (index, text) in texts.enumerated() {
            driver.now += 1
            driver.send(.engine(.round(Samples.plain(index: index), text: text)))
        }
        driver.now += 5
        driver.press(.tab, .character("m"))
        let frame = render(driver.state, size: Size(rows: 24, columns: 40))
        func text(_ role: Role) -> String {
            (0..<14).map { row in (0..<40).map { frame[row, $0] }.filter { $0.role == role }.map(\.text).joined() }
                .joined()
        }
        #expect(text(.run) == " three")
        #expect(text(.shownRun) == "five six seven eight nine ten")
        driver.press(.character("m"))
        #expect(!render(driver.state, size: Size(rows: 24, columns: 40)).cells.contains { $0.role == .run })
    }

    @Test func `give a character that was cut between two rounds to the second`() {
        let bytes = Array("aé日🙂z".utf8)
        for cut in 0...bytes.count {
            var texts = RoundTexts()
            let halves = [Array(bytes[..<cut]), Array(bytes[cut...])].enumerated().map { index, half in
                SpeculationRound(
                    index: index, position: 0, tree: DraftTree(root: 1), accepted: [], bonus: 2,
                    pieces: [TokenPiece(bytes: [], isControl: false), TokenPiece(bytes: half, isControl: false)],
                    draftPasses: 0, budget: BudgetChoice(nodes: 1, expectedTokens: 1, reason: ""),
                    seconds: .init(draft: 0, verify: 0, choose: 0))
            }
            let text = halves.map { texts.add($0) }.joined() + texts.end()
            #expect(text == "aé日🙂z", "cut at \(cut)")
        }
    }
}
