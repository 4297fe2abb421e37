// HistoryTests.swift — turns that are undone or put back leave no trace in what comes after.

import Foundation
import Testing

@testable import Engine

@Suite struct `The history of a conversation` {
    @Test(
        arguments: ["text", "picture"],
        [(.off, 0), (.off, 0.8), (.dynamic, 0), (.dynamic, 0.8), (.chain, 1.1)] as [(SpeculationPolicy, Float)])
    func `a restored conversation goes on with the bytes of one that was never interrupted`(
        draft: String, how: (policy: SpeculationPolicy, temperature: Float)
    ) throws {
        let models = try HistoryWorld.models(draft: draft)
        let options = HistoryWorld.options(how.policy, how.temperature)
        let whole = Talk(models, options)
        try whole.play(HistoryWorld.wishes)
        #expect(whole.reports[1].finish == .cancelled || whole.reports[1].finish == .stop)
        // The stopped answer is as long as it came out, so what follows it is asked of the same text.
        for turns in 0..<HistoryWorld.wishes.count where turns != 1 {
            let restored = Talk(models, options)
            try restored.play([Wish(pictures: [2], question: "Something else")])
            try restored.conversation.restore(whole.stored(turns), emit: restored.note, cancellation: Cancellation())
            #expect(restored.conversation.turns == Array(whole.conversation.turns.prefix(turns)))
            if turns > 1 {
                try restored.play(HistoryWorld.wishes[turns...])
                expectEqual(Array(restored.reports.dropFirst()), Array(whole.reports[turns...]))
            }
        }
    }

    @Test(arguments: ["text", "picture"], [0, 0.8] as [Float])
    func `turns that were forgotten have never been`(draft: String, temperature: Float) throws {
        let models = try HistoryWorld.models(draft: draft)
        let options = HistoryWorld.options(.dynamic, temperature)
        // Whole answers: where one is stopped depends on the trees, which may differ from run to run.
        let wishes = HistoryWorld.wishes.map { Wish(pictures: $0.pictures, question: $0.question, tokens: 8) }
        let whole = Talk(models, options)
        try whole.play(wishes)
        for turn in wishes.indices {
            for keeping in [false, true] {
                let other = Talk(models, options)
                try other.play(wishes[..<turn])
                for picture in wishes[turn].pictures { try other.attach(picture) }
                try other.ask(Wish(question: "A detour of many words", tokens: 12))
                try other.play([Wish(pictures: [1], question: "And another", tokens: 5)])
                try other.conversation.rewind(toTurn: turn, keepingPictures: keeping)
                let before = other.reports.count
                other.rowsRead = 0
                if keeping {
                    try other.ask(wishes[turn])
                    // The words of one question: no picture (16 rows) and no earlier turn is read again.
                    #expect(other.rowsRead < whole.reports[turn].promptTokens)
                    #expect(other.rowsRead <= 40)
                    try other.play(wishes[(turn + 1)...])
                } else {
                    try other.play(wishes[turn...])
                }
                expectEqual(Array(other.reports[before...]), Array(whole.reports[turn...]))
            }
        }
    }

