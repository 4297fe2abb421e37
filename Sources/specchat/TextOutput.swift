// TextOutput.swift — the standard streams: every write checked, nothing in them that a terminal would obey.

import Engine
import Foundation

/// A stream that text goes to.
struct TextOutput: Sendable {
    static let standard = TextOutput(descriptor: STDOUT_FILENO, name: "the standard output")
    static let errors = TextOutput(descriptor: STDERR_FILENO, name: "the standard error output")

    let descriptor: Int32
    let name: String

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes all of `text`, unbuffered: what an interruption leaves behind is all that was generated before it.
    func write(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if written < 0 && errno == EPIPE {
                // The reader has what it wanted. Ends as other tools do, also where the caller has SIGPIPE ignored.
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
            } else if written < 0 && errno != EINTR {
                throw CommandFailure(.failure, "cannot write to \(name): \(String(cString: strerror(errno))).")
            }
        }
    }

    func line(_ text: String) throws { try write(text + "\n") }

    /// Says something beside the answer. When even that cannot be written there is nobody left to tell.
    static func complain(_ text: String) { try? errors.line("specchat: \(harmless(text))") }

    /// Fills the places of closed standard streams, so that no file opened later stands where a stream belongs.
    ///
    /// What fills them cannot be written to: an answer for a closed output then fails as such, instead of going into
    /// the trace that happened to get its number.
    static func fillClosedStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDONLY)
        }
    }
}

/// The standard input as one text; bytes that are not UTF-8 become replacement characters.
enum TextInput {
    static func all(upTo limit: Int = 1 << 30) throws -> String {
        do {
            let data = try FileHandle.standardInput.read(upToCount: limit + 1) ?? Data()
            guard data.count <= limit else {
                throw CommandFailure(
                    .usage, "the standard input is longer than the \(limit >> 20) MiB that can be read. Shorten it.")
            }
            return String(decoding: data, as: UTF8.self)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.failure, "cannot read the standard input: \(error.localizedDescription).")
        }
    }

    /// `argument`, or the standard input where it is "-", without the line end that closes it.
    static func text(of argument: String) throws -> String {
        guard argument == "-" else { return argument }
        let text = try all()
        return text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
