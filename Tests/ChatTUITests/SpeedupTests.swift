// SpeedupTests.swift — how much faster than plain decoding, and how that is known.

import Engine
import Testing

@testable import ChatTUI

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