    /// No text would show a draft that reads another text than the target does; only its guesses would be worse.
    @Test func `a draft that is the target is right after every way back into a conversation`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-history-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let models = try HistoryWorld.models(draft: "picture", cache: PictureCacheOptions(folder: folder))
        var options = HistoryWorld.options(.chain, 0.8)
        options.speculation.nodes = 4
        let wishes = HistoryWorld.wishes.map { Wish(pictures: $0.pictures, question: $0.question, tokens: 13) }
        func expectRight(_ report: GenerationReport, sourceLocation: SourceLocation = #_sourceLocation) {
            // Only the last round may be cut, by the limit or the end of the answer.
            #expect(report.drafted > 0 && report.drafted - report.accepted <= 3, sourceLocation: sourceLocation)
            #expect(report.rounds <= (report.tokens.count + 3) / 4, sourceLocation: sourceLocation)
        }
        for _ in 0..<2 {
            // The second time with the opening's rows from the disk.
            let talk = Talk(models, options)
            try talk.play(wishes)
            for report in talk.reports { expectRight(report) }
            for (turn, keeping) in [(3, false), (2, true), (2, false), (1, false), (0, true), (0, false)] {
                try talk.conversation.rewind(toTurn: turn, keepingPictures: keeping)
                expectRight(try talk.ask(Wish(question: "And now?", tokens: 13)))
            }
            let restored = Talk(models, options)
            let pictures = [HistoryWorld.pictures[0], HistoryWorld.pictures[2]]
            let past = [PastTurn(images: pictures, question: "What?", answer: [9, 8, 7])]
            try restored.conversation.restore(past, emit: { _ in }, cancellation: Cancellation())
            expectRight(try restored.ask(Wish(question: "And now?", tokens: 13)))
        }
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func `pictures that wait for a question can be taken back`() throws {
        let models = try HistoryWorld.models(draft: "picture")
        let talk = Talk(models, HistoryWorld.options())
        try talk.attach(0)
        try talk.attach(1)
        try talk.conversation.rewind(toTurn: 0, keepingPictures: true)
        let two = try talk.ask(Wish(question: "What?"))
        try talk.conversation.rewind(toTurn: 0, keepingPictures: true)
        expectEqual([try talk.ask(Wish(question: "What?"))], [two])
        try talk.attach(2)
        try talk.conversation.rewind(toTurn: 1, keepingPictures: false)
        try talk.conversation.rewind(toTurn: 0, keepingPictures: false)
        let none = try talk.ask(Wish(question: "What?"))
        let fresh = Talk(models, HistoryWorld.options())
        expectEqual([none], [try fresh.ask(Wish(question: "What?"))])
    }

    @Test func `a restore that is cancelled anywhere is made good before the next answer`() throws {
        let models = try HistoryWorld.models(draft: "picture")
        let whole = Talk(models, HistoryWorld.options())
        try whole.play(HistoryWorld.wishes)
        let past = whole.stored(3)
        var steps = 0
        try Talk(models, HistoryWorld.options()).conversation.restore(
            past, emit: { _ in steps += 1 }, cancellation: Cancellation())
        #expect(steps > 8)
        for stop in 0...steps {
            let talk = Talk(models, HistoryWorld.options())
            let cancellation = Cancellation()
            if stop == 0 { cancellation.cancel() }
            var step = 0
            let restore = {
                try talk.conversation.restore(
                    past,
                    emit: { _ in
                        step += 1
                        if step == stop { cancellation.cancel() }
                    }, cancellation: cancellation)
            }
            // After the last step there may be nothing left to cancel.
            if stop < steps { #expect(throws: CancellationError.self) { try restore() } } else { try? restore() }
            #expect(talk.conversation.turns == Array(whole.conversation.turns.prefix(3)))
            // Turns can be undone although their rows were never read.
            if stop % 2 == 1 {
                try talk.conversation.rewind(toTurn: 2, keepingPictures: stop % 4 == 1)
                if stop % 4 == 3 { for picture in HistoryWorld.wishes[2].pictures { try talk.attach(picture) } }
                expectEqual([try talk.ask(HistoryWorld.wishes[2])], [whole.reports[2]])
            }
            expectEqual([try talk.ask(HistoryWorld.wishes[3])], [whole.reports[3]])
        }
    }

    @Test func `an answer that is stopped while its question is read can be asked after`() throws {
        let models = try HistoryWorld.models(draft: "text")
        let whole = Talk(models, HistoryWorld.options())
        try whole.play(HistoryWorld.wishes.prefix(1))
        let cancelled = Cancellation()
        cancelled.cancel()
        var reports: [GenerationReport] = []
        #expect(throws: CancellationError.self) {
            try whole.conversation.ask(
                "Never answered", options: HistoryWorld.options(),
                emit: { if case .finished(let report) = $0 { reports.append(report) } }, cancellation: cancelled)
        }
        #expect(reports.map(\.tokens) == [[]] && reports.map(\.turn) == [1] && reports.map(\.finish) == [.cancelled])
        let past = whole.stored(1) + [PastTurn(images: [], question: "Never answered", answer: [])]
        let restored = Talk(models, HistoryWorld.options())
        try restored.conversation.restore(past, emit: { _ in }, cancellation: Cancellation())
        expectEqual([try restored.ask(Wish(question: "So?"))], [try whole.ask(Wish(question: "So?"))])
    }

