// SettingsTests.swift — who wins, what is refused and in which words, and that the printed settings can be read again.

import ArgumentParser
import Foundation
import Testing

@testable import specchat

/// A folder with a settings file, gone with the test.
private final class SettingsFolder {
    let folder = Program.temporary("settings")
    var file: String { folder + "/specchat/config.toml" }

    init(_ text: String? = nil) throws {
        try FileManager.default.createDirectory(atPath: folder + "/specchat", withIntermediateDirectories: true)
        if let text { try text.write(toFile: file, atomically: false, encoding: .utf8) }
    }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func resolved(
        _ environment: [String: String] = [:], flags: [SettingEntry] = []
    ) throws(SettingsError) -> Settings {
        try Settings.resolved(flags: flags, environment: environment.merging(["XDG_CONFIG_HOME": folder]) { a, _ in a })
    }
}

/// Three values for a setting, as one level after the other gives them: all different, none the default.
private struct Samples {
    let file: SettingValue
    let environment: SettingValue
    let flag: SettingValue

    static let all: [String: Samples] = {
        func texts(_ a: String, _ b: String, _ c: String) -> Samples {
            Samples(file: .text(a), environment: .text(b), flag: .text(c))
        }
        func numbers(_ a: Double, _ b: Double, _ c: Double) -> Samples {
            Samples(file: .number(a), environment: .number(b), flag: .number(c))
        }
        func integers(_ a: Int, _ b: Int, _ c: Int) -> Samples {
            Samples(file: .integer(a), environment: .integer(b), flag: .integer(c))
        }
        // There are only two truths: file and flag say what is not the default, the environment says what is.
        func truths(_ default: Bool) -> Samples {
            Samples(file: .truth(!`default`), environment: .truth(`default`), flag: .truth(!`default`))
        }
        return [
            "model": texts("/a", "/b", "/c"), "mmproj": texts("/a", "/b", "/c"), "draft": texts("/a", "none", "small"),
            "draft-projector": texts("/a", "/b", "/c"), "threads": integers(1, 2, 3), "context": integers(10, 20, 30),
            "speculation": texts("chain", "off", "chain"), "nodes": integers(2, 3, 4),
            "temperature": numbers(0.25, 0.5, 0.75), "top-k": integers(5, 6, 7), "top-p": numbers(0.25, 0.5, 0.75),
            "min-p": numbers(0.25, 0.5, 0.75), "repetition-penalty": numbers(1.25, 1.5, 1.75),
            "seed": integers(1, 2, 3), "max-tokens": integers(7, 8, 9),
            "theme": texts("light", "high-contrast", "none"), "color": texts("always", "never", "always"),
            "image-protocol": texts("none", "blocks", "sixel"), "tree": texts("off", "mini", "off"),
            "markdown": truths(true), "pace": numbers(0.25, 0.5, 0.75), "editor": texts("a", "b -x", "c"),
            "save": truths(true), "keep-images": truths(false), "picture-cache": texts("1 MB", "2 GiB", "3 kB"),
        ]
    }()
}

@Suite struct `Settings from four levels` {
    private func text(_ value: SettingValue) -> String {
        if case .text(let text) = value { text } else { value.text }
    }

    /// The command line of every flag that a chat has for this key.
    private func flags(_ key: SettingKey, _ value: SettingValue) throws -> [SettingEntry] {
        let line =
            if case .truth(let truth) = value { [(truth ? "--" : "--no-") + key.name] } else {
                ["--\(key.name)=\(text(value))"]
            }
        let command = try #require(try Specchat.parseAsRoot(["chat"] + line) as? ChatCommand)
        return command.entries
    }

