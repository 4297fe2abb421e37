// CommandDispatch.swift — from the composer's text to the function that carries its command out.

import Engine

extension AppState {
    /// Enter in the composer: sends the question, or carries out the command.
    mutating func send() -> [Effect] {
        guard !composer.text.trimmed.isEmpty else { return [] }
        let text = composer.text
        let command = Command(text)
        if case .mistake(let message) = command {
            // What was meant stays there to be mended.
            hint = message
            return []
        }
        if case .findPictures(let readings) = command {
            return [.lookForPictures(readings: readings, original: text, isTyped: true)]
        }
        _ = composer.take()
        if let editing = session.editing {
            if case .ask(let question) = command { return [.remember(text)] + sendEdit(editing, question) }
            leaveEdit()
        }
        return [.remember(text)] + carryOut(command)
    }

    /// Carries out a command, wherever it comes from.
    mutating func carryOut(_ command: Command) -> [Effect] {
        switch command {
        case .ask(let question): return ask(question)
        case .attach(let paths): return attach(paths)
        case .findPictures(let readings): return attach(readings.first ?? [])
        case .images(let number): return showImages(number)
        case .new: return beginNewConversation()
        case .clear: return clearConversation()
        case .sessions(let search): return listSessions(search)
        case .resume(let id): return resumeSession(id)
        case .save: return saveConversation()
        case .export(let wish): return export(wish)
        case .copy(let wish): return copy(wish)
        case .retry: return retryAnswer()
        case .edit(let number): return editQuestion(number)
        case .system(let text): return changeSystemPrompt(text)
        case .set(let text): return changeSetting(text)
        case .speculation(let policy): return changeSpeculation(policy)
        case .tree(let size): return changeTreeSize(size)
        case .pause: return pauseDecoding()
        case .step(let rounds): return stepRounds(rounds)
        case .replay: return replayAnswer()
        case .stats: return showStatistics()
        case .theme(let name): return changeTheme(name)
        case .doctor: return showDoctor()
        case .help(let topic): return showHelp(topic)
        case .quit: return [.quit(.asked)]
        case .mistake(let message):
            hint = message
            return []
        }
    }
}
