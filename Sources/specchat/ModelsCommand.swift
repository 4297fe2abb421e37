// ModelsCommand.swift — `specchat models`: the models that are on this machine, and what goes with each.

import ArgumentParser
import Engine
import Foundation

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models on this machine, with the vision files and drafts that fit them.",
        discussion: """
            Looks into the caches of Hugging Face and llama.cpp, at Ollama's and LM Studio's models, and into the folders \
            that are named. What stands first in each line goes after --model; drafts go after --draft.

            EXAMPLES:
              specchat models
              specchat models ~/models
              specchat --model ollama:llava:7b --image photo.jpg
            """)

    @Argument(help: ArgumentHelp("More folders to look into.", valueName: "folder"), completion: .directory)
    var folders: [String] = []

    @Flag(help: "Print one JSON object for each model.")
    var json = false

    func run() throws {
        let more = try folders.map { path throws(CommandFailure) in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
                throw CommandFailure(.failure, "\(path) is not a folder. Name a folder that holds models.")
            }
            return URL(filePath: path, directoryHint: .isDirectory)
        }
        let survey = ModelSurvey(ModelPlaces.here.all(besides: more))
        if json {
            for entry in survey.entries { try TextOutput.standard.line(JSONText.line(ModelJSON(entry: entry))) }
        } else if survey.entries.isEmpty {
            try TextOutput.standard.line(
                "No models were found. `hf download`, `ollama pull` and LM Studio fetch them; a folder can be named too."
            )
        } else {
            try TextOutput.standard.write(survey.entries.map { harmless(Self.text($0)) }.joined(separator: "\n"))
        }
    }

    /// A model in a few lines: what it is, what it sees with, what drafts for it.
    static func text(_ entry: ModelSurvey.Entry) -> String {
        var lines = [entry.model.reference]
        func add(_ name: String, _ value: String) { lines.append("  \(name)  \(value)") }
        if let problem = entry.problem {
            add("cannot be run", problem)
            return lines.map { $0 + "\n" }.joined()
        }
        add("weights", "\(entry.type ?? "?"), \(size(entry.bytes)), \(count(entry.parameters)) parameters")
        switch entry.vision {
        case .none: add("vision ", "none: it reads text only")
        case .own: add("vision ", "in the same folder")
        case .file(let file): add("vision ", file.lastPathComponent)
        case .unfit(let file, let reason): add("vision ", "\(file.lastPathComponent) does not fit: \(reason)")
        }
        add(
            "drafts ",
            entry.drafts.isEmpty ? "none fit; --draft lookup needs none" : entry.drafts.joined(separator: ", "))
        for other in entry.unfit { add("       ", "not \(other.reference): \(other.reason)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// "7.2 million".
    private static func count(_ parameters: Int) -> String {
        let words = [("billion", 1e9), ("million", 1e6), ("thousand", 1e3)]
        for (word, worth) in words where Double(parameters) >= worth {
            return "\(decimal(Double(parameters) / worth, 1)) \(word)"
        }
        return "\(parameters)"
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 1_000_000_000 ? "\(decimal(Double(bytes) / 1e6, 1)) MB" : "\(decimal(Double(bytes) / 1e9, 1)) GB"
    }
}

/// A model as `--json` names it.
private struct ModelJSON: Encodable {
    let entry: ModelSurvey.Entry

    private struct Unfit: Encodable {
        let model: String
        let reason: String
    }

    private enum CodingKeys: String, CodingKey {
        case model, path, bytes, type, parameters, vision, drafts, unfit, problem
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entry.model.reference, forKey: .model)
        try container.encode(entry.model.model.path, forKey: .path)
        try container.encode(entry.bytes, forKey: .bytes)
        try container.encodeIfPresent(entry.type, forKey: .type)
        try container.encode(entry.parameters, forKey: .parameters)
        switch entry.vision {
        case .own: try container.encode(entry.model.model.path, forKey: .vision)
        case .file(let file): try container.encode(file.path, forKey: .vision)
        case .none, .unfit: try container.encodeNil(forKey: .vision)
        }
        try container.encode(entry.drafts, forKey: .drafts)
        var unfit = entry.unfit.map { Unfit(model: $0.reference, reason: $0.reason) }
        if case .unfit(let file, let reason) = entry.vision { unfit.append(Unfit(model: file.path, reason: reason)) }
        try container.encode(unfit, forKey: .unfit)
        try container.encodeIfPresent(entry.problem, forKey: .problem)
    }
}
