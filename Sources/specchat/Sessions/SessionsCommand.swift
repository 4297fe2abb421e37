// SessionsCommand.swift — `specchat sessions`: the saved conversations, from outside a chat.

public import ArgumentParser
public import ConversationStore
import Engine
import Foundation

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List, show, search, export and delete saved conversations.",
        discussion: """
            Conversations are kept in $XDG_DATA_HOME/specchat, ~/.local/share/specchat by default. An ID may be shortened \
            as long as no other conversation begins so.

            EXAMPLES:
              specchat sessions list --limit 10
              specchat sessions search red ball
              specchat sessions show k3f
              specchat sessions export k3f --format markdown --output scene.md
              specchat sessions delete k3f --yes
            """,
        subcommands: [
            SessionsListCommand.self, SessionsShowCommand.self, SessionsSearchCommand.self, SessionsExportCommand.self,
            SessionsDeleteCommand.self,
        ])

    /// The store; absent where nothing has been saved yet.
    static func store() throws -> ConversationStore? {
        try ConversationStore.openExisting(
            path: try StoreFile.defaultPath(environment: ProcessInfo.processInfo.environment))
    }

    /// The store in which the conversation `typed` has to be.
    static func store(with typed: String) throws -> ConversationStore {
        guard let store = try store() else { throw StoreError.unknownConversation(typed) }
        return store
    }
}

struct SessionsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the conversations, the one written last first.")

    @Option(parsing: .unconditional, help: ArgumentHelp("List this many at most.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Print one JSON array.")
    var json = false

    func validate() throws { try SessionsText.checkLimit(limit) }

    func run() throws {
        let summaries = try SessionsCommand.store()?.list(limit: limit) ?? []
        if json {
            try TextOutput.standard.line(JSONText.line(summaries.map(SummaryJSON.init)))
        } else if summaries.isEmpty {
            TextOutput.complain("no conversation has been saved yet.")
        } else {
            for line in SessionsText.table(summaries, width: TextOutput.standard.columns) {
                try TextOutput.standard.line(line)
            }
        }
    }
}

struct SessionsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a conversation: its questions, pictures and answers.")

    @Argument(
        help: ArgumentHelp("The conversation's id, or the beginning of it.", valueName: "id"),
        completion: .conversations)
    var id: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let conversation = try SessionsCommand.store(with: id).conversation(id)
        if json {
            try TextOutput.standard.write(ConversationJSON(conversation, rounds: nil).text(pretty: false))
        } else {
            try TextOutput.standard.write(harmless(SessionsText.show(conversation)))
        }
    }
}

struct SessionsSearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search all questions and answers.",
        discussion: """
            Finds turns that hold all the words, or words that begin so, whatever their case and accents. What was found \
            stands between asterisks.
            """)

    @Argument(help: ArgumentHelp("What to look for.", valueName: "words"))
    var words: [String]

    @Option(parsing: .unconditional, help: ArgumentHelp("Print this many finds at most.", valueName: "n"))
    var limit = 50

    @Flag(help: "Print one JSON array.")
    var json = false

    func validate() throws { try SessionsText.checkLimit(limit) }

    func run() throws {
        let hits = try SessionsCommand.store()?.search(words.joined(separator: " "), limit: limit) ?? []
        if json {
            try TextOutput.standard.line(JSONText.line(hits.map(HitJSON.init)))
        } else if hits.isEmpty {
            TextOutput.complain("nothing was found.")
        } else {
            for hit in hits {
                try TextOutput.standard.line(SessionsText.line(hit, width: TextOutput.standard.columns))
            }
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}

struct SessionsExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a conversation as Markdown, as JSON, or as a trace for replay.")

    @Argument(
        help: ArgumentHelp("The conversation's id, or the beginning of it.", valueName: "id"),
        completion: .conversations)
    var id: String

    @Option(help: "The form.")
    var format = ExportFormat.markdown

    @Option(help: ArgumentHelp("Write to this file in place of the standard output.", valueName: "file"))
    var output: String?

    @Flag(help: "Replace a file that is there.")
    var force = false

    func validate() throws {
        guard output != nil || !force else { throw ValidationError("--force belongs to --output FILE") }
    }

    func run() throws {
        let store = try SessionsCommand.store(with: id)
        let found = try store.id(id)
        let file = try output.map { path throws(CommandFailure) in try AtomicFile(path: path, replacing: force) }
        let text = try store.export(found).text(as: format)
        if let file { try file.write(text) } else { try TextOutput.standard.write(text) }
    }
}

struct SessionsDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete conversations for good, with what was kept of their pictures.",
        discussion:
            "The answers that are kept to draft from go too, those of all conversations: they may repeat what is deleted."
    )

    @Argument(
        help: ArgumentHelp("The conversations' ids, or the beginnings of them.", valueName: "id"),
        completion: .conversations)
    var ids: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func run() throws {
        let store = try SessionsCommand.store(with: ids[0])
        // All are found before any is deleted.
        var found: [ConversationID] = []
        for id in ids {
            let id = try store.id(id)
            if !found.contains(id) { found.append(id) }
        }
        let summaries = try store.list().filter { found.contains($0.id) }
        guard try yes || isWanted(summaries) else {
            TextOutput.complain("nothing was deleted.")
            return
        }
        try store.delete(found)
        let kept = AnswerStoreOptions.standard(environment: ProcessInfo.processInfo.environment)?.deleteAll()
        if let reason = kept?.reason {
            TextOutput.complain("answers that were kept to draft from are still there: \(reason)")
        }
        for summary in summaries { try TextOutput.standard.line("deleted \(SessionsText.name(summary))") }
    }

    private func isWanted(_ summaries: [ConversationSummary]) throws -> Bool {
        guard isatty(STDIN_FILENO) == 1, TextOutput.errors.isTerminal else {
            throw CommandFailure(.usage, "nobody can be asked here, so nothing was deleted. Add --yes to delete.")
        }
        for summary in summaries { try TextOutput.errors.line(SessionsText.name(summary)) }
        try TextOutput.errors.write(summaries.count == 1 ? "Delete it? [y/N] " : "Delete all of them? [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}
