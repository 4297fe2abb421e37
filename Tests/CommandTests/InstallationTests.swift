// InstallationTests.swift — what `make install` puts beside the program: completions and the man page, whole and sound.

import ArgumentParser
import Engine
import Foundation
import Testing

@testable import specchat

@Suite(.serialized) struct `Beside the program` {
    private static let commands = Specchat.configuration.subcommands.compactMap { $0.configuration.commandName }

    /// Runs a tool if this machine has it; nil where it has not.
    private func tool(_ line: String) throws -> ProgramResult? {
        let name = line.prefix { $0 != " " }
        guard try Program.shell("command -v \(name)").status == 0 else { return nil }
        return try Program.shell(line)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions are generated, can be parsed and name every command`(shell: String) throws {
        let script = try Program.run(["--generate-completion-script", shell])
        #expect(script.status == 0)
        let file = Program.temporary("completions")
        defer { try? FileManager.default.removeItem(atPath: file) }
        try script.output.write(toFile: file, atomically: false, encoding: .utf8)
        if let parsed = try tool("\(shell) -n '\(file)'") {
            #expect(parsed.status == 0 && parsed.errors.isEmpty, "\(parsed.errors)")
        }
        #expect(Self.commands.count >= 8)
        for command in Self.commands { #expect(script.output.contains(command), "\(command)") }
        for word in ["draft", "resume", "theme", "high-contrast", "webp"] {
            #expect(script.output.contains(word), "\(word)")
        }
    }

    @Test func `drafts are completed by name and by file`() throws {
        let folder = try TestFolder()
        for name in ["small.gguf", "small.txt", ".small.gguf", "other.gguf"] { _ = try folder.write("", to: name) }
        try FileManager.default.createDirectory(atPath: folder.path + "/smaller", withIntermediateDirectories: true)
        #expect(
            PathCompletion.candidates(for: folder.path + "/s", endings: ["gguf"]) == [
                folder.path + "/small.gguf", folder.path + "/smaller/",
            ])
        #expect(PathCompletion.candidates(for: folder.path + "/.", endings: ["gguf"]) == [folder.path + "/.small.gguf"])
        #expect(PathCompletion.candidates(for: "/no/such/folder/", endings: ["gguf"]).isEmpty)
        let completed = try bash(completing: "ask --draft sma", in: folder)
        #expect(completed.contains("small"), "\(completed)")
        #expect(completed.contains("small.gguf"))
    }

    @Test(
        arguments: [
            ("--the", ["--theme"]), ("--image a.png --spec", ["--speculation"]), ("--theme hi", ["high-contrast"]),
            ("--cont", ["--continue", "--context"]), ("--ver", ["--version"]), ("inspect --the", []),
            ("rep", ["replay"]),
        ] as [(String, Set<String>)])
    func `without a subcommand the chat's options are completed`(words: String, wanted: Set<String>) throws {
        #expect(Set(try bash(completing: words, in: TestFolder())) == wanted)
    }

    @Test(
        arguments: [
            ("ask --model tar", ["target.gguf"]), ("inspect mo", ["models/"]), ("--model b", ["bundle.json"]),
            ("--model oll", ["ollama:llava:7b", "ollama:llama:latest"]), ("--model ollama:llav", ["llava:7b"]),
            ("--draft ollama:", ["llava:7b", "llama:latest"]), ("--model ollama:llava:7", ["7b"]),
            ("--mmproj hf:own", ["owner/eye"]), ("ask --model /no/such", []), ("--model pic", []),
            ("--model ollama:llava:7b --spec", ["--speculation"]),
        ] as [(String, Set<String>)])
    func `models are completed by path and by their names in other stores`(words: String, wanted: Set<String>) throws {
        let folder = try TestFolder()
        for name in ["target.gguf", "picture.png", "bundle.json", "models/m.gguf"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/models", withIntermediateDirectories: true)
            _ = try folder.write("", to: name)
        }
        let digest = String(repeating: "a", count: 64)
        let layer = #"{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:\#(digest)"}"#
        let manifests = folder.path + "/stores/manifests/registry.ollama.ai/library"
        for name in ["llava/7b", "llama/latest"] {
            let path = manifests + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try #"{"layers": [\#(layer)]}"#.write(toFile: path, atomically: false, encoding: .utf8)
        }
        for path in ["/stores/blobs", "/hub/models--owner--eye/snapshots/ab"] {
            try FileManager.default.createDirectory(atPath: folder.path + path, withIntermediateDirectories: true)
        }
        _ = try folder.write("", to: "stores/blobs/sha256-" + digest)
        _ = try folder.write("{}", to: "hub/models--owner--eye/snapshots/ab/config.json")
        let stores = "export OLLAMA_MODELS='\(folder.path)/stores' HF_HUB_CACHE='\(folder.path)/hub'; "
        #expect(Set(try bash(completing: words, in: folder, after: stores)) == wanted)
    }

    @Test func `zsh is told of colons that are part of a name`() throws {
        let home = try TestFolder()
        try FileManager.default.createDirectory(
            atPath: home.path + "/.cache/huggingface/hub/models--a--b/snapshots/ff", withIntermediateDirectories: true)
        _ = try home.write("{}", to: ".cache/huggingface/hub/models--a--b/snapshots/ff/config.json")
        let places = ModelPlaces(environment: [:], home: URL(filePath: home.path, directoryHint: .isDirectory))
        #expect(ModelCompletion.candidates(for: "hf:", places: places, shell: .zsh) == ["hf\\:a/b"])
        #expect(ModelCompletion.candidates(for: "hf:", places: places, shell: .fish) == ["hf:a/b"])
    }

