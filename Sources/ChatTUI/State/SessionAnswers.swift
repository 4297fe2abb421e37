// SessionAnswers.swift — an answer once more, and an earlier question in other words. Called by CommandDispatch.

import ConversationStore
import Engine

extension AppState {
    // MARK: Once more

    /// /retry: the last question again. At temperature 0 a whole answer would come out the same.
    mutating func retryAnswer() -> [Effect] {
        if refuseWhileBusy() { return [] }
        guard let last = session.asked.last else {
            hint = "there is no answer yet to try again"
            return []
        }
        if isAskedAlike(last) {
            if options.sampler.temperature > 0 {
                options.sampler.seed &+= 1
            } else if [.complete, .limit, .contextFull].contains(last.state) {
                hint =
                    "at temperature 0 the answer would be the same: /set temperature 0.7 varies it, /spec its speed"
                return []
            }
        }
        hint =
            options.sampler.temperature > 0
            ? "seed \(options.sampler.seed), temperature \(options.sampler.temperature)" : "answering again"
        removeTurns(after: last.question)
        change(turn: last.question) { $0.content = .question(.queued) }
        return askAnew(last.text, inPlaceOf: session.asked.count - 1, turn: last.question, withAttached: false)
    }

    /// Whether it would be asked again in just the same way. Another speculation gives the same text, but it is asked
    /// for to see just that.
    private func isAskedAlike(_ last: AskedQuestion) -> Bool {
        var (before, present) = (last.options.sampler, options.sampler)
        // Without temperature there is no noise for the seed to choose.
        if before.temperature == 0, present.temperature == 0 { (before.seed, present.seed) = (0, 0) }
        return before == present && last.options.maximumTokens == options.maximumTokens
            && last.options.speculation == options.speculation
    }

    /// Asks in the place of the question of that number, whose pictures stay; everything after it is forgotten.
    ///
    /// - Parameter withAttached: whether pictures that were added since belong to this question, or to the one after it.
    private mutating func askAnew(
        _ text: String, inPlaceOf number: Int, turn: Int, withAttached: Bool
    ) -> [Effect] {
        // The engine forgets what was attached since, so it is shown those once more.
        let attached = session.waitingPictures
        for picture in attached { turns.removeAll { $0.id == picture.turn } }
        session.pictures.removeAll { $0.question == nil }
        session.rewind(to: number)
        refreshShownPicture()
        scroll = .following
        let attaches = attached.map { Job.Kind.attach(path: $0.path) }
        let ask = [Job.Kind.ask(question: text, turn: turn)]
        let jobs = [.rewind(toTurn: number)] + (withAttached ? attaches + ask : ask + attaches)
        return jobs.flatMap { enqueue($0) }
    }

    /// Takes away what stands below a turn of the transcript, but for pictures that wait for a question.
    private mutating func removeTurns(after id: Int) {
        guard let place = turns.firstIndex(where: { $0.id == id }) else { return }
        let kept = Set(session.waitingPictures.map(\.turn))
        turns = turns[...place] + turns[(place + 1)...].filter { kept.contains($0.id) }
    }

    // MARK: In other words

    /// /edit: puts an earlier question, or the last, into the composer. Nothing changes before it is sent.
    mutating func editQuestion(_ number: Int?) -> [Effect] {
        if refuseWhileBusy() { return [] }
        guard !session.asked.isEmpty else {
            hint = "there is no question yet to edit"
            return []
        }
        let count = session.asked.count
        let number = number ?? count
        guard number <= count else {
            hint = count == 1 ? "there is 1 question" : "there are \(count) questions"
            return []
        }
        session.editing = Editing(question: number - 1, draft: session.editing?.draft ?? composer.text)
        composer.replace(with: session.asked[number - 1].text)
        focus = .composer
        let dropped = count - number
        let others = dropped == 0 ? "" : dropped == 1 ? " and 1 after it" : " and \(dropped) after it"
        hint = "question \(number): Enter asks it in place of the old one\(others), Esc leaves all as it was"
        return []
    }

    /// Esc: everything stays as it was, the composer's text too.
    mutating func leaveEdit() {
        guard let editing = session.editing else { return }
        session.editing = nil
        composer.replace(with: editing.draft)
        hint = "nothing was changed"
    }

    /// Sends the changed question.
    mutating func sendEdit(_ editing: Editing, _ question: String) -> [Effect] {
        session.editing = nil
        guard session.asked.indices.contains(editing.question) else { return ask(question) }
        let old = session.asked[editing.question]
        removeTurns(after: old.question)
        change(turn: old.question) { turn in
            turn.text = question
            turn.content = .question(.queued)
        }
        composer.replace(with: editing.draft)
        return askAnew(question, inPlaceOf: editing.question, turn: old.question, withAttached: true)
    }
}
