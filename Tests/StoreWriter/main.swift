// main.swift — holds conversations until somebody kills it, and says after every round what must be there from then on.
// Run by KillTests; with `time N` instead of a seed it says what it costs to keep a round, for N rounds.

import ConversationStore
import Engine
import Foundation
import Synchronization

let path = CommandLine.arguments[1]
if CommandLine.arguments[2] == "time" {
    timeRounds(Int(CommandLine.arguments[3]) ?? 1000, path: path)
    exit(0)
}
let seed = UInt64(CommandLine.arguments[2]) ?? 0
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
    let store: StoreOnce
    let recorder: ConversationRecorder
    var conversations: [ConversationID] = []
    /// Of the last conversation.
    var turns = 0
    var serial = 0

    init(path: String, seed: UInt64) {
        (self.path, self.seed) = (path, seed)
        let store = StoreOnce(path: path)
        self.store = store
        recorder = ConversationRecorder(open: { () throws(StoreError) in try store.open() }, notify: { _ in })
    }

    /// One step: a turn, or something that takes turns away.
    mutating func go(on generator: inout SplitMix) {
        do {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0 where conversations.count > 2 && recorder.flush():
                let id = conversations.removeFirst()
                say("deleting \(id)")
                try store.open().delete([id])
                say("deleted \(id)")
            case 1 where conversations.count > 1 && recorder.flush():
                let (id, first) = (conversations[0], Int.random(in: 0..<3, using: &generator))
                say("cutting \(id) \(first)")
                try store.open().removeTurns(of: id, from: first)
                say("cut \(id) \(first)")
            default: writeTurn(&generator)
            }
        } catch {
            say("error \(error)")
        }
    }

    private mutating func writeTurn(_ generator: inout SplitMix) {
        serial += 1
        let name = "\(seed)-\(serial)"
        if conversations.isEmpty || Bool.random(using: &generator) {
            turns = 0
            recorder.begin { () throws(StoreError) in
                let file = ModelIdentity.File(path: "/model", byteCount: 1, digest: SHA256Digest(of: [1]))
                let model = ModelIdentity(name: "model", target: file, vision: nil)
                return NewConversation(model: model, settings: ConversationSettings())
            }
        }
        recorder.beginTurn(NewTurn(question: "question \(name)", settings: ConversationSettings()))
        recorder.awaitQuestion(atMost: 60)
        let number = turns
        turns += 1
        func tell(_ rounds: Int, _ state: String) {
            switch recorder.status {
            case .saved:
                guard let id = recorder.conversation else { return say("error the question is nowhere") }
                if conversations.last != id { conversations.append(id) }
                say("turn \(id) \(number) \(name) \(rounds) \(state)")
            case .waiting(let error), .ended(let error): say("error \(error)")
            }
        }
        tell(0, "streaming")
        let rounds = Int.random(in: 1..<12, using: &generator)
        for index in 0..<rounds {
            recorder.record(.round(round(index), text: "\(name)w\(index) "))
            tell(index + 1, "streaming")
            // Some answers are faster than the store, some slower.
            if Int.random(in: 0..<4, using: &generator) == 0 { usleep(.random(in: 0...20_000, using: &generator)) }
        }
        recorder.endTurn(.complete)
        tell(rounds, "complete")
        if Bool.random(using: &generator) { recorder.flush() }
    }

    func round(_ index: Int) -> SpeculationRound {
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

/// The store, opened when it is first needed.
final class StoreOnce: Sendable {
    private let path: String
    private let store = Mutex<ConversationStore?>(nil)

    init(path: String) { self.path = path }

    func open() throws(StoreError) -> ConversationStore {
        try store.withLock { store throws(StoreError) in
            if let store { return store }
            let opened = try ConversationStore.open(path: path)
            store = opened
            return opened
        }
    }
}

/// Records an answer of so many rounds, one a millisecond, and says how long the calls took.
func timeRounds(_ count: Int, path: String) {
    let writer = Writer(path: path, seed: 0)
    writer.recorder.begin { () throws(StoreError) in
        let file = ModelIdentity.File(path: "/model", byteCount: 1, digest: SHA256Digest(of: [1]))
        let model = ModelIdentity(name: "model", target: file, vision: nil)
        return NewConversation(model: model, settings: ConversationSettings())
    }
    writer.recorder.beginTurn(NewTurn(question: "How long?", settings: ConversationSettings()))
    writer.recorder.awaitQuestion(atMost: 60)
    let clock = ContinuousClock()
    var times: [Duration] = []
    for index in 0..<count {
        let round = writer.round(index)
        times.append(clock.measure { writer.recorder.record(.round(round, text: "a few words ")) })
        usleep(1000)
    }
    times.sort()
    print("\(count) rounds: median \(times[count / 2]), 99 of 100 within \(times[count * 99 / 100])")
    writer.recorder.endTurn(.complete)
    if !writer.recorder.flush() { exit(1) }
}