    /// What bash offers for the last of the words behind the program's name.
    ///
    /// - Parameter line: what the shell does first.
    private func bash(completing words: String, in folder: TestFolder, after line: String = "") throws -> [String] {
        // Bash cuts words at spaces and at colons, which are words of their own.
        let pieces = words.split(separator: " ").flatMap { word in
            word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                .enumerated().flatMap { $0.offset == 0 ? [$0.element] : [":", $0.element] }.filter { !$0.isEmpty }
        }
        let last = pieces.last == ":" ? "" : pieces.last ?? ""
        let before = pieces.count > 1 ? pieces[pieces.count - 2] : "\"$SPECCHAT\""
        // As bash asks: the words so far, which of them is being typed, and where in it.
        let script =
            "cd '\(folder.path)' && \(line)\"$SPECCHAT\" --generate-completion-script bash > script && . ./script && "
            + "COMP_WORDS=(\"$SPECCHAT\" \(pieces.joined(separator: " "))); COMP_CWORD=\(pieces.count); "
            + "COMP_LINE=\"$SPECCHAT \(words)\"; COMP_POINT=${#COMP_LINE}; "
            + "asked=$(complete -p specchat); asked=${asked##*-F }; "
            + "${asked% *} \"$SPECCHAT\" '\(last)' \(before); printf '%s\\n' \"${COMPREPLY[@]}\""
        return try Program.shell(script).output.split(separator: "\n").map(String.init)
    }

    @Test func `the man page names every command, option and variable, and formats without a warning`() throws {
        let page = try Program.run([ManualPage.argument])
        #expect(page.status == 0 && page.output.hasPrefix(".TH SPECCHAT 1 ") && !page.hasControlCharacters)
        #expect(page.output.utf8.count == page.output.unicodeScalars.count)
        let plain = page.output.replacing("\\-", with: "-")
        for command in Self.commands { #expect(plain.contains(".SS specchat \(command)"), "\(command)") }
        for key in SettingKey.all {
            #expect(plain.contains(key.variable), "\(key.variable)")
            #expect(plain.contains("--\(key.name)"), "\(key.name)")
        }
        for section in [
            "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES",
        ] {
            #expect(plain.contains("\n.SH \(section)\n"), "\(section)")
        }
        for status in ProgramStatus.allCases { #expect(plain.contains("\n\(status.rawValue)    \(status.meaning)\n")) }
        let file = Program.temporary("specchat.1")
        defer { try? FileManager.default.removeItem(atPath: file) }
        try page.output.write(toFile: file, atomically: false, encoding: .utf8)
        for line in [
            "groff -ww -z -man '\(file)'", "man --warnings -l '\(file)'", "mandoc -T lint -W warning '\(file)'",
        ] {
            guard let checked = try tool(line) else { continue }
            #expect(checked.status == 0 && checked.errors.isEmpty, "\(line): \(checked.errors)")
        }
        if let shown = try tool("man -l '\(file)'") {
            #expect(shown.output.contains("specchat ask") && shown.output.contains("--batch"))
        }
    }

    @Test func `the help has five examples, the exit codes and every command`() throws {
        let help = try Program.run(["--help"]).output
        let examples = help.split(separator: "\n").filter { $0.hasPrefix("  specchat ") }
        #expect(examples.count == 5)
        for command in Self.commands { #expect(help.contains("\n  \(command)"), "\(command)") }
        #expect(try Program.run(["--version"]).output == Specchat.configuration.version + "\n")
        for command in Self.commands {
            let own = try Program.run([command, "--help"])
            #expect(own.status == 0 && own.output.contains("USAGE: specchat \(command)"), "\(command)")
            #expect(own.output.contains("EXAMPLES:"), "\(command) has no example")
        }
    }

    @Test func `installing puts everything in place and removing takes it away`() throws {
        let folder = try TestFolder()
        let root = Program.root.path
        // The script installs the release build; here the build under test stands in its place.
        let line =
            "cp -r '\(root)/Scripts' '\(folder.path)/' && mkdir -p '\(folder.path)/.build/release' && "
            + "ln -s '\(root)/Assets' '\(folder.path)/Assets' && ln -s \"$SPECCHAT\" '\(folder.path)/.build/release/specchat' && "
            + "cd '\(folder.path)' && Scripts/install-files '\(folder.path)/usr'"
        let installed = try Program.shell(line)
        #expect(installed.status == 0, "\(installed.errors)")
        let files = [
            "bin/specchat", "share/man/man1/specchat.1", "share/bash-completion/completions/specchat",
            "share/zsh/site-functions/_specchat", "share/fish/vendor_completions.d/specchat.fish",
            "share/specchat/demo/bundle.json",
        ]
        for file in files {
            let size = try FileManager.default.attributesOfItem(atPath: folder.path + "/usr/" + file)[.size] as? Int
            #expect(size ?? 0 > 0, "\(file)")
        }
        #expect(
            try Program.shell("cd '\(folder.path)' && Scripts/install-files --remove '\(folder.path)/usr'").status == 0)
        let left = try Program.shell("find '\(folder.path)/usr' -type f").output
        #expect(left.isEmpty, "\(left)")
    }
}
