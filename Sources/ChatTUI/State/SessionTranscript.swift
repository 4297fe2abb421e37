// SessionTranscript.swift — a saved conversation as the transcript of a screen that goes on with it.

import ConversationStore
import Engine

extension AppState {
    /// Shows a saved conversation, and asks the engine to read it while the user looks at it.
    ///
    /// A conversation that is saved makes room for it; one that is not stays above, because it is nowhere else.
    mutating func open(_ saved: SavedConversation, options: GenerationOptions) -> [Effect] {
        if session.isSaved {
            turns = []
        } else if !turns.isEmpty {
            addTurn(.divider, "conversation \(saved.id)")
        }
        self.options = options
        forgetAnswers()
        if let system = saved.settings.system { addTurn(.notice, "System prompt: \(system)") }
        var asked: [AskedQuestion] = []
        var pictures: [ShownPicture] = []
        for turn in saved.turns {
            for picture in turn.pictures { pictures.append(add(picture, of: turn)) }
            let question = addTurn(.question(.sent), turn.question)
            let answer = addTurn(.answer(AppState.ending(of: turn.state)), turn.answer)
            var entry = AskedQuestion(
                question: question, answer: answer, text: turn.question,
                options: turn.settings.options(over: options))
            (entry.state, entry.statistics) = (turn.state, turn.statistics)
            asked.append(entry)
        }
        session.restore(asked, pictures: pictures, of: saved.id)
        scroll = .following
        hasNewBelow = false
        return enqueue(.restore(saved)) + readRuns()
    }

    // MARK: Which tokens came together

    /// Asks for the rounds of the answers that were saved, once they are to be seen: reading them takes a while.
    mutating func readRuns() -> [Effect] {
        guard tree.isMirrored, let id = session.resumed, !session.hasReadRuns else { return [] }
        session.hasReadRuns = true
        return [.session(.readRuns(of: id))]
    }

    /// Marks the answers that were saved.
    ///
    /// - Parameter rounds: the bytes of text that each round brought, by the numbers of the questions.
    mutating func showRuns(_ rounds: [Int: [Int]], of id: ConversationID) {
        guard session.resumed == id else { return }
        for (question, bytes) in rounds where session.asked.indices.contains(question) {
            change(turn: session.asked[question].answer) { turn in
                // Answers that were made here have theirs already.
                guard turn.runs.isEmpty else { return }
                // The panel counts its rounds from 1; these are not on it.
                var (start, number) = (0, -bytes.count)
                for count in bytes where start + count <= turn.text.utf8.count {
                    if count > 0 { turn.runs.append(RoundRun(bytes: start..<start + count, number: number)) }
                    (start, number) = (start + count, number + 1)
                }
            }
        }
    }

    private mutating func add(_ picture: SavedPicture, of turn: SavedTurn) -> ShownPicture {
        let name = PathText.fileName(picture.path)
        let line = addTurn(.picture, pictureLine(name, width: picture.width, height: picture.height))
        return ShownPicture(
            turn: line, name: name, path: picture.path, width: picture.width, height: picture.height,
            question: turn.number)
    }

    /// What the panels know of answers is of another conversation.
    mutating func forgetAnswers() {
        photo = nil
        photoArt = nil
        report = nil
        firstTokenSeconds = nil
        tree.speeds = ConversationSpeed()
        session.clear()
    }

    static func ending(of state: TurnState) -> Turn.Ending {
        switch state {
        case .complete: .complete
        case .limit: .limit
        case .contextFull: .contextFull
        case .stopped: .stopped
        case .streaming, .broken: .broken
        }
    }

    // MARK: While the engine reads it

    /// The engine has read the conversation, or could not.
    mutating func endRestore(of saved: SavedConversation, failure: String?) {
        if let failure {
            addTurn(.failure, failure)
            withdrawQuestions("The conversation above is only shown; Enter asks in a new one.")
            forgetAnswers()
            // Whatever the engine held before is not what the screen shows.
            waiting.insert(Job(id: makeID(), kind: .clear(.unreadable)), at: 0)
            if systemPrompt != saved.settings.system {
                waiting.insert(Job(id: makeID(), kind: .setSystem(systemPrompt)), at: 0)
            }
            return
        }
        systemPrompt = saved.settings.system
        if session.missing > 0 {
            let pictures = session.missing == 1 ? "A picture is" : "\(session.missing) pictures are"
            withdrawQuestions("\(pictures) missing; Enter asks all the same.")
        }
    }

    mutating func showFound(_ photo: Photo, place: Int) {
        guard session.pictures.indices.contains(place) else { return }
        session.pictures[place].photo = photo
        showPicture(place)
    }

    mutating func showMissing(_ preview: Photo?, place: Int, reason: String) {
        guard session.pictures.indices.contains(place) else { return }
        session.missing += 1
        session.pictures[place].photo = preview
        addTurn(.failure, reason)
        if preview != nil { showPicture(place) }
    }
}

extension ConversationSettings {
    /// The settings that were saved, with everything else as it is now.
    func options(over present: GenerationOptions) -> GenerationOptions {
        var options = self.options
        options.inspectsNodes = present.inspectsNodes
        options.pace = present.pace
        return options
    }
}
