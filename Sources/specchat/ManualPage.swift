// ManualPage.swift — the man page, made from what --help says: neither can forget what the other knows. Asked for by
// Scripts/install-files as `specchat --generate-manual`.

import ArgumentParser
import Foundation

struct ManualPage {
    static let argument = "--generate-manual"

    /// The command line as the argument parser describes it.
    struct Description: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
            var text: String { (kind == "long" ? "--" : "-") + name }
        }
        struct Argument: Decodable {
            let kind: String
            let names: [Name]?
            let abstract: String?
            let discussion: String?
            let valueName: String?
            let sectionTitle: String?
            let isRepeating: Bool
            let shouldDisplay: Bool
            let allValues: [String]?
            let defaultValue: String?
        }
        struct Command: Decodable {
            let commandName: String
            let abstract: String?
            let discussion: String?
            let arguments: [Argument]?
            let subcommands: [Command]?
            let shouldDisplay: Bool
        }
        let command: Command
    }

    private let program: Description.Command
    private let version: String
    private var lines: [String] = []

    init(description json: String, version: String) throws {
        program = try JSONDecoder().decode(Description.self, from: Data(json.utf8)).command
        self.version = version
    }

    /// The page in the macros of man(7).
    static func text() throws -> String {
        var page = try ManualPage(description: Specchat._dumpHelp(), version: Specchat.configuration.version)
        return page.write()
    }

    private mutating func write() -> String {
        lines = [".TH SPECCHAT 1 2026-11-21 \"specchat \(version)\" \"User Commands\""]
        let summary = (program.abstract ?? "").prefix(1).lowercased() + (program.abstract ?? "").dropFirst()
        section("NAME")
        text("specchat \\- " + Self.escaped(summary.hasSuffix(".") ? String(summary.dropLast()) : String(summary)))
        section("SYNOPSIS")
        text("\\fBspecchat\\fR [\\fIcommand\\fR] [\\fIoptions\\fR]")
        let parts = Self.parts(of: program.discussion ?? "")
        section("DESCRIPTION")
        for part in parts where part.title == nil { write(part) }
        section("COMMANDS")
        for command in shown(program) { write(command, below: "specchat") }
        for part in parts {
            guard let title = part.title else { continue }
            section(title == "EXIT CODES" ? "EXIT STATUS" : title)
            write(part)
        }
        writeEnvironment()
        section("FILES")
        entry("~/.config/specchat/config.toml", "Settings; `specchat config init` writes one to begin with.")
        entry("~/.local/share/specchat", "Stored conversations.")
        return lines.joined(separator: "\n") + "\n"
    }

    private func shown(_ command: Description.Command) -> [Description.Command] {
        (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    }

    private mutating func write(_ command: Description.Command, below parent: String) {
        let name = parent + " " + command.commandName
        let arguments = (command.arguments ?? []).filter {
            $0.shouldDisplay && !["help", "version"].contains($0.names?.last?.name ?? "")
        }
        let places = arguments.filter { $0.kind == "positional" }.map {
            " [\\fI\(Self.escaped($0.valueName ?? ""))\\fR]"
        }
        lines.append(".SS \(Self.escaped(name))\(places.joined())")
        text(Self.escaped(command.abstract ?? ""))
        for part in Self.parts(of: command.discussion ?? "") {
            if let title = part.title {
                lines += [".PP", "\\fB\(Self.escaped(title))\\fR"]
            } else {
                lines.append(".PP")
            }
            write(part)
        }
        let names = Set(arguments.flatMap { $0.names ?? [] }.map(\.name))
        for argument in arguments {
            // A switch and its opposite stand together.
            let name = argument.names?.first?.name ?? ""
            if argument.kind == "flag", name.hasPrefix("no-"), names.contains(String(name.dropFirst(3))) { continue }
            write(argument, opposite: names.contains("no-" + name) ? ", --no-" + name : "")
        }
        for inner in shown(command) { write(inner, below: name) }
    }

    private mutating func write(_ argument: Description.Argument, opposite: String) {
        let value = "<" + (argument.valueName ?? "value") + ">"
        let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
        let tag =
            argument.kind == "positional" ? value : argument.kind == "option" ? names + " " + value : names + opposite
        var about = argument.abstract ?? ""
        if let values = argument.allValues, !values.isEmpty {
            about += " Values: " + values.joined(separator: ", ") + "."
        }
        if let value = argument.defaultValue, argument.kind == "option" { about += " Default: \(value)." }
        if argument.isRepeating { about += " May be given several times." }
        entry(tag, about)
    }

    private mutating func writeEnvironment() {
        section("ENVIRONMENT")
        for key in SettingKey.all { entry(key.variable, "Like --\(key.name). " + key.about) }
        entry("SPECCHAT_CONFIG", "A settings file in place of the user's own.")
        entry("SPECCHAT_ASSETS", "The folder of the demo model.")
        entry("NO_COLOR, CLICOLOR_FORCE", "No colours, or colours in any case; --color wins over them.")
        entry("VISUAL, EDITOR", "The command that edits a question.")
    }

    // MARK: Text

    /// A piece of a discussion: a paragraph, or lines to be kept as they are, with the heading above them.
    private struct Part {
        var title: String?
        var paragraphs: [String] = []
        var table: [String] = []
    }

    /// Cuts a discussion at its headings ("EXAMPLES:") and keeps indented lines apart.
    private static func parts(of discussion: String) -> [Part] {
        var parts: [Part] = []
        for line in discussion.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasSuffix(":") && !line.hasPrefix(" ") {
                parts.append(Part(title: String(line.dropLast())))
            } else if line.hasPrefix("  ") {
                if parts.isEmpty { parts.append(Part()) }
                parts[parts.count - 1].table.append(String(line.dropFirst(2)))
            } else if !line.isEmpty {
                if parts.last.map({ $0.title != nil || !$0.table.isEmpty }) ?? true { parts.append(Part()) }
                parts[parts.count - 1].paragraphs.append(line)
            }
        }
        return parts
    }

    private mutating func write(_ part: Part) {
        for (index, paragraph) in part.paragraphs.enumerated() {
            if index > 0 { lines.append(".PP") }
            text(Self.escaped(paragraph))
        }
        guard !part.table.isEmpty else { return }
        lines += [".RS 4", ".nf"]
        for line in part.table { text(Self.escaped(line.replacing("\t", with: "    "))) }
        lines += [".fi", ".RE"]
    }

    private mutating func section(_ title: String) { lines.append(".SH " + Self.escaped(title)) }

    private mutating func entry(_ tag: String, _ about: String) {
        lines += [".TP", "\\fB\(Self.escaped(tag))\\fR"]
        text(Self.escaped(about.isEmpty ? tag : about))
    }

    /// A line of text; one that begins with a control character would be taken for a macro.
    private mutating func text(_ line: String) {
        lines.append(line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line)
    }

    /// As roff writes it, in ASCII.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
            }
        }
    }
}
