// Command.swift — what a line that begins with a slash means.

import Engine

/// What the composer's text asks for.
enum Command: Sendable, Equatable {
    case ask(String)
    case attach(path: String)
    case help, quit, clear
    case speculation(SpeculationPolicy)
    case tree(TreeSize)
    /// Something that begins like a command and is none; the text says what to type instead.
    case mistake(String)

    static let names = ["/clear", "/help", "/image", "/quit", "/spec", "/tree"]

    init(_ text: String) {
        let trimmed = text.trimmed
        if let path = PathText.wholePicturePath(trimmed) {
            self = .attach(path: path)
            return
        }
        guard trimmed.hasPrefix("/") else {
            self = .ask(text)
            return
        }
        let word = String(trimmed.prefix { $0 != " " && $0 != "\n" })
        let argument = String(trimmed.dropFirst(word.count)).trimmed
        self = Command.named(word, argument: argument)
    }

    private static func named(_ word: String, argument: String) -> Command {
        switch word {
        case "/help", "/?": .help
        case "/quit", "/exit", "/q": .quit
        case "/clear", "/new": .clear
        case "/image":
            argument.isEmpty
                ? .mistake("/image needs a file: /image photo.jpg (Tab completes)")
                : .attach(path: PathText.path(from: argument))
        case "/spec":
            SpeculationPolicy(rawValue: argument).map { .speculation($0) }
                ?? .mistake("/spec takes one of: \(list(SpeculationPolicy.allCases.map(\.rawValue)))")
        case "/tree":
            TreeSize(rawValue: argument).map { .tree($0) }
                ?? .mistake("/tree takes one of: \(list(TreeSize.allCases.map(\.rawValue)))")
        default: unknown(word)
        }
    }

    private static func unknown(_ word: String) -> Command {
        let near = names.min { distance(word, $0) < distance(word, $1) } ?? "/help"
        let suggestion = distance(word, near) <= 3 ? "Did you mean \(near)?" : "/help lists what there is."
        return .mistake("\(word) is not a command. \(suggestion)")
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

    /// Insertions, deletions and changes that turn `a` into `b` (Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(40))
        let b = Array(b)
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }

    /// What Tab makes of the text, if it completes a command's name or word; several candidates come back as a list.
    static func completion(of text: String) -> (text: String, candidates: [String])? {
        guard text.hasPrefix("/"), !text.contains("\n") else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1 { return complete(parts[0], from: names, before: "", after: " ") }
        switch parts[0] {
        case "/spec":
            return complete(parts[1], from: SpeculationPolicy.allCases.map(\.rawValue), before: "/spec ", after: "")
        case "/tree": return complete(parts[1], from: TreeSize.allCases.map(\.rawValue), before: "/tree ", after: "")
        default: return nil
        }
    }

    private static func complete(
        _ part: String, from words: [String], before: String, after: String
    ) -> (text: String, candidates: [String])? {
        let matching = words.filter { $0.hasPrefix(part) }
        guard !matching.isEmpty else { return nil }
        let common = PathText.commonPrefix(matching)
        return (before + common + (matching.count == 1 ? after : ""), matching.count == 1 ? [] : matching)
    }
}

extension String {
    /// Without white space at either end.
    var trimmed: String {
        var part = self[...]
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }
}
