// SessionsText.swift — saved conversations as lines for people. Used by SessionsCommand.

import ArgumentParser
import ChatTUI
import ConversationStore
import Engine
import Foundation

enum SessionsText {
    static func checkLimit(_ limit: Int?) throws {
        guard limit.map({ $0 >= 1 }) ?? true else { throw ValidationError("--limit must be 1 or more") }
    }

    /// A line for each conversation under a line of headings, cut to `width` columns where there is one.
    static func table(_ summaries: [ConversationSummary], width: Int?) -> [String] {
        let rows =
            [["ID", "UPDATED", "TURNS", "PICTURES", "MODEL", "TITLE"]]
            + summaries.map {
                [$0.id.description, time($0.updated), "\($0.turns)", "\($0.pictures)", $0.model, $0.title].map(line)
            }
        let widths = rows[0].indices.map { column in rows.map { PlainText.width($0[column]) }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - PlainText.width(cell))
                // Numbers to the right; after the last column there is nothing to keep in place.
                return column == row.count - 1 ? cell : (2...3).contains(column) ? padding + cell : cell + padding
            }
            return clipped(cells.joined(separator: "  "), width)
        }
    }

    static func line(_ hit: SearchHit, width: Int?) -> String {
        let excerpt = hit.excerpt.map { $0.isMatch ? "*\($0.text)*" : $0.text }.joined()
        return clipped(
            "\(hit.conversation.id)  turn \(hit.turn + 1)  \(time(hit.conversation.updated))  \(line(excerpt))", width)
    }

    static func name(_ summary: ConversationSummary) -> String {
        let turns = "\(summary.turns) \(summary.turns == 1 ? "turn" : "turns")"
        return "\(summary.id)  \(time(summary.updated))  \(turns)  \(line(summary.title))"
    }

    /// The whole conversation as plain text.
    static func show(_ conversation: SavedConversation) -> String {
        let settings = conversation.settings
        var lines = [
            "\(conversation.id)  \(conversation.title)",
            "begun \(time(conversation.created)), written last \(time(conversation.updated))",
            "model \(conversation.model.name), draft \(settings.draft ?? "none"), speculation "
                + "\(settings.speculation.policy.rawValue), temperature \(settings.sampler.temperature), seed "
                + "\(settings.sampler.seed)",
        ]
        for turn in conversation.turns {
            lines += ["", "[\(turn.number + 1)] question"]
            lines += turn.pictures.map { "picture \($0.path), \($0.width) x \($0.height)" }
            lines += [turn.question, "", "[\(turn.number + 1)] answer, \(summary(of: turn))", turn.answer]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func summary(of turn: SavedTurn) -> String {
        let statistics = turn.statistics
        let tokens = "\(statistics.tokens) \(statistics.tokens == 1 ? "token" : "tokens")"
        return "\(tokens), \(decimal(statistics.acceptanceLength, 2)) a round, "
            + "\(decimal(statistics.tokensPerSecond, 1)) tokens/s, \(turn.state.meaning)"
    }

    /// Local time to the minute; letters sort as times do.
    private static func time(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: date)
    }

    /// One line of text that keeps to its cell: no line end, no tab, nothing that a terminal would obey.
    private static func line(_ text: String) -> String {
        PlainText.safe(text.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }

    private static func clipped(_ line: String, _ width: Int?) -> String {
        width.map { PlainText.clipped(line, to: $0) } ?? line
    }
}

extension TextOutput {
    /// Columns of the terminal; absent off a terminal.
    var columns: Int? {
        var size = winsize()
        guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
