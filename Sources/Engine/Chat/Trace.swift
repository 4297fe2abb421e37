// Trace.swift — rounds as JSON lines: written by `--trace`, shown again by `specchat replay` with no model.

import Foundation

/// The first line of a trace: what was decoded, and how.
public struct TraceHeader: Sendable, Equatable, Codable {
    /// Version of the format; 1.
    public var specchatTrace = 1
    public var model: String
    public var draft: String?
    public var question: String
    public var image: String?
    public var speculation: SpeculationPolicy
    public var sampler: SamplerOptions

    public init(
        model: String, draft: String?, question: String, image: String?, speculation: SpeculationPolicy,
        sampler: SamplerOptions
    ) {
        self.model = model
        self.draft = draft
        self.question = question
        self.image = image
        self.speculation = speculation
        self.sampler = sampler
    }
}

public enum TraceError: Error, Equatable, CustomStringConvertible {
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    case notATrace(path: String)
    case badLine(path: String, line: Int)

    public var description: String {
        switch self {
        case .cannotWrite(let path, let reason):
            "cannot write the trace \(path): \(reason). Choose another place with --trace."
        case .cannotRead(let path, let reason):
            "cannot read the trace \(path): \(reason)."
        case .notATrace(let path):
            "\(path) is not a trace of specchat. `specchat ask --trace FILE` writes one."
        case .badLine(let path, let line):
            "\(path) is damaged at line \(line). Write it anew with `specchat ask --trace FILE`."
        }
    }
}

/// Appends rounds to a file, a line each, as they happen.
public final class TraceWriter {
    private let path: String
    private let file: FileHandle
    private let encoder = Trace.encoder

    /// Creates or empties the file, so that a place that cannot be written is found before any work is done.
    public init(path: String) throws(TraceError) {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    public func write(_ header: TraceHeader) throws(TraceError) { try append(header) }
    public func write(_ round: SpeculationRound) throws(TraceError) { try append(round) }

    private func append(_ value: some Encodable) throws(TraceError) {
        do {
            try file.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
        } catch {
            throw .cannotWrite(path: path, reason: systemReason(error))
        }
    }
}

/// A trace read back.
public struct Trace: Sendable, Equatable {
    /// One question with its rounds; a chat's trace has one for each answer.
    public struct Answer: Sendable, Equatable {
        public let header: TraceHeader
        public let rounds: [SpeculationRound]
    }
    public let answers: [Answer]

    /// Reads a trace and checks that every round is sound, so that the screen can trust it.
    public static func read(path: String) throws(TraceError) -> Trace {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .cannotRead(path: path, reason: systemReason(error))
        }
        var answers: [Answer] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            if let header = try? decoder.decode(TraceHeader.self, from: line), header.specchatTrace == 1 {
                answers.append(Answer(header: header, rounds: []))
            } else if answers.isEmpty {
                throw .notATrace(path: path)
            } else if let round = round(from: line) {
                let answer = answers.removeLast()
                answers.append(Answer(header: answer.header, rounds: answer.rounds + [round]))
            } else {
                throw .badLine(path: path, line: index + 1)
            }
        }
        guard !answers.isEmpty else { throw .notATrace(path: path) }
        return Trace(answers: answers)
    }

    /// A line of a trace, without its end: what begins an answer.
    public static func line(_ header: TraceHeader) throws -> String {
        String(decoding: try encoder.encode(header), as: UTF8.self)
    }

    /// The same for one of its rounds.
    public static func line(_ round: SpeculationRound) throws -> String {
        String(decoding: try encoder.encode(round), as: UTF8.self)
    }

    /// The round that a line holds; absent where it holds none that is sound.
    public static func round(from line: String) -> SpeculationRound? { round(from: Data(line.utf8)) }

    private static func round(from line: Data) -> SpeculationRound? {
        guard let round = try? decoder.decode(SpeculationRound.self, from: line), round.isSound else { return nil }
        return round
    }

    fileprivate static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}

extension SpeculationRound {
    /// True when indices point where they may: a round from a file is not believed.
    var isSound: Bool {
        guard tree.isSound, pieces.count == tree.count + 1 else { return false }
        guard inspection?.isSound(nodes: tree.count) ?? true else { return false }
        var node = 0
        for next in accepted {
            guard tree.nodes.indices.contains(next), tree.nodes[next].parent == node else { return false }
            node = next
        }
        return true
    }
}

extension DraftTree {
    /// True when there is a root, parents precede children, and depths follow parents.
    var isSound: Bool {
        guard let root = nodes.first, root.parent == nil, root.depth == 0 else { return false }
        return nodes.indices.dropFirst().allSatisfy { index in
            guard let parent = nodes[index].parent, (0..<index).contains(parent) else { return false }
            return nodes[index].depth == nodes[parent].depth + 1 && nodes[index].depth >= nodes[index - 1].depth
        }
    }
}
