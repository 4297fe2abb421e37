// Program.swift — the built program as its users meet it: arguments in, streams and a status out.

import Foundation
import Synchronization

/// What a run of the program left behind.
struct ProgramResult: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// Escape codes and other bytes that a pipe must never see.
    var hasControlCharacters: Bool {
        (output + errors).unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || $0.value == 0x7F }
    }

    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }
}

enum Program {
    /// The top of the repository.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The program that was built together with these tests.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("specchat").path

    /// A small random model with a vision tower, here with itself as the draft: every draft token is accepted.
    static let goldens = root.appendingPathComponent("Tests/EngineTests/Goldens/grouped")
    static let model = ["--model", goldens.path + "/language.gguf", "--mmproj", goldens.path + "/vision.gguf"]
    static let draft = ["--draft", goldens.path + "/language.gguf", "--draft-projector", goldens.path + "/vision.gguf"]
    static let picture = goldens.path + "/picture.png"

    /// The environment without anyone's settings or conversations: no variables of ours, no settings file, a home that
    /// goes with this test run.
    static let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPECCHAT_") }
        .merging(["SPECCHAT_CONFIG": "/dev/null", "SPECCHAT_PICTURE_CACHE": "0"]) { $1 }
        .merging(homeVariables(home)) { $1 }

    private static let home: String = {
        let folder = temporary("home")
        atexit { try? FileManager.default.removeItem(atPath: Program.home) }
        return folder
    }()

    /// Everything that the program saves goes below `folder`.
    static func homeVariables(_ folder: String) -> [String: String] {
        [
            "HOME": folder, "XDG_DATA_HOME": folder + "/data", "XDG_CONFIG_HOME": folder + "/config",
            "XDG_CACHE_HOME": folder + "/cache", "XDG_STATE_HOME": folder + "/state",
        ]
    }

    /// A fresh path for a file of this test run.
    static func temporary(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("specchat-\(UUID().uuidString)-\(name)").path
    }

    /// Runs the program to its end, or for `seconds` at most.
    ///
    /// - Parameters:
    ///   - input: what is written into its standard input, which is then closed; nil leaves it open.
    ///   - interrupt: sends this signal as soon as the first bytes of output are there.
    static func run(
        _ arguments: [String], input: String? = "", environment: [String: String] = [:], interrupt: Int32? = nil,
        seconds: Double = 60
    ) throws -> ProgramResult {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = Self.environment.merging(environment) { $1 }
        let (inputPipe, outputPipe, errorPipe) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (inputPipe, outputPipe, errorPipe)
        let output = Collector(outputPipe) { if let interrupt { kill(process.processIdentifier, interrupt) } }
        let errors = Collector(errorPipe) {}
        try process.run()
        if let input {
            inputPipe.fileHandleForWriting.write(Data(input.utf8))
            try inputPipe.fileHandleForWriting.close()
        }
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning && Date() < deadline { usleep(5_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return ProgramResult(status: process.terminationStatus, output: output.text(), errors: errors.text())
    }

    /// Runs the program through a shell, for what only a shell can arrange: closed streams, full disks, pipes.
    static func shell(_ line: String) throws -> ProgramResult {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line]
        process.environment = environment.merging(["SPECCHAT": path]) { $1 }
        let (outputPipe, errorPipe) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (outputPipe, errorPipe)
        let (output, errors) = (Collector(outputPipe) {}, Collector(errorPipe) {})
        try process.run()
        process.waitUntilExit()
        return ProgramResult(status: process.terminationStatus, output: output.text(), errors: errors.text())
    }
}

/// Reads a pipe on a thread of its own, so that neither side waits for the other.
private final class Collector: Sendable {
    private let data = Mutex(Data())
    private let ended = DispatchSemaphore(value: 0)

    init(_ pipe: Pipe, atFirst: @escaping @Sendable () -> Void) {
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread { [self] in
            var isFirst = true
            while case let piece = handle.availableData, !piece.isEmpty {
                data.withLock { $0 += piece }
                if isFirst { atFirst() }
                isFirst = false
            }
            ended.signal()
        }
    }

    func text() -> String {
        ended.wait()
        ended.signal()
        return String(decoding: data.withLock { $0 }, as: UTF8.self)
    }
}
