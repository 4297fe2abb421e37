// BatchAnswers.swift — the file of answers of `ask --batch`: a line for each question, gone on with after an interruption.

import Engine
import Foundation

/// One line of answers.
struct BatchAnswer: Encodable {
    enum Outcome {
        case answered(GenerationReport)
        case failed(String)
    }

    let index: Int
    let id: JSONValue?
    let fingerprint: String
    let outcome: Outcome

    enum CodingKeys: String, CodingKey { case index, id, fingerprint, finish, error }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(index, forKey: .index)
        try container.encode(id, forKey: .id)
        try container.encode(fingerprint, forKey: .fingerprint)
        switch outcome {
        case .answered(let report):
            try AnswerJSON(report: report).encode(to: encoder)
            try container.encode(report.finish, forKey: .finish)
        case .failed(let reason): try container.encode(reason, forKey: .error)
        }
    }
}

/// Where answers go: the standard output, or a file that only ever holds whole lines and is gone on with.
final class BatchAnswers {
    private let path: String?
    private let descriptor: Int32
    /// Questions whose answers are in the file already.
    let answered: Int

    /// What every line begins with, keys being in alphabetical order.
    private static let beginnings = ["{\"acceptance_length\":", "{\"error\":"]

    private struct Line: Decodable {
        let index: Int
        let fingerprint: String
    }

    /// Opens the file and holds its lines against the questions. It changes nothing unless all of them belong there.
    ///
    /// - Parameters:
    ///   - path: absent for the standard output.
    ///   - fingerprints: one for each question, in their order.
    init(path: String?, beginsAnew: Bool, fingerprints: [String]) throws(CommandFailure) {
        self.path = path
        guard let path else {
            (descriptor, answered) = (TextOutput.standard.descriptor, 0)
            return
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure(
                .failure, "\(path) is not a file. Without --out the answers go to the standard output.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandFailure(
                .failure, "\(path) is being written by another run. Wait for it, or name another --out.")
        }
        if beginsAnew {
            guard ftruncate(descriptor, 0) == 0 else { throw Self.failure(path) }
            answered = 0
            return
        }
        let data = FileManager.default.contents(atPath: path) ?? Data()
        let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lines = data[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        guard lines.count <= fingerprints.count else {
            throw CommandFailure(
                .usage,
                "\(path) holds \(lines.count) answers to \(fingerprints.count) questions. "
                    + "Name another --out, or add --force to begin anew.")
        }
        for (index, (bytes, fingerprint)) in zip(lines, fingerprints).enumerated() {
            let line = try? JSONDecoder().decode(Line.self, from: bytes)
            guard line?.index == index, line?.fingerprint == fingerprint else {
                throw Self.stranger(path, line: index + 1)
            }
        }
        // A line that a crash or a full disk has cut off. Anything else at the end is not ours to remove.
        let torn = String(decoding: data[end...], as: UTF8.self)
        guard Self.beginnings.contains(where: { $0.hasPrefix(torn) || torn.hasPrefix($0) }) else {
            throw Self.stranger(path, line: lines.count + 1)
        }
        guard ftruncate(descriptor, off_t(end)) == 0 else { throw Self.failure(path) }
        answered = lines.count
    }

    deinit { if path != nil { close(descriptor) } }

    /// Appends a line whole. When that fails, as on a full disk, what came of it is taken back.
    func append(_ answer: BatchAnswer) throws {
        let line = try JSONText.line(answer) + "\n"
        guard let path else { return try TextOutput.standard.write(line) }
        let end = lseek(descriptor, 0, SEEK_END)
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if errno != EINTR {
                let failure = Self.failure(path)
                _ = ftruncate(descriptor, end)
                throw failure
            }
        }
    }

    /// Brings everything to the disk.
    func sync() { if path != nil { fsync(descriptor) } }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.failure, "cannot write the answers \(path): \(String(cString: strerror(errno))).")
    }

    private static func stranger(_ path: String, line: Int) -> CommandFailure {
        CommandFailure(
            .usage,
            "\(path):\(line) is no answer to question \(line), or to the same with other settings. "
                + "Name another --out, or add --force to begin anew.")
    }
}
