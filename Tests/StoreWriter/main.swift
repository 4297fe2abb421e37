// main.swift — writes conversations until somebody kills it, and says after each writing what is on the disk. Run by
// KillTests.

import ConversationStore
import Engine
import Foundation

let (path, seed) = (CommandLine.arguments[1], UInt64(CommandLine.arguments[2]) ?? 0)
var generator = SplitMix(state: seed)
var writer = Writer(path: path, seed: seed)
while true {
    writer.go(on: &generator)
    // A chat is slower still; what is written in a test must also be read in it.
    usleep(.random(in: 0...3000, using: &generator))
}

/// A sequence of random numbers that a seed decides (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

struct Writer {
    let path: String
    let seed: UInt64
    var store: ConversationStore?
    var conversations: [ConversationID] = []
    var serial = 0

    /// One step: a turn, or something that takes turns away.
    mutating func go(on generator: inout SplitMix) {
        do {
            let store = try self.store ?? ConversationStore.open(path: path)
            self.store = store
            switch Int.random(in: 0..<10, using: &generator) {
            case 0 where conversations.count > 2:
                let id = conversations.removeFirst()
                say("deleting \(id)")
                try store.delete([id])
                say("deleted \(id)")
            case 1 where !conversations.isEmpty:
                let (id, first) = (conversations[0], Int.random(in: 0..<3, using: &generator))
                say("cutting \(id) \(first)")
                try store.removeTurns(of: id, from: first)
                say("cut \(id) \(first)")
            default: try writeTurn(to: store, &generator)
            }
        } catch {
            say("error \(error)")
        }
    }

    private mutating func writeTurn(to store: ConversationStore, _ generator: inout SplitMix) throws {
        serial += 1
        let name = "\(seed)-\(serial)"
        let question = NewTurn(question: "question \(name)", settings: ConversationSettings())
        let turn: TurnReference
        if let id = conversations.last, Bool.random(using: &generator) {
            turn = try store.beginTurn(question, in: id)
        } else {
            let file = ModelIdentity.File(path: "/model", byteCount: 1, digest: SHA256Digest(of: [1]))
            let model = ModelIdentity(name: "model", target: file, vision: nil)
            turn = try store.begin(NewConversation(model: model, settings: ConversationSettings()), with: question)
            conversations.append(turn.conversation)
        }
        var progress = TurnProgress()
        say("turn \(turn.conversation) \(turn.number) \(name) 0 streaming")
        for index in 0..<Int.random(in: 1..<12, using: &generator) {
            progress.add(round(index), text: "\(name)w\(index) ")
            try store.update(turn, progress)
            progress.rounds = []
            say("turn \(turn.conversation) \(turn.number) \(name) \(index + 1) streaming")
        }
        try store.finish(turn, progress, .complete)
        say("turn \(turn.conversation) \(turn.number) \(name) \(progress.tokens.count) complete")
    }

    private func round(_ index: Int) -> SpeculationRound {
        let piece = TokenPiece(bytes: [97], isControl: false)
        return SpeculationRound(
            index: index, position: index, tree: DraftTree(root: 1), accepted: [], bonus: Int32(index),
            pieces: [piece, piece], draftPasses: 0,
            budget: BudgetChoice(nodes: 1, expectedTokens: 1, reason: "plain: a tree would not pay"),
            seconds: .init(draft: 0, verify: 0.001, choose: 0))
    }

    /// Tells the test what is certain from now on. In one write, so that no half of a line says something else.
    private func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        if write(STDOUT_FILENO, bytes, bytes.count) != bytes.count { exit(1) }
    }
}
