// ResumeTests.swift — what a saved conversation brings with it when it is gone on with: its system prompt, and marks.

import Testing

@testable import ChatTUI
@testable import ConversationStore

extension SavedConversation {
    /// The same under another system prompt.
    fileprivate func with(system: String?) -> SavedConversation {
        var settings = settings
        settings.system = system
        return SavedConversation(
            id: id, title: title, created: created, updated: updated, model: model, template: template,
            settings: settings, turns: turns)
    }
}

struct `A conversation that is gone on with` {
    @Test func `brings its system prompt, for itself and the ones that follow`() {
        var driver = Driver.saved()
        driver.state.systemPrompt = "Be loud."
        let saved = Conversations.saved(pictures: [])
        driver.send(.session(.read(saved.with(system: "Be brief."), driver.state.options)))
        #expect(driver.transcript.first == "System prompt: Be brief.")
        driver.end()
        #expect(driver.state.systemPrompt == "Be brief.")
        // One that has the model's own goes back to it.
        driver.send(.session(.read(saved, driver.state.options)))
        driver.end()
        #expect(driver.state.systemPrompt == nil && driver.transcript.first == "What is it?")
    }

    @Test func `and that the engine cannot read leaves the system prompt as it was`() {
        var driver = Driver.saved()
        driver.state.systemPrompt = "Be loud."
        driver.send(.session(.read(Conversations.saved().with(system: "Be brief."), driver.state.options)))
        driver.end(failure: "It was held with another model.")
        #expect(driver.state.systemPrompt == "Be loud.")
        // The engine may have heard of the other one.
        #expect(driver.started.last == .setSystem("Be loud."))
    }

    @Test func `shows which tokens came together, and reads that only when it is asked for`() {
        var driver = Driver.saved()
        let saved = Conversations.saved(pictures: [])
        driver.send(.session(.read(saved, driver.state.options)))
        driver.end()
        #expect(!driver.effects.contains(.session(.readRuns(of: saved.id))))
        driver.state.focus = .tree
        driver.press(.character("m"))
        #expect(driver.effects.contains(.session(.readRuns(of: saved.id))))
        driver.forget()
        for _ in 0..<2 { driver.press(.character("m")) }
        #expect(driver.effects.isEmpty, "they are read once")
        // Of the second answer there is a round more than its text has.
        driver.send(.session(.runsFound([0: [3, 0, 3], 1: [2, 3, 9]], of: saved.id)))
        let answers = driver.state.turns.filter { !$0.runs.isEmpty }
        #expect(answers.map { $0.runs.map(\.bytes) } == [[0..<3, 3..<6], [0..<2, 2..<5]])
        // The panel's rounds are counted from 1; none of these is one of them.
        #expect(answers.allSatisfy { $0.runs.allSatisfy { $0.number < 1 } })
        #expect(answers.allSatisfy { $0.runs[0].number != $0.runs[1].number })
    }

    @Test func `takes no marks of another conversation`() {
        var driver = Driver.saved()
        driver.send(.session(.read(Conversations.saved(pictures: []), driver.state.options)))
        driver.send(.session(.runsFound([0: [3, 3]], of: ConversationID(saved: "zzzzzz"))))
        #expect(driver.state.turns.allSatisfy { $0.runs.isEmpty })
    }

    @Test func `in a copy says so in the transcript`() {
        var driver = Driver.saved()
        driver.send(.session(.noted("k3f9td is open in another specchat")))
        #expect(driver.transcript == ["k3f9td is open in another specchat"])
    }
}
