// MarkdownExport.swift — a saved conversation for readers: Markdown whose structure no question and no answer can break.

import Engine
import Foundation

/// Questions and answers stand in block quotes, which end whatever was left open inside them. A question is plain text
/// and is escaped; an answer is Markdown already, and only what would be HTML in it is.
struct MarkdownExport {
    private let conversation: SavedConversation

    init(_ conversation: SavedConversation) { self.conversation = conversation }

    var text: String {
        let title = conversation.title.isEmpty ? "Conversation \(conversation.id)" : conversation.title
        let parts = ["# \(Self.escaped(title))", facts] + conversation.turns.map(turn)
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var facts: String {
        let settings = conversation.turns.last?.settings ?? conversation.settings
        let drafts = settings.speculation.policy == .off ? "none" : settings.draft ?? "none"
        var facts = [
            "Conversation `\(conversation.id)`, begun \(Self.date(conversation.created))",
            "Model: \(Self.escaped(conversation.model.name)), draft \(Self.escaped(drafts)), "
                + "speculation \(settings.speculation.policy.rawValue)",
            "Seed \(settings.sampler.seed), temperature \(settings.sampler.temperature)",
        ]
        if let system = conversation.settings.system {
            facts.append("System prompt: " + Self.lines(system).map(Self.escaped).joined(separator: " "))
        }
        return facts.map { "- \($0)" }.joined(separator: "\n")
    }

    private func turn(_ turn: SavedTurn) -> String {
        var parts = ["## \(turn.number + 1). Question"]
        if !turn.pictures.isEmpty { parts.append(turn.pictures.map(Self.line).joined(separator: "\n")) }
        // A question may end in line ends; a break would stand there for nothing.
        let question = String(turn.question.reversed().drop(while: \.isNewline).reversed())
        parts.append(Self.quoted(Self.lines(question).map(Self.escaped).joined(separator: "\\\n")))
        parts.append("### Answer")
        parts.append(Self.quoted(turn.answer.isEmpty ? "*(nothing)*" : Self.withoutHTML(turn.answer)))
        parts.append("*\(Self.summary(of: turn))*")
        return parts.joined(separator: "\n\n")
    }

    private static func line(_ picture: SavedPicture) -> String {
        "- Picture: \(code(picture.path)), \(picture.width) x \(picture.height), \(picture.byteCount) bytes, "
            + "SHA-256 `\(picture.digest.hexadecimal)`"
    }

    private static func summary(of turn: SavedTurn) -> String {
        let count = turn.tokens.count
        let statistics = turn.statistics
        let rounds = "in \(statistics.rounds) \(statistics.rounds == 1 ? "round" : "rounds")"
        return "\(count) \(count == 1 ? "token" : "tokens") \(rounds); \(turn.state.meaning)"
    }

    static func date(_ date: Date) -> String {
        date.formatted(
            .iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space)
                .time(includingFractionalSeconds: false).timeSeparator(.colon)) + " UTC"
    }

    // MARK: Text that keeps to its place

    private static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }

    private static func quoted(_ text: String) -> String {
        lines(text).map { $0.isEmpty ? ">" : "> \($0)" }.joined(separator: "\n")
    }

    /// One line of plain text as Markdown that reads as that text.
    static func escaped(_ line: String) -> String {
        var text = ""
        var isStart = true
        for character in line {
            // White space at the start of a line would be dropped, or make it code.
            if isStart, character.isWhitespace {
                text += "&nbsp;"
                continue
            }
            let isSpecial = "\\`*_{}[]<>&|~$".contains(character) || (isStart && "#+-=:".contains(character))
            text += isSpecial ? "\\\(character)" : String(character)
            isStart = false
        }
        // "1." and "1)" begin a list.
        if let end = text.firstIndex(where: { !$0.isASCII || !$0.isNumber }), end > text.startIndex,
            ".)".contains(text[end])
        {
            text.insert("\\", at: end)
        }
        return text
    }

    /// Text as code, in as many backticks as it takes.
    private static func code(_ text: String) -> String {
        let line = lines(text).joined(separator: " ")
        var (longest, run) = (0, 0)
        for character in line {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        let room = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
        return fence + room + line + room + fence
    }

    /// An answer whose angle brackets are text, except within code, where they are already.
    static func withoutHTML(_ markdown: String) -> String {
        var fence: Substring?
        return lines(markdown).map { line in
            let content = line.drop { $0 == " " }
            let marks = content.prefix { $0 == content.first }
            let isFence = line.count - content.count < 4 && marks.count >= 3 && "`~".contains(marks.first ?? " ")
            if let open = fence {
                let closes = isFence && marks.first == open.first && marks.count >= open.count
                if closes && content.dropFirst(marks.count).allSatisfy(\.isWhitespace) { fence = nil }
                return line
            }
            if isFence {
                fence = marks
                return line
            }
            return withoutHTML(line: line)
        }.joined(separator: "\n")
    }

    private static func withoutHTML(line: String) -> String {
        var text = ""
        var rest = line[...]
        while let character = rest.first {
            if character == "`" {
                let marks = rest.prefix { $0 == "`" }
                let code = codeSpan(after: rest.dropFirst(marks.count), marks: marks.count)
                text += marks + (code ?? "")
                rest = rest.dropFirst(marks.count + (code?.count ?? 0))
            } else {
                rest = rest.dropFirst()
                // A picture would be fetched from wherever the answer says.
                let isPicture = character == "!" && rest.first == "["
                text += character == "<" ? "&lt;" : isPicture ? "\\!" : String(character)
            }
        }
        return text
    }

    /// The code after its opening backticks up to the closing ones, those included; absent where none close it on the
    /// line.
    private static func codeSpan(after rest: Substring, marks: Int) -> Substring? {
        var index = rest.startIndex
        while let start = rest[index...].firstIndex(of: "`") {
            let run = rest[start...].prefix { $0 == "`" }
            if run.count == marks { return rest[..<run.endIndex] }
            index = run.endIndex
        }
        return nil
    }
}

extension TurnState {
    /// How the answer ended, for people.
    public var meaning: String {
        switch self {
        case .streaming, .broken: "broken off"
        case .complete: "ended by the model"
        case .stopped: "stopped by the user"
        case .limit: "cut by the token limit"
        case .contextFull: "cut by the full context"
        }
    }
}
