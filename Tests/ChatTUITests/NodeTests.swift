// NodeTests.swift — a node of the tree: reached with the arrows, found, explained, exported.

import Engine
import Testing

@testable import ChatTUI

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
