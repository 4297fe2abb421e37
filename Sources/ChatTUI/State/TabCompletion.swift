// TabCompletion.swift — what Tab does in the composer: commands, their words, and paths. Lists come as an overlay.

import Engine

extension AppState {
    mutating func completeOrLeave() -> [Effect] {
        let text = composer.text
        let completion = CommandTable.completion(of: text)
        // The formats of an export come before its file.
        if let word = pathBeingTyped, completion == nil { return [.listFiles(word)] }
        if let completion {
            complete(text, as: completion.text, among: completion.candidates)
        } else if tree.size != .off {
            focus = .tree
        }
        return []
    }

    /// The last word, where a path belongs: after /image, or where a word begins as only a path does.
    private var pathBeingTyped: String? {
        let text = composer.text
        guard composer.cursor == composer.characters.count, text.utf8.count <= 4096 else { return nil }
        if text.hasPrefix("/image ") || text.hasPrefix("/export ") {
            let argument = text.drop { $0 != " " }.dropFirst()
            return argument.last?.isWhitespace == true && !argument.hasSuffix("\\ ")
                ? "" : PathText.rawWords(String(argument)).last.map(String.init) ?? ""
        }
        guard let word = PathText.rawWords(text).last, text.hasSuffix(word), PathText.beginsLikePath(String(word))
        else {
            return nil
        }
        // A first word with one slash is a command.
        let isCommand = word.startIndex == text.startIndex && word.hasPrefix("/") && !word.dropFirst().contains("/")
        return isCommand ? nil : String(word)
    }

    /// Puts what the names have in common in the place of the typed word.
    mutating func complete(_ typed: String, with names: [String]) {
        guard pathBeingTyped == typed else { return }
        guard !names.isEmpty else {
            hint = "no picture or folder begins with that"
            return
        }
        let before = String(composer.text.dropLast(typed.count))
        complete(
            composer.text, as: before + PathText.commonPrefix(names),
            among: names.count > 1 ? names.map { before + $0 } : [], showing: names.map(PathText.lastPart))
    }

    /// The first Tab completes what is clear and names what remains; one more opens the list to choose from.
    private mutating func complete(
        _ text: String, as completed: String, among candidates: [String], showing shown: [String]? = nil
    ) {
        composer.replace(with: completed)
        guard candidates.count > 1 else { return }
        let shown = shown ?? candidates
        if completed == text, hasCompleted == text {
            let rows = zip(candidates, shown).map { text, name in
                Overlay.Row([Span(name)] + explanation(of: text), choice: .write(text))
            }
            overlay = Overlay(kind: .completion, title: "complete", rows: rows, isFiltered: true)
        } else {
            hint = shown.joined(separator: "  ")
        }
        hasCompleted = completed
    }

    /// What a candidate does, when it is a command.
    private func explanation(of text: String) -> [Span] {
        guard let entry = CommandTable.entry(named: text) else { return [] }
        let columns = CommandTable.names.reduce(0) { max($0, $1.count) } + 2
        return [Span("".padded(to: columns - text.count)), Span(entry.help, .faint)]
    }
}

extension PathText {
    /// The file's own name, with the slash of a folder.
    static func lastPart(_ path: String) -> String { fileName(path) + (path.hasSuffix("/") ? "/" : "") }
}
