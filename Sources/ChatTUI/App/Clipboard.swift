// Clipboard.swift — a text into the clipboard: through the terminal (OSC 52), and a clipboard program where one is.

import Foundation
import Glibc

/// What was done with a copy, in words that claim no more than is known.
enum Clipboard {
    /// Base64 characters that every terminal known to take OSC 52 takes in one piece.
    static let longestSequence = 100_000

    /// The bytes that ask a terminal to take `text`; nil when it is too long to be asked for.
    ///
    /// - Parameter isInTmux: asks tmux itself as well, and through it the terminal outside; what it does not allow it
    ///   drops.
    static func sequence(for text: String, isInTmux: Bool) -> [UInt8]? {
        let encoded = Data(text.utf8).base64EncodedString()
        guard encoded.utf8.count <= longestSequence else { return nil }
        let plain = "\u{1B}]52;c;\(encoded)\u{07}"
        guard isInTmux else { return Array(plain.utf8) }
        let passed = "\u{1B}Ptmux;" + plain.replacing("\u{1B}", with: "\u{1B}\u{1B}") + "\u{1B}\\"
        return Array((plain + passed).utf8)
    }

    /// The clipboard program for this session's display, when PATH has one.
    static func program(environment: [String: String]) -> [String]? {
        func has(_ name: String) -> Bool { isInPath(name, environment["PATH"] ?? "") }
        func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }
        if isSet("WAYLAND_DISPLAY"), has("wl-copy") { return ["wl-copy"] }
        if isSet("DISPLAY"), has("xclip") { return ["xclip", "-selection", "clipboard"] }
        if isSet("DISPLAY"), has("xsel") { return ["xsel", "--clipboard", "--input"] }
        return nil
    }

    private static func isInPath(_ name: String, _ path: String) -> Bool {
        path.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    /// What to tell the user.
    ///
    /// - Parameters:
    ///   - sent: the terminal was asked.
    ///   - program: the clipboard program and why it failed, where there is one.
    static func report(what: String, sent: Bool, program: (name: String, failure: String?)?) -> String {
        switch (program, sent) {
        case ((let name, nil)?, _): "copied \(what) with \(name)"
        case ((let name, let failure?)?, true):
            "\(name) \(failure); sent to the terminal (OSC 52), which confirms nothing"
        case ((let name, let failure?)?, false): "\(name) \(failure), and \(what) is too long for the terminal"
        case (nil, true): "sent \(what) to the terminal (OSC 52), which confirms nothing"
        case (nil, false): "\(what) is too long for the terminal's clipboard; /export writes it to a file"
        }
    }

    /// Hands `text` to the program; blocks for at most two seconds. Returns why it failed.
    static func run(_ words: [String], text: String) -> String? {
        var ends: [Int32] = [0, 0]
        // A socket rather than a pipe: writing to one that nobody reads any more must not raise SIGPIPE.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            return "could not be given the text"
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let started = ChildProcess.start(words, input: ends[0], isSilent: true)
        close(ends[0])
        guard case .success(let child) = started else {
            close(ends[1])
            return "could not be started"
        }
        // A program that does not read must not keep us: after two seconds it is ended, and the write with it.
        let limit = DispatchWorkItem { child.send(SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 2, execute: limit)
        let isWritten = write(text, to: ends[1])
        close(ends[1])
        let ending = child.wait(milliseconds: 2500)
        limit.cancel()
        switch ending {
        case .status(0)? where isWritten: return nil
        case .status(let code)?: return "ended with code \(code)"
        case .signal?, .stopped?, nil: return "took too long"
        }
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}
