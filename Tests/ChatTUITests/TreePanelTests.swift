// TreePanelTests.swift — the keys of the tree panel: the engine that really waits, nodes, finding, replays, marks.

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

struct `A node` {
    private func driver() -> Driver {
        var state = ReplayApp.state(
            [Samples.plain(index: 0), Samples.sketch(index: 1), Samples.plain(index: 2)], title: "t", speed: 1,
            symbols: .unicode)
        state.replay?.isPlaying = false
        var driver = Driver(state: state)
        driver.now = 10
        driver.press(.character("n"))
        driver.now = 20
        driver.send(.tick)
        return driver
    }

    /// Which node the cursor stands on, as the tests write it.
    private func token(_ driver: Driver) -> String? {
        driver.state.tree.cursor.flatMap { node in
            driver.state.tree.round.map { String(decoding: $0.piece(of: node).bytes, as: UTF8.self) }
        }
    }

    @Test func `is reached with the arrows, along the lanes`() {
        var driver = driver()
        driver.press(.right)
        #expect(driver.state.tree.number == 3, "without a cursor, Right is a step")
        driver.press(.left, .down)
        #expect(token(driver) == " blue")
        driver.press(.right)
        #expect(token(driver) == " mug", "the target's own token comes first")
        driver.press(.down)
        #expect(token(driver) == " cup")
        driver.press(.left, .left, .left, .down)
        #expect(token(driver) == ".")
        driver.press(.up, .left, .left, .left)
        #expect(driver.state.tree.cursor == 0 && driver.state.tree.number == 2)
        driver.press(.escape)
        #expect(driver.state.tree.cursor == nil && driver.effects.isEmpty)
    }

