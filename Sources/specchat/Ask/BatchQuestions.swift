// BatchQuestions.swift — the file of questions of `ask --batch`: every line read and judged before anything is decoded.

import ChatTUI
import Engine
import Foundation

/// A value as JSON has it.
enum JSONValue: Sendable, Equatable, Codable {
    case null, truth(Bool), integer(Int), large(UInt64), number(Double), text(String), list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .truth(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .large(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .truth(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .large(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// As a setting takes it.
    fileprivate var setting: SettingValue {
        switch self {
        case .truth(let value): .truth(value)
        case .integer(let value): .integer(value)
        case .large(let value): .text(String(value))
        case .number(let value): .number(value)
        case .text(let value): .text(value)
        case .null: .other("null")
        case .list: .other("a list")
        case .object: .other("an object")
        }
    }
}

/// One line of the file.
struct BatchQuestion: Sendable, Equatable {
    /// Text or a number, for whoever wrote it.
    let id: JSONValue?
    let question: String
    /// Paths as they can be opened.
    let images: [String]
    let options: GenerationOptions

    /// Tells this question and everything that its answer depends on from all others: 16 hexadecimal digits.
    func fingerprint(model: String) -> String {
        let sampler = options.sampler
        let parts = [
            model, question, "\(options.maximumTokens)", "\(sampler.temperature)", "\(sampler.topK)", "\(sampler.topP)",
            "\(sampler.minP)", "\(sampler.repetitionPenalty)", "\(sampler.seed)",
        ]
        // Lengths keep the parts apart: no two lists of texts give the same bytes.
        let bytes = (parts + images).flatMap { Array("\($0.utf8.count):\($0)".utf8) }
        return String(SHA256Digest(of: bytes).hexadecimal.prefix(16))
    }
}

enum BatchQuestions {
    private static let fields = ["id", "question", "image", "images"]
    private static let sampling = SettingKey.all.filter { $0.table == "sampling" }

    /// All questions of a file, or of the standard input for "-".
    ///
    /// - Parameter settings: what a line does not say itself.
    static func read(path: String, settings: Settings) throws -> [BatchQuestion] {
        let file = URL(fileURLWithPath: path == "-" ? "." : path)
        let text: String
        if path == "-" {
            text = try TextInput.all()
        } else {
            do {
                text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            } catch {
                throw CommandFailure(.failure, "cannot read the questions \(path): \(error.localizedDescription)")
            }
        }
        let folder = path == "-" ? nil : path.lastIndex(of: "/").map { String(path[...$0]) }
        var questions: [BatchQuestion] = []
        for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = String(line)
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            let place = "\(path == "-" ? "standard input" : path):\(index + 1)"
            questions.append(try question(line, at: place, folder: folder ?? "", settings: settings))
        }
        guard !questions.isEmpty else {
            throw CommandFailure(.usage, "\(path) holds no question. Write one object a line: {\"question\": \"…\"}")
        }
        return questions
    }

    static func question(
        _ line: String, at place: String, folder: String, settings: Settings
    ) throws(CommandFailure) -> BatchQuestion {
        func wrong(_ what: String) -> CommandFailure { CommandFailure(.usage, "\(place): \(what)") }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)),
            case .object(let object) = value
        else { throw wrong("this is not a JSON object on one line.") }
        var settings = settings
        for (name, value) in object.sorted(by: { $0.key < $1.key }) where !fields.contains(name) && value != .null {
            let known = sampling.map { $0.name.replacing("-", with: "_") }
            guard let index = known.firstIndex(of: name) else {
                let near = nearestWord(to: name, among: fields + known).map { " Did you mean '\($0)'?" } ?? ""
                throw wrong("there is no field '\(name)'.\(near)")
            }
            guard sampling[index].form.store(value.setting, &settings) else {
                throw wrong("\(name) must be \(sampling[index].form.wanted). It is \(value.setting.text).")
            }
        }
        guard case .text(let question)? = object["question"], question.contains(where: { !$0.isWhitespace }) else {
            throw wrong("the field 'question' must be a text that is not empty.")
        }
        return BatchQuestion(
            id: try id(object["id"], wrong), question: question,
            images: try images(object, folder: folder, place, wrong),
            options: settings.generation)
    }

    private static func id(
        _ value: JSONValue?, _ wrong: (String) -> CommandFailure
    ) throws(CommandFailure) -> JSONValue? {
        switch value {
        case nil, .null: nil
        case .text, .integer, .large, .number: value
        default: throw wrong("the field 'id' must be a text or a number.")
        }
    }

    private static func images(
        _ object: [String: JSONValue], folder: String, _ place: String, _ wrong: (String) -> CommandFailure
    ) throws(CommandFailure) -> [String] {
        var names: [String] = []
        switch (object["image"] ?? .null, object["images"] ?? .null) {
        case (.null, .null): return []
        case (.text(let name), .null): names = [name]
        case (.null, .list(let values)):
            for value in values {
                guard case .text(let name) = value else { throw wrong("the field 'images' must be a list of paths.") }
                names.append(name)
            }
        case (.null, _): throw wrong("the field 'images' must be a list of paths.")
        case (_, .null): throw wrong("the field 'image' must be a path.")
        default: throw wrong("give one of the fields 'image' and 'images'.")
        }
        return try names.map { name throws(CommandFailure) in
            let path = name.hasPrefix("/") ? name : folder + name
            guard !name.isEmpty, access(path, R_OK) == 0 else {
                throw CommandFailure(.image, "\(place): there is no picture \(path) that can be read.")
            }
            return path
        }
    }
}
