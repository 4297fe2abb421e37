// CommandTable.swift — every slash command, once: parsing, help, palette, completion and README's table come from here.

import Engine

/// One command of the table.
struct CommandEntry: Sendable {
    /// Commands are listed by what they are about.
    enum Group: String, Sendable, CaseIterable {
        case pictures = "Pictures"
        case conversations = "Conversations"
        case answers = "Answers"
        case tree = "Draft tree"
        case program = "Program"
    }

    /// With its slash.
    let name: String
    let aliases: [String]
    let argument: CommandArgument
    let group: Group
    /// What it does, in a few words.
    let help: String
    /// Makes the command from an argument that its kind has found no fault with.
    private let make: @Sendable (String) -> Command

    init(
        _ name: String, _ aliases: [String] = [], _ argument: CommandArgument = .none, _ group: Group, _ help: String,
        _ make: @escaping @Sendable (String) -> Command
    ) {
        self.name = name
        self.aliases = aliases
        self.argument = argument
        self.group = group
        self.help = help
        self.make = make
    }

    /// "/spec on|off|chain|dynamic".
    var usage: String { argument.usage.isEmpty ? name : "\(name) \(argument.usage)" }

    func command(_ argument: String) -> Command {
        if let fault = self.argument.fault(in: argument, of: name) { return .mistake(fault) }
        return make(argument)
    }
}

enum CommandTable {
    static let entries: [CommandEntry] = [
        CommandEntry("/image", [], .pictures, .pictures, "add one or more pictures to the next question") {
            .attach(paths: PathText.paths(in: $0))
        },
        CommandEntry("/images", [], .number("n", 1...9999), .pictures, "list the pictures, or show the n-th") {
            .images(Int($0))
        },

        CommandEntry("/new", [], .none, .conversations, "begin a new conversation below this one") { _ in .new },
        CommandEntry("/clear", [], .none, .conversations, "begin a new conversation on an empty screen") { _ in
            .clear
        },
        CommandEntry(
            "/sessions", ["/history"], .text("WORDS", isOptional: true), .conversations,
            "list and search earlier conversations"
        ) { .sessions(search: $0) },
        CommandEntry("/resume", [], .text("ID", isOptional: true), .conversations, "go on with an earlier conversation")
        {
            .resume(id: $0.isEmpty ? nil : $0)
        },
        CommandEntry("/save", [], .none, .conversations, "say where this conversation is saved") { _ in
            .save
        },
        CommandEntry(
            "/export", [], .format(ExportWish.Format.allCases.map(\.rawValue), then: "[FILE] [--force]"),
            .conversations, "write the conversation to a file", exportCommand),
        CommandEntry(
            "/system", [], .text("TEXT", isOptional: true), .conversations,
            "system prompt of the next conversation; - for none"
        ) { .system($0.isEmpty ? nil : $0) },

        CommandEntry("/retry", ["/again"], .none, .answers, "answer the last question once more") { _ in .retry },
        CommandEntry("/edit", [], .number("n", 1...9999), .answers, "change the last question, or the n-th") {
            .edit(Int($0))
        },
        CommandEntry(
            "/copy", [], .text("n|code", isOptional: true, words: ["code"]), .answers,
            "copy the last answer, the n-th last, or its code", copyCommand),
        CommandEntry("/set", [], .setting, .answers, "show or change how answers are made") { .set($0) },
        CommandEntry("/stats", [], .none, .answers, "compare answers with and without speculation") { _ in .stats },

        CommandEntry(
            "/spec", ["/speculation"], .word(["on"] + SpeculationPolicy.allCases.map(\.rawValue), isOptional: true),
            .tree, "how to draft, or not at all"
        ) {
            .speculation($0 == "on" ? .dynamic : SpeculationPolicy(rawValue: $0))
        },
        CommandEntry(
            "/tree", [], .word(TreeSize.allCases.map(\.rawValue), isOptional: true), .tree,
            "size of the draft tree's panel"
        ) { .tree(TreeSize(rawValue: $0)) },
        CommandEntry("/pause", [], .none, .tree, "hold the answer after this round, or let it go on") { _ in .pause },
        CommandEntry("/step", [], .number("n", -9999...9999), .tree, "go n rounds on; back with -n") {
            .step(Int($0) ?? 1)
        },
        CommandEntry("/replay", [], .none, .tree, "play the rounds of the last answer again") { _ in .replay },

        CommandEntry(
            "/theme", [], .text("NAME", isOptional: true, words: ThemeChoice.allCases.map(\.rawValue)), .program,
            "colours of the screen"
        ) { .theme($0.isEmpty ? nil : $0) },
        CommandEntry("/doctor", [], .none, .program, "what was found out about the terminal") { _ in .doctor },
        CommandEntry("/help", ["/?"], .command, .program, "the commands and keys") {
            .help($0.isEmpty ? nil : $0)
        },
        CommandEntry("/quit", ["/exit", "/q"], .none, .program, "leave") { _ in .quit },
    ]

    /// With their slashes, sorted.
    static let names = entries.map(\.name).sorted()

    static func entry(named name: String) -> CommandEntry? {
        entries.first { $0.name == name || $0.aliases.contains(name) }
    }

    static func entries(of group: CommandEntry.Group) -> [CommandEntry] { entries.filter { $0.group == group } }

    /// The table as README prints it.
    static var markdown: String {
        let rows = CommandEntry.Group.allCases.flatMap { group in
            entries(of: group).map { entry in
                let usage = entry.usage.replacing("|", with: "\\|")
                let aliases = entry.aliases.map { ", `\($0)`" }.joined()
                return "| `\(usage)`\(aliases) | \(entry.help) |"
            }
        }
        return (["| command | does |", "| --- | --- |"] + rows).joined(separator: "\n") + "\n"
    }

    private static func exportCommand(_ argument: String) -> Command {
        var wish = ExportWish()
        var words = PathText.words(argument)
        words.removeAll { $0 == "--force" }
        wish.isForced = words.count < PathText.words(argument).count
        if let format = words.first.flatMap(ExportWish.Format.init(rawValue:)) {
            wish.format = format
            words.removeFirst()
        } else if let ending = words.first?.split(separator: ".").last {
            wish.format = ExportWish.Format(rawValue: ending == "jsonl" ? "trace" : String(ending)) ?? .markdown
        }
        guard words.count <= 1 else {
            return .mistake("/export takes one file; put quotes around a name with spaces")
        }
        wish.path = words.first
        return .export(wish)
    }

    private static func copyCommand(_ argument: String) -> Command {
        if argument == "code" { return .copy(.code) }
        guard let number = argument.isEmpty ? 1 : Int(argument), (1...9999).contains(number) else {
            return .mistake("/copy takes code, or a number: 1 is the last answer, 2 the one before it")
        }
        return .copy(.answer(number))
    }
}
