// Pictures.swift — the pictures of the conversation: which questions they belong to, and which one is shown.

import Engine

extension AppState {
    /// A picture was read: it is shown, and belongs to the question that was asked after it.
    mutating func show(_ photo: Photo, from path: String) {
        let source = photo.image.source
        let name = PathText.fileName(path)
        let line = insertPicture(pictureLine(name, width: source.width, height: source.height))
        session.pictures.append(
            ShownPicture(
                turn: line, name: name, path: path, width: source.width, height: source.height, photo: photo))
        session.attaching = line
        showPicture(session.pictures.count - 1)
    }

    /// The engine has the picture that was shown last, or could not take it: then it is gone from the screen too.
    mutating func endAttach(isFailure: Bool) {
        guard let line = session.attaching else { return }
        session.attaching = nil
        guard isFailure else { return }
        turns.removeAll { $0.id == line }
        session.pictures.removeAll { $0.turn == line }
        session.shown = nil
        refreshShownPicture()
    }

    func pictureLine(_ name: String, width: Int, height: Int) -> String { "\(name) \(width)\(symbols.times)\(height)" }

    /// Adds the line of a picture above the question that waits for it.
    private mutating func insertPicture(_ text: String) -> Int {
        let line = addTurn(.picture, text)
        let waitingQuestions = waiting.compactMap { job -> Int? in
            if case .ask(_, let turn) = job.kind { turn } else { nil }
        }
        if let question = waitingQuestions.first, let place = turns.firstIndex(where: { $0.id == question }) {
            turns.insert(turns.removeLast(), at: place)
            if case .held(let turn, let row) = scroll, turn >= place { scroll = .held(turn: turn + 1, line: row) }
        }
        return line
    }

    /// Puts a picture of the conversation into the photo pane.
    mutating func showPicture(_ place: Int) {
        session.shown = place
        photo = session.pictures[place].photo
    }

    /// The picture that is shown was taken away; the newest takes its place.
    mutating func refreshShownPicture() {
        if let shown = session.shown, session.pictures.indices.contains(shown) {
            photo = session.pictures[shown].photo
        } else {
            session.shown = session.pictures.indices.last
            photo = session.pictures.last?.photo
        }
    }

    /// What the photo pane is headed with: the name, and which of how many it is.
    var photoTitle: String? {
        guard let photo else { return nil }
        guard let shown = session.shown, session.pictures.count > 1 else { return photo.name }
        return "\(shown + 1)/\(session.pictures.count) \(photo.name)"
    }

    /// /images: the picture of that number, or the list.
    mutating func showImages(_ number: Int?) -> [Effect] {
        let pictures = session.pictures
        guard !pictures.isEmpty else {
            hint = "no picture yet: /image FILE adds one"
            return []
        }
        guard let number else {
            overlay = picturesOverlay
            return []
        }
        guard number <= pictures.count else {
            hint = "there \(pictures.count == 1 ? "is 1 picture" : "are \(pictures.count) pictures")"
            return []
        }
        guard pictures[number - 1].photo != nil else {
            hint = "\(pictures[number - 1].name) cannot be shown: its file is gone"
            return []
        }
        showPicture(number - 1)
        hint = "picture \(number) of \(pictures.count): \(pictures[number - 1].name)"
        return []
    }

    private var picturesOverlay: Overlay {
        let names = session.pictures.reduce(0) { max($0, DisplayText.width($1.name)) }
        let rows = session.pictures.enumerated().map { index, picture in
            let size = "\(picture.width)\(symbols.times)\(picture.height)"
            let number = "\(index + 1)".padded(to: 4)
            let name = picture.name + String(repeating: " ", count: names - DisplayText.width(picture.name) + 2)
            let whose = picture.question.map { "question \($0 + 1)" } ?? "for the next question"
            let gone = picture.photo == nil ? "  missing" : ""
            return Overlay.Row(
                [
                    Span(number, .key), Span(name, index == session.shown ? .strong : .text),
                    Span(size.padded(to: 12), .faint), Span(whose + gone, .faint),
                ], choice: .run(.images(index + 1)))
        }
        var overlay = Overlay(kind: .images, title: "pictures of this conversation", rows: rows)
        overlay.moveCursor(by: session.shown ?? 0)
        return overlay
    }
}
