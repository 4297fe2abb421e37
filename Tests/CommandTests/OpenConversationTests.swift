// OpenConversationTests.swift — two programs that go on with the same conversation.

import Foundation
import Testing

/// A chat line by line, held open for as long as it is.
private final class HeldChat {
    private let process = Process()
    private let input = Pipe()

    init(_ arguments: [String], home: String) throws {
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = arguments
        process.environment = Program.environment.merging(["XDG_DATA_HOME": home]) { $1 }
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func ask(_ question: String) { input.fileHandleForWriting.write(Data((question + "\n").utf8)) }

    func end() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

@Suite struct `Two chats in one conversation` {
    private let home = Program.temporary("data")
    private var chat: [String] { ["chat"] + Program.model + ["--draft", "none", "--max-tokens", "4"] }

    /// The questions of every conversation whose answers have ended, by its id.
    private func stored() throws -> [String: [String]] {
        let list = try Program.run(["sessions", "list", "--json"], environment: ["XDG_DATA_HOME": home])
        let entries = try? JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]]
        var questions: [String: [String]] = [:]
        for id in (entries ?? []).compactMap({ $0["id"] as? String }) {
            let show = try Program.run(["sessions", "show", id, "--json"], environment: ["XDG_DATA_HOME": home])
            let turns = try show.json()["turns"] as? [[String: Any]] ?? []
            questions[id] = turns.filter { $0["state"] as? String != "broken" }.compactMap { $0["question"] as? String }
        }
        return questions
    }

    private func wait(for questions: [String]) throws -> String {
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            if let found = try stored().first(where: { $0.value == questions }) { return found.key }
            usleep(50_000)
        }
        Issue.record("\(questions) were not saved: \(try stored())")
        return ""
    }

    private func goOn(_ id: String, _ question: String) throws -> ProgramResult {
        try Program.run(chat + ["--resume", id], input: question + "\n", environment: ["XDG_DATA_HOME": home])
    }

    @Test func `do not interleave: the second goes on in a copy and says so, until the first is gone`() throws {
        defer { try? FileManager.default.removeItem(atPath: home) }
        let first = try HeldChat(chat, home: home)
        defer { first.end() }
        first.ask("Hello?")
        let id = try wait(for: ["Hello?"])
        let second = try goOn(id, "And?")
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("\(id) is open in another specchat, so this one goes on with a copy of it: "))
        first.ask("Again?")
        #expect(try wait(for: ["Hello?", "Again?"]) == id)
        #expect(try stored().filter { $0.key != id }.map(\.value) == [["Hello?", "And?"]])
        // Killed, the first has nothing open any more.
        first.end()
        let third = try goOn(id, "Third?")
        #expect(third.status == 0 && !third.errors.contains("copy"), "\(third.errors)")
        #expect(try stored()[id] == ["Hello?", "Again?", "Third?"])
        #expect(try stored().count == 2)
    }
}