    @Test func `what cannot be put back changes nothing, and says why`() throws {
        let models = try HistoryWorld.models(draft: "text", context: 150)
        let talk = Talk(models, HistoryWorld.options())
        try talk.play(HistoryWorld.wishes.prefix(1))
        let turns = talk.conversation.turns
        func error(_ body: () throws -> Void) -> ChatError? {
            do { try body() } catch { return error as? ChatError }
            return nil
        }
        func restore(_ past: [PastTurn]) -> ChatError? {
            error { try talk.conversation.restore(past, emit: { _ in }, cancellation: Cancellation()) }
        }
        let long = PastTurn(images: [], question: "Hi", answer: [Int32](repeating: 5, count: 200))
        if case .contextFull(_, let free, let limit)? = restore([long]) {
            #expect(free == 150 && limit == 150)
        } else {
            Issue.record("a conversation of 200 tokens fits into 150")
        }
        let vocabulary = Int32(models.target.configuration.vocabulary)
        for token in [-1, vocabulary] {
            #expect(
                restore([long, PastTurn(images: [], question: "Hi", answer: [3, token])])
                    == .foreignToken(token, turn: 1))
        }
        for turn in [-1, 2] {
            #expect(
                error { try talk.conversation.rewind(toTurn: turn, keepingPictures: true) } == .noTurn(turn, count: 1))
        }
        #expect(talk.conversation.turns == turns)
        #expect(
            ChatError.noTurn(4, count: 2).description
                == "there is no turn 5 to go back to: the conversation has 2. Name an earlier one.")
        #expect(
            ChatError.foreignToken(9, turn: 0).description
                == "turn 1 of the stored conversation holds the token 9, which this model does not have. "
                + "Go on with it with the model that it was made with.")
    }

    @Test func `a conversation that filled its context is put back full`() throws {
        let models = try HistoryWorld.models(draft: "text", context: 60)
        var options = HistoryWorld.options(.off, 0)
        // A penalty below one rewards repetition, so that the answer never ends by itself.
        options.sampler.repetitionPenalty = 0.01
        let talk = Talk(models, options)
        #expect(try talk.ask(Wish(question: "Hi", tokens: 500)).finish == .contextFull)
        let restored = Talk(models, options)
        try restored.conversation.restore(talk.stored(1), emit: { _ in }, cancellation: Cancellation())
        #expect(throws: ChatError.self) { try restored.ask(Wish(question: "And now?")) }
        try restored.conversation.rewind(toTurn: 0, keepingPictures: false)
        expectEqual(
            [try restored.ask(Wish(question: "Hi", tokens: 9))],
            [
                try Talk(models, options).ask(Wish(question: "Hi", tokens: 9))
            ])
    }

    @Test func `the engine knows the turns of answers whose streams were dropped`() async throws {
        var options = EngineOptions()
        options.threads = 1
        let engine = ChatEngine(bundle: try Golden("grouped").bundle(), options: options)
        #expect(await engine.turns.isEmpty)
        for try await _ in engine.load() {}
        engine.pause()
        let stream = engine.ask("What?", options: HistoryWorld.options(.off))
        let reader = Task { for try await event in stream { if case .round = event { return } } }
        engine.step()
        _ = await reader.result
        // The reader is gone after one round; whether another one was made, the engine tells.
        engine.resume()
        let turns = await engine.turns
        #expect(turns.map(\.question) == ["What?"] && turns[0].answer.count >= 1)
        for try await _ in engine.rewind(toTurn: 0) {}
        #expect(await engine.turns.isEmpty)
    }
}