    @Test func `is pointed at, and marked without a colour`() {
        var driver = driver()
        driver.press(.down)
        let frame = render(driver.state, size: Size(rows: 24, columns: 80))
        #expect(frame.lines.contains { $0.contains("▶✓ ·blue .40") })
        #expect(frame.cells.contains { $0.role == .cursor })
        driver.state.symbols = .ascii
        #expect(screen(driver.state, 80, 24).contains { $0.contains(">+ _blue .40") })
        driver.press(.left, .left, .left)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("|>_ball +-") })
    }

    @Test func `shows all that is known of it, in an old trace too`() {
        var driver = driver()
        driver.press(.enter)
        let lines = screen(driver.state, 80, 24)
        #expect(lines.contains { $0.contains("✓ ·blue  accepted, depth 3") })
        #expect(lines.contains { $0.contains("path    ·ball › ·and › ·a › ·blue") })
        #expect(lines.contains { $0.contains("token   6  bytes 20 62 6C 75 65") })
        #expect(lines.contains { $0.contains("draft   .400 rank 1 of 2 path .178") })
        #expect(lines.contains { $0.contains("target  not recorded") })
        #expect(lines.contains { $0.contains("✗ ·cup        ███ .60") })
        driver.press(.enter)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("▶✓ ·blue .40") })
    }

    @Test func `shows what the target thought, with the noise that decided`() {
        let facts = NodeFacts(Samples.inspected(), node: 1)
        #expect(facts.target?.probability == 0.7 && facts.target?.rank == 1 && facts.target?.noise == 0.25)
        #expect(facts.successors.map { String(decoding: $0.piece.bytes, as: UTF8.self) } == [" cat", " dog", " cow"])
        #expect(facts.successors.map(\.draft) == [nil, 0.4, nil])
        #expect(facts.successors.map(\.verdict) == [.bonus, .rejected, nil])
        var state = ReplayApp.state([Samples.inspected()], title: "t", speed: 1, symbols: .unicode)
        state.now = 60
        state.tree.cursor = 1
        let lines = screen(state, 200, 60)
        #expect(lines.contains { $0.contains("target  .700 rank 1 noise +0.25") })
        #expect(lines.contains { $0.contains("★ ·cat") && $0.contains(".60") })
        #expect(lines.contains { $0.contains("✗ ·dog") && $0.contains(".40") && $0.contains(".30") })
    }

    @Test func `is never folded away while it is looked at`() {
        let many = Samples.round(
            (0..<30).map { (0, " word\($0)", Float(30 - $0) / 100) }, accepted: [1], bonus: " end")
        for node in 0...many.tree.count {
            let drawing = TreeDrawing.fitting(many, rows: 6, width: 78, symbols: .unicode, cursor: node)
            #expect(drawing.row(of: node) != nil && drawing.rows <= 6)
            #expect(drawing.nodes.reduce(drawing.drawn) { $0 + $1.folded } == 30)
        }
    }

    @Test func `is found by a part of its token, in this round and those after it`() {
        var driver = driver()
        driver.press(.character("/"), .character("C"), .character("u"))
        #expect(driver.state.hint == "find: Cu")
        driver.press(.enter)
        #expect(token(driver) == " cup" && driver.state.tree.number == 2)
        let first = driver.state.tree.cursor
        driver.press(.character("/"), .enter)
        #expect(token(driver) == " cup" && driver.state.tree.cursor != first)
        driver.press(.character("/"), .character("s"), .character("a"), .character("t"), .enter)
        #expect(driver.state.tree.number == 3 && token(driver) == " sat")
        driver.press(.character("/"), .character("z"), .enter)
        #expect(driver.state.hint == "no token of 3 rounds holds z")
        driver.press(.character("/"), .character("q"), .escape)
        #expect(driver.state.tree.prompt == nil && driver.effects.isEmpty)
    }

    @Test func `needs more than one line, and says so`() {
        var driver = driver()
        driver.press(.character("t"), .character("t"), .down)
        #expect(driver.state.tree.size == .mini && driver.state.hint == "nodes need the full tree: t")
        driver.press(.character("t"))
        driver.send(.resized(Size(rows: 15, columns: 80)))
        driver.press(.enter)
        #expect(driver.state.hint == "nodes need a window of 20 rows" && !driver.state.tree.showsDetails)
    }

    @Test func `has spaces that are marked or not`() {
        var driver = driver()
        driver.press(.character("w"))
        #expect(screen(driver.state, 80, 24).contains { $0.contains("✓ and .81") })
        #expect(TokenLabel.text(of: TokenPiece(bytes: [32], isControl: false), in: driver.state.treeSymbols) == "·")
    }

    @Test func `asks in which form to export its round`() {
        var driver = driver()
        driver.press(.character("e"), .character("x"))
        #expect(driver.effects.isEmpty)
        driver.press(.character("e"), .character("d"))
        guard case .exportRound(_, number: 2, format: .dot)? = driver.effects.last else {
            Issue.record("\(driver.effects)")
            return
        }
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

struct `The speedup` {
    private func round(nodes: Int, tokens: Int, seconds: Double, plain: Double? = nil, index: Int = 1)
        -> SpeculationRound
    {
        let path = (0..<max(0, nodes - 1)).map { ($0, " t", Float(0.9)) }
        let base = Samples.round(path, accepted: Array(1..<max(1, tokens)), bonus: " b")
        return SpeculationRound(
            index: index, position: 0, tree: base.tree, accepted: base.accepted, bonus: 1, pieces: base.pieces,
            draftPasses: 1, budget: BudgetChoice(nodes: nodes, expectedTokens: 1, reason: "", plainSeconds: plain),
            seconds: .init(draft: 0, verify: seconds, choose: 0))
    }

    @Test func `is measured against rounds of one node where there were some`() throws {
        var speed = ConversationSpeed()
        for _ in 0..<3 { speed.add(round(nodes: 1, tokens: 1, seconds: 0.1), speculates: false) }
        #expect(speed.speedup == nil && !speed.speculates)
        for _ in 0..<10 { speed.add(round(nodes: 5, tokens: 4, seconds: 0.2)) }
        let speedup = try #require(speed.speedup)
        #expect(abs(speedup.factor - 2) < 1e-9 && speedup.baseline == .measured(3))
    }

    @Test func `is estimated from the cost curve where there were none, and says so`() throws {
        var state = AppState()
        state.tree.append(round(nodes: 5, tokens: 4, seconds: 0.2, plain: 0.1, index: 0), at: 0)
        let speedup = try #require(state.tree.speeds.speedup)
        #expect(abs(speedup.factor - 2) < 1e-9 && speedup.baseline == .estimated)
        #expect(screen(state, 120, 40).contains { $0.contains("speedup  2.00× (plain pass estimated)") })
    }

    @Test func `is that of the present conversation`() {
        var driver = Driver.loaded()
        driver.ask("go")
        driver.send(.engine(.round(round(nodes: 5, tokens: 4, seconds: 0.2, plain: 0.1, index: 0), text: "x")))
        driver.end()
        #expect(driver.state.tree.speeds.speedup != nil)
        driver.ask("/clear")
        driver.end()
        #expect(driver.state.tree.speeds.speedup == nil)
    }

    @Test func `is none while speculation is off`() {
        var state = AppState()
        state.tree.append(round(nodes: 1, tokens: 1, seconds: 0.1, index: 0), at: 0, speculates: false)
        #expect(screen(state, 120, 40).contains { $0.contains("speedup  none: speculation is off") })
    }
}
