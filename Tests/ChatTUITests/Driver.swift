// Driver.swift — a chat driven event by event, and the conversations that the suites let it have.

import Foundation

@testable import ChatTUI
@testable import ConversationStore
@testable import Engine

/// A chat driven event by event, with the effects that it asked for.
struct Driver {
    var state = AppState()
    var now = 0.0
    var effects: [Effect] = []

    static func loaded() -> Driver {
        var driver = Driver()
        driver.effects = driver.state.enqueue(.load)
        driver.end()
        driver.effects = []
        return driver
    }

    mutating func send(_ event: AppEvent) {
        now += 0.01
        effects += reduce(&state, event, at: now)
    }

    mutating func press(_ keys: Key...) { keys.forEach { send(.input(.key($0))) } }

    mutating func type(_ text: String) { text.forEach { press(.character($0)) } }

    mutating func ask(_ question: String) {
        type(question)
        press(.enter)
    }

    /// The running job comes to its end.
    mutating func end(failure: String? = nil) {
        send(.jobEnded(id: state.running?.id ?? -1, failure: failure))
    }

    var started: [Job.Kind] {
        effects.compactMap { if case .start(let job) = $0 { job.kind } else { nil } }
    }

    var transcript: [String] { state.turns.map(\.text) }
}

extension Driver {
    static func saved() -> Driver {
        var driver = Driver.loaded()
        driver.state.session.isSaved = true
        return driver
    }

    /// Asks, and lets the engine answer.
    mutating func talk(_ question: String, _ answer: String, finish: GenerationReport.FinishReason = .stop) {
        ask(question)
        reply(answer, finish: finish)
    }

    mutating func reply(_ answer: String, finish: GenerationReport.FinishReason = .stop) {
        send(.engine(.round(Samples.plain(index: 0), text: answer)))
        send(.engine(.finished(Samples.report(text: answer, finish: finish))))
        end()
    }

    mutating func show(_ name: String, id: Int) {
        ask("/image \(name)")
        send(.pictureReady(Photo(name: name, image: Conversations.image, id: id), path: name))
        end()
    }

    mutating func forget() { effects = [] }
}

enum Conversations {
    static let image = PixelImage(
        width: 4, height: 2, pixels: [UInt8](repeating: 200, count: 24), source: .init(name: "a", width: 40, height: 20)
    )

    static func picture(_ path: String) -> SavedPicture {
        SavedPicture(path: path, digest: SHA256Digest(of: [1]), byteCount: 9, width: 40, height: 20, isKept: false)
    }

    static func saved(temperature: Float = 0.7, pictures: [String] = ["/photos/a.png"]) -> SavedConversation {
        var settings = ConversationSettings()
        (settings.sampler.temperature, settings.sampler.seed) = (temperature, 7)
        func turn(_ number: Int, _ question: String, _ answer: String, _ state: TurnState) -> SavedTurn {
            SavedTurn(
                number: number, asked: Date(timeIntervalSince1970: 0), question: question,
                pictures: number == 0 ? pictures.map(picture) : [], answer: answer, tokens: [1, 2], state: state,
                settings: settings, statistics: TurnStatistics(Samples.report(text: answer)))
        }
        let file = ModelIdentity.File(path: "/models/a.gguf", byteCount: 3, digest: SHA256Digest(of: [2]))
        return SavedConversation(
            id: ConversationID(saved: "k3f9td"), title: "What is it?", created: Date(timeIntervalSince1970: 0),
            updated: Date(timeIntervalSince1970: 0), model: ModelIdentity(name: "demo", target: file, vision: nil),
            template: nil, settings: settings,
            turns: [
                turn(0, "What is it?", "A cat.", .complete), turn(1, "And then?", "It sl", .broken),
            ])
    }
}
