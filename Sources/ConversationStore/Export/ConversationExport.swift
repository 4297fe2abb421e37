// ConversationExport.swift — a saved conversation as a text that leaves the store: to be read, to be processed, to be
// replayed.

public import Engine
import Foundation

public enum ExportFormat: String, Sendable, Equatable, CaseIterable {
    case markdown, json
    /// The rounds of the answers, for `specchat replay`.
    case trace
}

public enum ExportError: Error, Sendable, Equatable, CustomStringConvertible {
    case noRounds(ConversationID)
    case cannotEncode(ConversationID, reason: String)

    public var description: String {
        switch self {
        case .noRounds(let id):
            "no rounds were saved with the conversation \(id), so there is nothing to replay. Export it as markdown or json."
        case .cannotEncode(let id, let reason):
            "the conversation \(id) cannot be written in this form: \(reason). Export it as markdown."
        }
    }
}

/// A conversation that is about to be written somewhere.
public struct ConversationExport: Sendable {
    public let conversation: SavedConversation
    /// Of every turn that has any, by its number.
    public let rounds: [Int: [SpeculationRound]]

    public init(_ conversation: SavedConversation, rounds: [Int: [SpeculationRound]]) {
        self.conversation = conversation
        self.rounds = rounds
    }

    /// The whole text, line end included, with nothing in it that a terminal would obey.
    public func text(as format: ExportFormat) throws(ExportError) -> String {
        do {
            switch format {
            case .markdown: return harmless(MarkdownExport(conversation).text)
            case .json: return try ConversationJSON(conversation, rounds: rounds).text(pretty: true)
            case .trace: return try trace()
            }
        } catch let error as ExportError {
            throw error
        } catch {
            throw .cannotEncode(conversation.id, reason: "\(error)")
        }
    }

    /// A header and its rounds for every answer that has rounds.
    private func trace() throws -> String {
        var lines: [String] = []
        for turn in conversation.turns {
            guard let rounds = rounds[turn.number], !rounds.isEmpty else { continue }
            let header = TraceHeader(
                model: conversation.model.name,
                draft: turn.settings.speculation.policy == .off ? nil : turn.settings.draft, question: turn.question,
                image: turn.pictures.last.map { ($0.path as NSString).lastPathComponent },
                speculation: turn.settings.speculation.policy, sampler: turn.settings.sampler)
            lines.append(try Trace.line(header))
            lines += try rounds.map { try Trace.line($0) }
        }
        guard !lines.isEmpty else { throw ExportError.noRounds(conversation.id) }
        return lines.map { harmlessJSON($0) + "\n" }.joined()
    }
}

extension ConversationStore {
    /// Everything of a conversation that can be exported.
    public func export(_ id: ConversationID) throws(StoreError) -> ConversationExport {
        ConversationExport(try conversation(id), rounds: try rounds(of: id))
    }
}
