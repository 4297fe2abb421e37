// PicturePaths.swift — pictures by their paths: pasted, dropped or typed, and what the model made of them.

import Engine

extension AppState {
    /// A paste that is nothing but paths of pictures adds them, whatever is being written; any other is text.
    mutating func pasteText(_ text: String) -> [Effect] {
        let readings = PathText.readings(of: text.trimmed)
        // In a command the path is its argument.
        guard !readings.isEmpty, !composer.text.hasPrefix("/") else {
            composer.insert(text)
            return []
        }
        return [.lookForPictures(readings: readings, original: text, isTyped: false)]
    }

    /// What the disk says about the readings of a text.
    mutating func takePictures(
        _ paths: [String]?, readings: [[String]], original: String, isTyped: Bool
    ) -> [Effect] {
        guard let paths else {
            if !isTyped { composer.insert(original.hasSuffix("\n") ? String(original.dropLast()) : original) }
            // The last reading is the one that takes the text as it stands.
            let names = (readings.last ?? []).joined(separator: ", ")
            hint = "there is no file \(names); with a space before it, it is sent as text"
            return []
        }
        guard isTyped else { return attach(paths) }
        let text = composer.take()
        return [.remember(text)] + attach(paths)
    }

    /// The line of the picture that is being added says what the model looks at.
    mutating func confirmPicture(_ reading: PictureReading) {
        guard let id = session.attaching, let line = turns.last(where: { $0.id == id }) else { return }
        let size = "\(reading.width)\(symbols.times)\(reading.height)"
        let tiles = reading.squares > 1 ? ", the whole and \(Figures.count(reading.squares - 1, "tile"))" : ""
        let facts = "\(symbols.arrow) \(size)\(tiles), \(Figures.count(reading.tokens, "token"))"
        change(turn: line.id) { $0.text = "Added \($0.text) \(facts)" }
    }
}