    @Test(arguments: SettingKey.all.map(\.name))
    func `flags win over the environment, that over the file, that over the default`(name: String) throws {
        let key = try #require(SettingKey.named(name))
        let samples = try #require(Samples.all[name], "\(name) needs values to be tested with")
        let folder = try SettingsFolder("[\(key.table)]\n\(name) = \(samples.file.text)\n")
        func expect(_ settings: Settings, _ value: SettingValue?, _ place: SettingPlace) {
            #expect(key.form.load(settings) == value)
            #expect(settings.place(of: key) == place)
            // Nothing else has moved.
            for other in SettingKey.all where other != key {
                #expect(other.form.load(settings) == other.form.load(Settings()), "\(other.name)")
            }
        }
        let variables = [key.variable: text(samples.environment)]
        #expect(key.form.load(Settings()) != samples.file)
        expect(try SettingsFolder().resolved(), key.form.load(Settings()), .builtIn)
        expect(try folder.resolved(), samples.file, .file(path: folder.file, line: 2))
        expect(try folder.resolved(variables), samples.environment, .environment(variable: key.variable))
        let flags = try flags(key, samples.flag)
        expect(try folder.resolved(variables, flags: flags), samples.flag, .commandLine)
        expect(try folder.resolved([key.variable: ""]), samples.file, .file(path: folder.file, line: 2))
    }

    @Test func `have a name, a table and a variable of their own`() {
        #expect(Set(SettingKey.all.map(\.name)).count == SettingKey.all.count)
        #expect(Set(SettingKey.all.map(\.variable)).count == SettingKey.all.count)
        #expect(Set(SettingKey.all.map(\.table)) == Set(SettingKey.tables))
        #expect(SettingKey.repetitionPenalty.variable == "SPECCHAT_REPETITION_PENALTY")
    }

    @Test func `leave the files of another model aside`() throws {
        let folder = try SettingsFolder(
            "[model]\nmodel = \"/m\"\nmmproj = \"/v\"\ndraft = \"/d\"\ndraft-projector = \"/p\"\nthreads = 2\n")
        #expect(try folder.resolved().mmproj == "/v")
        let other = try folder.resolved(["SPECCHAT_MODEL": "/other"])
        #expect(other.model == "/other" && other.mmproj == nil && other.draft == nil && other.draftProjector == nil)
        #expect(other.threads == 2 && other.place(of: .mmproj) == .builtIn)
        let draft = try folder.resolved(flags: ModelOptions.parse(["--draft", "/e"]).entries)
        #expect(draft.mmproj == "/v" && draft.draft == "/e" && draft.draftProjector == nil)
        let both = try folder.resolved(flags: ModelOptions.parse(["--model", "/n", "--mmproj", "/w"]).entries)
        #expect(both.model == "/n" && both.mmproj == "/w" && both.draft == nil)
    }

    @Test func `mean paths from where they stand`() throws {
        let folder = try SettingsFolder(
            "[model]\nmodel = \"models/a.gguf\"\nmmproj = \"~/v.gguf\"\ndraft = \"small\"\ndraft-projector = \"/p\"\n")
        let settings = try folder.resolved(["HOME": "/home/u"])
        #expect(settings.model == folder.folder + "/specchat/models/a.gguf")
        #expect(settings.mmproj == "/home/u/v.gguf")
        #expect(settings.draft == "small" && settings.draftProjector == "/p")
        let variables = try folder.resolved(["HOME": "/home/u", "SPECCHAT_DRAFT": "~/d.gguf", "SPECCHAT_MMPROJ": "v"])
        #expect(variables.draft == "/home/u/d.gguf" && variables.mmproj == "v")
    }

    @Test(
        arguments: [
            ([:], nil), (["HOME": "/h"], "/h/.config/specchat/config.toml"), (["HOME": "relative"], nil),
            (["HOME": "/h", "XDG_CONFIG_HOME": "/x"], "/x/specchat/config.toml"),
            (["HOME": "/h", "XDG_CONFIG_HOME": "x"], "/h/.config/specchat/config.toml"),
            (["HOME": "/h", "XDG_CONFIG_HOME": ""], "/h/.config/specchat/config.toml"),
            (["HOME": "/h", "XDG_CONFIG_HOME": "/x", "SPECCHAT_CONFIG": "c.toml"], "c.toml"),
        ] as [([String: String], String?)])
    func `have their file where the environment says`(environment: [String: String], path: String?) {
        #expect(SettingsFile.path(environment: environment) == path)
    }

