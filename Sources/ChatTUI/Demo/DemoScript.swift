// DemoScript.swift — a conversation written down beforehand, for talks in which nobody wants to type.

import Engine
import Foundation

/// One line of a script.
enum DemoStep: Sendable, Equatable {
    /// Adds the picture; its path is taken from the script's folder.
    case picture(String)
    /// Characters a second from here on.
    case typing(Double)
    /// Types the text and sends it, once everything before is done; a command works too.
    case ask(String)
    /// Waits so many seconds.
    case pause(Double)
    /// Waits until the answer is complete and the panel has shown its rounds.
    case wait
    case tree(TreeSize)
    /// Seconds that every round stands, from the next answer on.
    case pace(Double)
    case speculation(SpeculationPolicy)
    /// Holds the engine after its round; lets so many rounds through, one every so many seconds; lets it go on.
    case hold
    case step(Int, every: Double)
    case goOn
    /// Presses keys of the tree panel.
    case keys([Key])
    /// A line above the composer, until the next one.
    case say(String)
    case clear
    /// Begins again from the first line.
    case again
}

public enum DemoScriptError: Error, Equatable, CustomStringConvertible {
    case cannotRead(path: String, reason: String)
    case empty(path: String)
    case badLine(path: String, line: Int, wanted: String)

    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read the script \(path): \(reason)."
        case .empty(let path):
            "\(path) has no line that does anything. `specchat demo --help` lists what may stand in a script."
        case .badLine(let path, let line, let wanted): "\(path), line \(line): \(wanted)."
        }
    }
}

/// A script, read and checked as a whole before the first line is played.
public struct DemoScript: Sendable, Equatable {
    let steps: [DemoStep]

    /// Larger files are no scripts.
    private static let mostBytes = 1 << 20

    public static func read(path: String) throws(DemoScriptError) -> DemoScript {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .cannotRead(path: path, reason: PlainOutput.reason(error))
        }
        guard data.count <= mostBytes, let text = String(validating: data, as: UTF8.self) else {
            throw .cannotRead(path: path, reason: "it is not a text of at most 1 MB in UTF-8")
        }
        return try DemoScript(text, path: path) { FileManager.default.fileExists(atPath: $0) }
    }

    /// - Parameters:
    ///   - path: where the text is from: named in errors, and pictures are looked for beside it.
    ///   - exists: whether there is such a file.
    init(
        _ text: String, path: String, exists: (String) -> Bool = { _ in true }
    ) throws(DemoScriptError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var steps: [DemoStep] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = String(line).trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let word = String(line.prefix { !$0.isWhitespace })
            let argument = String(line.dropFirst(word.count)).trimmed
            guard let form = DemoForm.all[word] else {
                let words = DemoForm.all.keys.sorted().joined(separator: ", ")
                throw .badLine(
                    path: path, line: index + 1, wanted: "\"\(word.prefix(30))\" is not one of: \(words)")
            }
            guard var step = form.read(argument) else {
                throw .badLine(path: path, line: index + 1, wanted: "\(word) wants \(form.wanted)")
            }
            if case .picture(let file) = step, !file.hasPrefix("/"), !file.hasPrefix("~") {
                step = .picture(folder + file)
            }
            if case .picture(let file) = step, !file.hasPrefix("~"), !exists(file) {
                throw .badLine(path: path, line: index + 1, wanted: "there is no picture \(file)")
            }
            steps.append(step)
        }
        guard steps.contains(where: { $0 != .again }) else { throw .empty(path: path) }
        self.steps = steps
    }
}

/// How a line of a script is written.
private struct DemoForm: Sendable {
    /// What follows the word, for whoever wrote something else.
    let wanted: String
    /// The step; nil when that is not what follows.
    let read: @Sendable (String) -> DemoStep?

    static let all: [String: DemoForm] = [
        "picture": DemoForm(wanted: "a picture file, such as: picture scene.png") {
            $0.isEmpty ? nil : .picture(PathText.path(from: $0))
        },
        "typing": DemoForm(wanted: "characters a second between 1 and 1000") {
            number($0, in: 1...1000).map { .typing($0) }
        },
        "ask": DemoForm(wanted: "a question or a command, such as: ask What is on the left?") {
            $0.isEmpty ? nil : .ask($0)
        },
        "pause": DemoForm(wanted: "seconds between 0 and 3600") { number($0, in: 0...3600).map { .pause($0) } },
        "wait": alone(.wait),
        "tree": DemoForm(wanted: "one of: \(TreeSize.allCases.map(\.rawValue).joined(separator: ", "))") {
            TreeSize(rawValue: $0).map { .tree($0) }
        },
        "pace": DemoForm(wanted: "seconds a round between 0 and 60") { number($0, in: 0...60).map { .pace($0) } },
        "speculation": DemoForm(
            wanted: "one of: \(SpeculationPolicy.allCases.map(\.rawValue).joined(separator: ", "))"
        ) { SpeculationPolicy(rawValue: $0).map { .speculation($0) } },
        "hold": alone(.hold),
        "step": DemoForm(wanted: "rounds between 1 and 10000 and, after them, seconds between rounds: step 3 1.5") {
            let parts = $0.split(separator: " ").map(String.init)
            guard (1...2).contains(parts.count), let rounds = Int(parts[0]), (1...10000).contains(rounds),
                let seconds = parts.count == 1 ? 1 : number(parts[1], in: 0...60)
            else { return nil }
            return .step(rounds, every: seconds)
        },
        "go": alone(.goOn),
        "keys": DemoForm(wanted: "keys of the tree panel with spaces between them, such as: keys up right enter") {
            let keys = $0.split(separator: " ").map { key(named: String($0)) }
            return keys.isEmpty || keys.contains(nil) ? nil : .keys(keys.compactMap { $0 })
        },
        "say": DemoForm(wanted: "a line of text") { $0.isEmpty ? nil : .say($0) },
        "clear": alone(.clear),
        "again": alone(.again),
    ]

    private static func alone(_ step: DemoStep) -> DemoForm {
        DemoForm(wanted: "to stand alone") { $0.isEmpty ? step : nil }
    }

    private static func number(_ text: String, in range: ClosedRange<Double>) -> Double? {
        Double(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func key(named name: String) -> Key? {
        switch name {
        case "up": .up
        case "down": .down
        case "left": .left
        case "right": .right
        case "enter": .enter
        case "escape": .escape
        case "space": .character(" ")
        default: name.count == 1 ? name.first.map { .character($0) } : nil
        }
    }
}
