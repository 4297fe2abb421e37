// Reduce.swift — state and event into the next state and the effects it asks for. No clock, no file, no terminal.

import Engine

/// Applies one event that happened at `now` (seconds of the screen's clock).
func reduce(_ state: inout AppState, _ event: AppEvent, at now: Double) -> [Effect] {
    state.now = now
    state.tree.follow(at: now)
    var effects = apply(event, to: &state)
    effects += state.advanceDemo()
    switch event {
    // Rounds come by the thousand and leave every pane where it was.
    case .engine, .tick: break
    default: state.refreshPhotoArt()
    }
    return effects
}

private func apply(_ event: AppEvent, to state: inout AppState) -> [Effect] {
    switch event {
    case .tick:
        state.advanceReplay()
        return []
    case .resized(let size):
        state.keepingPlace { $0.size = size }
        return []
    case .input(.key(let key)): return state.press(key)
    case .input(.paste(let text)): return state.paste(text)
    case .input(.report(let text)): return [.interpret(text)]
    case .interrupted: return state.interrupt()
    case .engine(let event):
        state.receive(event)
        return []
    case .pictureReady(let photo, let path):
        state.show(photo, from: path)
        return []
    case .jobEnded(let id, let failure): return state.endJob(id, failure: failure)
    case .files(let names, let prefix):
        state.complete(prefix, with: names)
        return []
    case .foundPictures(let paths, let readings, let original, let isTyped):
        return state.takePictures(paths, readings: readings, original: original, isTyped: isTyped)
    case .pictureStyle(let style):
        state.pictureStyle = style
        return []
    case .terminal(let facts):
        state.adopt(facts)
        return []
    case .session(let event): return state.receive(event)
    case .exported(let message):
        state.hint = message
        return []
    case .edited(let outcome):
        state.take(outcome)
        return []
    case .said(let text):
        state.hint = text
        return []
    }
}

// MARK: Jobs

extension AppState {
    /// Adds work for the engine and starts it when nothing else runs.
    mutating func enqueue(_ kind: Job.Kind) -> [Effect] {
        waiting.append(Job(id: makeID(), kind: kind))
        return startNext()
    }

    private mutating func startNext() -> [Effect] {
        guard running == nil, !waiting.isEmpty else { return [] }
        let job = waiting.removeFirst()
        running = job
        isStopping = false
        progress = nil
        if case .ask(let question, let turn) = job.kind {
            change(turn: turn) { $0.content = .question(.sent) }
            let answer = insertAnswer(after: turn)
            session.begin(AskedQuestion(question: turn, answer: answer, text: question, options: options))
            tree.beginAnswer(at: now)
            report = nil
            askedAt = now
            firstTokenSeconds = nil
        }
        return [.start(job)]
    }

    /// Questions that wait stay below the answer to the one before.
    private mutating func insertAnswer(after question: Int) -> Int {
        let answer = Turn(id: makeID(), content: .answer(.streaming), text: "")
        let index = turns.lastIndex { $0.id == question } ?? turns.count - 1
        turns.insert(answer, at: index + 1)
        if case .held(let turn, let line) = scroll, turn > index { scroll = .held(turn: turn + 1, line: line) }
        return answer.id
    }

    mutating func receive(_ event: GenerationEvent) {
        switch event {
        case .progress(let progress): self.progress = progress
        case .picture(let reading): confirmPicture(reading)
        case .notice(let notice): addTurn(.notice, notice.text)
        case .round(let round, let text):
            progress = nil
            if firstTokenSeconds == nil, let askedAt { firstTokenSeconds = now - askedAt }
            tree.append(round, at: now, speculates: options.speculation.policy != .off)
            let number = tree.total
            changeAnswer { $0.add(text, ofRound: number) }
            session.noteRound()
            if scroll != .following { hasNewBelow = true }
        case .finished(let report):
            self.report = report
            session.finish(with: report)
            changeAnswer { $0.content = .answer(AppState.ending(of: report.finish)) }
            if report.finish == .contextFull {
                let rows = "\(report.contextUsed) of \(report.contextLimit) rows"
                addTurn(
                    .notice, "The context is full (\(rows)). /new begins a new conversation; this one stays above.")
            }
        }
    }

    private static func ending(of finish: GenerationReport.FinishReason) -> Turn.Ending {
        switch finish {
        case .stop: .complete
        case .limit: .limit
        case .contextFull: .contextFull
        case .cancelled: .stopped
        }
    }

    /// Changes the answer that is being written, if there is one.
    private mutating func changeAnswer(_ body: (inout Turn) -> Void) {
        let index = turns.lastIndex { $0.content == .answer(.streaming) || $0.content == .answer(.stopping) }
        if let index { body(&turns[index]) }
    }

    mutating func endJob(_ id: Int, failure: String?) -> [Effect] {
        guard let job = running, job.id == id else { return [] }
        let wasStopping = isStopping
        running = nil
        progress = nil
        isStopping = false
        switch job.kind {
        case .load:
            if let failure { return [.quit(.loadFailed(failure))] }
            isLoaded = true
        case .attach(let path):
            endAttach(isFailure: failure != nil)
            if let failure {
                addTurn(.failure, failure)
                // A question asked about a picture must not be answered without it.
                withdrawQuestions("The picture \(PathText.fileName(path)) was not added, so the question was not sent.")
            }
        case .ask(let question, _):
            changeAnswer { $0.content = .answer(wasStopping ? .stopped : failure == nil ? .complete : .broken) }
            if let failure, !wasStopping {
                addTurn(.failure, failure)
                composer.remember(question)
            }
            if session.endCurrent(isBroken: !wasStopping), failure != nil {
                // The engine may have read a part of it: what the next question is asked of is what the screen shows.
                waiting.insert(Job(id: makeID(), kind: .rewind(toTurn: session.asked.count)), at: 0)
            }
        case .setSystem(let text): endSystemChange(text, failure: failure)
        case .clear(let place):
            if let failure { addTurn(.failure, failure) } else { beginConversation(place) }
        case .restore(let saved): endRestore(of: saved, failure: failure)
        case .rewind:
            if let failure {
                addTurn(.failure, failure)
                withdrawQuestions("The question was not sent.")
            }
        }
        return startNext()
    }

    /// Takes all waiting questions back into the composer.
    mutating func withdrawQuestions(_ reason: String) {
        let questions = waiting.filter(\.isAsk)
        guard !questions.isEmpty else { return }
        waiting.removeAll(where: \.isAsk)
        var texts: [String] = []
        for case .ask(let question, let turn) in questions.map(\.kind) {
            texts.append(question)
            turns.removeAll { $0.id == turn }
        }
        if !composer.isEmpty { texts.append(composer.text) }
        composer.replace(with: texts.joined(separator: "\n"))
        hint = reason
    }
}