    @Test(
        arguments: [
            ("0", 0), ("17", 17), ("1 kB", 1000), ("1kib", 1024), ("2.5 MB", 2_500_000), ("1G", 1 << 30),
            ("3 TiB", 3 << 40),
            ("512 B", 512), ("", nil), ("MB", nil), ("-1", nil), ("1 parsec", nil), ("1e3", nil), ("99999999 TB", nil),
            ("1.2.3", nil),
        ] as [(String, Int?)])
    func `take sizes as people write them`(text: String, bytes: Int?) {
        #expect(ByteSize.bytes(text) == bytes)
        if let bytes { #expect(ByteSize.bytes(ByteSize.text(bytes)) == bytes) }
    }

    @Test func `that are printed or explained can be read again`() throws {
        let folder = try SettingsFolder("[sampling]\ntemperature = 0.7\n[screen]\neditor = \"vi \\\"x\\\\\"\n")
        let settings = try folder.resolved(["SPECCHAT_SEED": "18446744073709551615"])
        for withOrigin in [false, true] {
            let again = try SettingsFolder(SettingsText.show(settings, withOrigin: withOrigin)).resolved()
            for key in SettingKey.all { #expect(key.form.load(again) == key.form.load(settings), "\(key.name)") }
        }
        // The template changes nothing; with its comments opened it says what is the default anyway, or its example.
        #expect(try SettingsFolder(SettingsText.template).resolved() == Settings())
        let open = SettingsText.template.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("# ") && $0.contains(" = ") ? $0.dropFirst(2) : $0
        }
        let opened = try SettingsFolder(open.joined(separator: "\n")).resolved()
        for key in SettingKey.all {
            guard case .file = opened.place(of: key) else {
                Issue.record("\(key.name) is not in the template")
                continue
            }
            if let value = key.form.load(Settings()) { #expect(key.form.load(opened) == value, "\(key.name)") }
        }
    }
}

@Suite struct `Settings that are wrong` {
    private func complaint(_ text: String) throws -> String? {
        let folder = try SettingsFolder(text)
        do throws(SettingsError) {
            _ = try folder.resolved()
            return nil
        } catch {
            return error.description.replacing(folder.file, with: "F")
        }
    }

    @Test(arguments: [
        (
            "[sampling]\n\n# warm\ntemprature = 1",
            "F:4: there is no setting 'temprature'. Did you mean 'temperature' below [sampling]?"
        ),
        (
            "[sampling]\nwhatever = 1",
            "F:2: there is no setting 'whatever'. `specchat config show` lists what there is."
        ),
        ("[samplng]\ntemperature = 1", "F:1: there is no table [samplng]. Did you mean [sampling]?"),
        (
            "[sampling.more]\nx = 1",
            "F:1: there is no table [sampling.more]. `specchat config show` lists what there is."
        ),
        ("temperature = 1", "F:1: 'temperature' belongs below [sampling]."),
        ("[model]\nthreads = 1\ntemperature = 1", "F:3: 'temperature' belongs below [sampling]."),
        ("[sampling]\ntemperature = -1", "F:2: temperature must be 0 or more; 0.7 is usual. It is -1."),
        ("[sampling]\ntemperature = nan", "F:2: temperature must be 0 or more; 0.7 is usual. It is nan."),
        ("[sampling]\ntemperature = \"hot\"", "F:2: temperature must be 0 or more; 0.7 is usual. It is \"hot\"."),
        ("[sampling]\ntemperature = [1]", "F:2: temperature must be 0 or more; 0.7 is usual. It is a list."),
        ("[sampling]\nseed = 1.5", "F:2: seed must be a whole number, 0 or more. It is 1.5."),
        ("[sampling]\nmax-tokens = 0", "F:2: max-tokens must be 1 or more. It is 0."),
        ("[model]\nthreads = 4096", "F:2: threads must be between 1 and 1024. It is 4096."),
        ("[model]\nmodel = \"\"", "F:2: model must be the path of a folder or a file. It is \"\"."),
        ("[screen]\ntheme = \"pink\"", "F:2: theme must be auto, dark, light, high-contrast or none. It is \"pink\"."),
        ("[screen]\nmarkdown = \"yes\"", "F:2: markdown must be true or false. It is \"yes\"."),
        (
            "[conversations]\npicture-cache = -1",
            "F:2: picture-cache must be a number of bytes or a size such as \"512 MB\". It is -1."
        ),
        ("sampling = { top-k = 5, top-p = 2 }", "F:1: top-p must be between 0 and 1. It is 2."),
        (
            "[screen]\neditor = \"\"\"\na\n\"\"\"\ntheme = 1",
            "F:5: theme must be auto, dark, light, high-contrast or none. It is 1."
        ),
        ("\u{FEFF}[screen]\r\ntheme = 1\r\n", "F:2: theme must be auto, dark, light, high-contrast or none. It is 1."),
        ("[[screen]]\ntheme = \"dark\"", "F:1: [screen] is one table: write it with single brackets."),
    ])
    func `are named with their line and the way out`(text: String, sentence: String) throws {
        #expect(try complaint(text) == sentence)
    }

    @Test(arguments: [
        ("[screen]\ntheme = dark\n", 2), ("[screen\n", 1), ("[screen]\ntheme = \"dark\"\ntheme = \"light\"", 3),
        ("x", 1),
    ])
    func `and no TOML at all are named with their line`(text: String, line: Int) throws {
        let complaint = try #require(try complaint(text))
        #expect(complaint.hasPrefix("F:\(line): this is not TOML: "))
        #expect(complaint.hasSuffix("Words need quotation marks, as in theme = \"dark\"."))
        #expect(!complaint.contains("\n"))
    }

    @Test func `because they are no text are refused`() throws {
        let folder = try SettingsFolder()
        for (bytes, reason) in [
            (Data([0xFF, 0xFE]), "it is not text in UTF-8"), (Data("a = 1\0".utf8), "it is not text in UTF-8"),
            (Data(repeating: 0x20, count: 70_000), "it is larger than 64 KiB"),
        ] {
            try bytes.write(to: URL(fileURLWithPath: folder.file))
            #expect(throws: SettingsError.cannotRead(path: folder.file, reason: reason)) { try folder.resolved() }
        }
        #expect(throws: SettingsError.cannotRead(path: folder.folder, reason: "it is not a file")) {
            try folder.resolved(["SPECCHAT_CONFIG": folder.folder])
        }
        #expect(throws: Never.self) { try folder.resolved(["SPECCHAT_CONFIG": folder.folder + "/none"]) }
    }

    @Test(arguments: [
        ("SPECCHAT_THREADS", "many", "SPECCHAT_THREADS must be between 1 and 1024. It is \"many\"."),
        ("SPECCHAT_TEMPERATURE", "-1", "SPECCHAT_TEMPERATURE must be 0 or more; 0.7 is usual. It is -1.0."),
        ("SPECCHAT_SAVE", "perhaps", "SPECCHAT_SAVE must be true or false. It is \"perhaps\"."),
        ("SPECCHAT_SPECULATION", "fast", "SPECCHAT_SPECULATION must be off, chain or dynamic. It is \"fast\"."),
    ])
    func `in the environment are named with their variable`(name: String, value: String, sentence: String) throws {
        let folder = try SettingsFolder()
        let error = #expect(throws: SettingsError.self) { try folder.resolved([name: value]) }
        #expect(error?.description == sentence)
    }
}

@Suite(.serialized) struct `Settings of the program` {
    @Test func `are shown with their origin, as TOML and as JSON`() throws {
        let folder = try SettingsFolder("[sampling]\ntemperature = 0.7\n")
        let environment = ["SPECCHAT_CONFIG": folder.file, "SPECCHAT_THREADS": "2", "SPECCHAT_TEMPRATURE": "1"]
        let shown = try Program.run(["config", "show", "--origin"], environment: environment)
        #expect(shown.status == 0)
        let lines = shown.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("temperature = 0.7 # \(folder.file):2"))
        #expect(lines.contains("threads = 2 # SPECCHAT_THREADS"))
        #expect(lines.contains("theme = \"auto\" # default"))
        #expect(
            shown.errors == "specchat: the variable SPECCHAT_TEMPRATURE is no setting and has no effect. "
                + "Did you mean SPECCHAT_TEMPERATURE?\n")
        let json = try Program.run(["config", "show", "--origin", "--json"], environment: environment).json()
        let sampling = try #require(json["sampling"] as? [String: [String: Any]])
        #expect(sampling["temperature"]?["value"] as? Double == 0.7)
        #expect(sampling["temperature"]?["line"] as? Int == 2)
        #expect(sampling["seed"]?["origin"] as? String == "default")
        let plain = try Program.run(["config", "show", "--json"], environment: environment).json()
        #expect((plain["model"] as? [String: Any])?["threads"] as? Int == 2)
        #expect((plain["model"] as? [String: Any])?["model"] is NSNull)
    }

    @Test func `are written once, and again only by force`() throws {
        let folder = try SettingsFolder()
        let path = folder.folder + "/new/specchat/config.toml"
        let environment = ["SPECCHAT_CONFIG": path]
        #expect(try Program.run(["config", "path"], environment: environment).output == path + "\n")
        #expect(try Program.run(["config", "init"], environment: environment).output == "wrote \(path)\n")
        let template = try String(contentsOfFile: path, encoding: .utf8)
        try "precious".write(toFile: path, atomically: false, encoding: .utf8)
        let refused = try Program.run(["config", "init"], environment: environment)
        #expect(refused.status == 1 && refused.errors.contains("--force"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        #expect(try Program.run(["config", "init", "--force"], environment: environment).status == 0)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == template)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.folder + "/new/specchat") == ["config.toml"])
    }

    @Test func `end a command with status 2 when they are wrong`() throws {
        let folder = try SettingsFolder("[screen]\nteme = \"dark\"\n")
        for command in [
            ["chat"], ["ask", "x"], ["bench"], ["score", "--prompt", "x", "--text", "y"], ["config", "show"],
        ] {
            let result = try Program.run(command, environment: ["SPECCHAT_CONFIG": folder.file])
            #expect(result.status == 2, "\(command)")
            #expect(
                result.errors
                    == "specchat: \(folder.file):2: there is no setting 'teme'. Did you mean 'theme' below [screen]?\n")
        }
    }

    @Test func `reach an answer, under its flags`() throws {
        let folder = try SettingsFolder("[sampling]\nmax-tokens = 5\nseed = 7\n[speculation]\nspeculation = \"off\"\n")
        let ask = ["ask", "What is this?", "--json"] + Program.model
        let answer = try Program.run(ask, environment: ["SPECCHAT_CONFIG": folder.file]).json()
        #expect((answer["tokens"] as? [Int])?.count == 5)
        #expect(answer["seed"] as? Int == 7 && answer["speculation"] as? String == "off")
        let flagged = try Program.run(
            ask + ["--max-tokens", "3"], environment: ["SPECCHAT_CONFIG": folder.file, "SPECCHAT_SEED": "8"]
        ).json()
        #expect((flagged["tokens"] as? [Int])?.count == 3 && flagged["seed"] as? Int == 8)
    }

    @Test func `about sampling are left aside by a benchmark, aloud`() throws {
        let environment = ["SPECCHAT_TEMPERATURE": "0.5", "SPECCHAT_THREADS": "1"]
        let prompts = Program.temporary("prompts.json")
        defer { try? FileManager.default.removeItem(atPath: prompts) }
        try #"{"prompts": [{"turns": [{"question": "What is this?"}]}]}"#
            .write(toFile: prompts, atomically: false, encoding: .utf8)
        let bench = ["bench", "--quick", "--prompts", prompts, "--max-tokens", "4"] + Program.model
        let result = try Program.run(bench, environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.errors == "specchat: bench measures with its own settings and leaves these aside: temperature "
                + "(SPECCHAT_TEMPERATURE). Flags count.\n")
        #expect(result.output.contains("temperature 0.0, 1 thread, "))
    }
}
