// SettingsCommandTests.swift — `specchat config`, and what settings do to the commands.

import Foundation
import Testing

@testable import specchat

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
