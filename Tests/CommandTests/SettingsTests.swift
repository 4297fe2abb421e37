// SettingsTests.swift — which level wins, for every setting; and that printed settings can be read again.

import ArgumentParser
import Foundation
import Testing

@testable import specchat

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
            "template": texts("llava_hf", "chatml", "zephyr"), "kv-cache": texts("q8_0", "f16", "f32"),
            "quantize": texts("q8_0", "q4_0", "q4_k"), "weight-cache": texts("1 GB", "20 GiB", "3 MB"),
            "speculation": texts("chain", "off", "chain"), "nodes": integers(2, 3, 4),
            "temperature": numbers(0.25, 0.5, 0.75), "top-k": integers(5, 6, 7), "top-p": numbers(0.25, 0.5, 0.75),
            "min-p": numbers(0.25, 0.5, 0.75), "repetition-penalty": numbers(1.25, 1.5, 1.75),
            "seed": integers(1, 2, 3), "max-tokens": integers(7, 8, 9),
            "theme": texts("light", "high-contrast", "none"), "color": texts("always", "never", "always"),
            "image-protocol": texts("none", "blocks", "sixel"), "tree": texts("off", "mini", "off"),
            "markdown": truths(true), "pace": numbers(0.25, 0.5, 0.75), "editor": texts("a", "b -x", "c"),
            "save": truths(true), "keep-images": truths(false), "picture-cache": texts("1 MB", "2 GiB", "3 kB"),
            "keep-answers": truths(true),
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
