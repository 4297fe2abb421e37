// CommandCompletion.swift — finding commands: the nearest to a slip, what Tab makes of a beginning, the palette's rows.

extension CommandTable {
    /// What to say about a command that does not exist.
    static func correction(of word: String) -> String {
        guard !word.dropFirst().contains("/") else {
            return "\(word.prefix(40)) is neither a command nor a picture. With a space before it, it is sent as text."
        }
        let known = entries.flatMap { [$0.name] + $0.aliases }
        let near = known.min { distance(word, $0) < distance(word, $1) } ?? "/help"
        // A slip changes a third of a word at most; more is another word.
        let isNear = distance(word, near) <= min(3, near.count / 3)
        return "\(word.prefix(40)) is not a command. \(isNear ? "Did you mean \(near)?" : "/help lists what there is.")"
    }

    /// Insertions, deletions, changes and swaps of neighbours that turn `a` into `b` (Damerau and Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().prefix(40))
        let b = Array(b)
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }

    /// What Tab makes of a text that begins a command or its first word.
    struct Completion: Sendable, Equatable {
        /// The text, as far as it is clear.
        var text: String
        /// The texts to choose from, where several remain.
        var candidates: [String] = []
    }

    /// Absent where there is nothing to complete with words of the table.
    static func completion(of text: String) -> Completion? {
        guard text.hasPrefix("/"), !text.contains("\n") else { return nil }
        guard let space = text.firstIndex(of: " ") else { return complete(text, from: names, before: "") }
        guard let entry = entry(named: String(text[..<space])), !entry.argument.words.isEmpty else { return nil }
        let part = String(text[text.index(after: space)...])
        return complete(part, from: entry.argument.words, before: "\(text[..<space]) ")
    }

    private static func complete(_ part: String, from words: [String], before: String) -> Completion? {
        let matching = words.filter { $0.hasPrefix(part) }
        guard let first = matching.first else { return nil }
        if matching.count > 1 {
            return Completion(text: before + PathText.commonPrefix(matching), candidates: matching.map { before + $0 })
        }
        let takesMore = before.isEmpty ? entry(named: first)?.argument != CommandArgument.none : before == "/set "
        return Completion(text: before + first + (takesMore ? " " : ""))
    }
}

/// How well a text fits what was typed to find it, as editors' palettes judge it.
enum FuzzyMatch {
    /// Higher is better; nil when the letters of `wanted` do not all stand in `text` in their order. Case is ignored.
    static func score(_ wanted: String, in text: String) -> Int? {
        let letters = Array(wanted.lowercased().filter { !$0.isWhitespace })
        guard !letters.isEmpty else { return 0 }
        let text = Array(text.lowercased())
        // Beginning at each place where the first letter stands: the earliest is not always the best.
        return text.indices.filter { text[$0] == letters[0] }.compactMap { score(letters, in: text, from: $0) }.max()
    }

    private static func score(_ letters: [Character], in text: [Character], from start: Int) -> Int? {
        var score = 0
        var last = start - 1
        for (index, letter) in letters.enumerated() {
            guard let place = text[(last + 1)...].firstIndex(of: letter) else { return nil }
            let beginsWord = place == 0 || !(text[place - 1].isLetter || text[place - 1].isNumber)
            if index > 0, place == last + 1 { score += 8 } else if index > 0 { score -= min(4, place - last) }
            if beginsWord { score += 6 }
            last = place
        }
        return score - min(10, start / 2)
    }
}
