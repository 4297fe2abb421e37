// SettingsErrorTests.swift — settings that are refused: by line, by variable, and in which words.

import Foundation
import Testing

@testable import specchat

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
        ("[sampling]\ntemperature = -1", "F:2: temperature must be a number from 0 to 10. It is -1."),
        ("[sampling]\ntemperature = nan", "F:2: temperature must be a number from 0 to 10. It is nan."),
        ("[sampling]\ntemperature = \"hot\"", "F:2: temperature must be a number from 0 to 10. It is \"hot\"."),
        ("[sampling]\ntemperature = [1]", "F:2: temperature must be a number from 0 to 10. It is a list."),
        ("[sampling]\nseed = 1.5", "F:2: seed must be a whole number from 0. It is 1.5."),
        ("[sampling]\nmax-tokens = 0", "F:2: max-tokens must be a whole number from 1. It is 0."),
        ("[model]\nthreads = 4096", "F:2: threads must be between 1 and 1024. It is 4096."),
        ("[model]\nmodel = \"\"", "F:2: model must be the path of a folder or a file. It is \"\"."),
        ("[screen]\ntheme = \"pink\"", "F:2: theme must be auto, dark, light, high-contrast or none. It is \"pink\"."),
        ("[screen]\nmarkdown = \"yes\"", "F:2: markdown must be true or false. It is \"yes\"."),
        (
            "[conversations]\npicture-cache = -1",
            "F:2: picture-cache must be a number of bytes or a size such as \"512 MB\". It is -1."
        ),
        ("sampling = { top-k = 5, top-p = 2 }", "F:1: top-p must be a number from 0 to 1. It is 2."),
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
        ("SPECCHAT_TEMPERATURE", "-1", "SPECCHAT_TEMPERATURE must be a number from 0 to 10. It is -1.0."),
        ("SPECCHAT_SAVE", "perhaps", "SPECCHAT_SAVE must be true or false. It is \"perhaps\"."),
        ("SPECCHAT_SPECULATION", "fast", "SPECCHAT_SPECULATION must be off, chain or dynamic. It is \"fast\"."),
    ])
    func `in the environment are named with their variable`(name: String, value: String, sentence: String) throws {
        let folder = try SettingsFolder()
        let error = #expect(throws: SettingsError.self) { try folder.resolved([name: value]) }
        #expect(error?.description == sentence)
    }
}
