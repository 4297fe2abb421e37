import Foundation
import Synchronization
import Testing

@testable import Engine

/// The demo model with prompts of a family that is not its own: what it says does not matter here, only where it stands.
private func models(_ template: ChatTemplate) throws -> LoadedModels {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Assets/demo")
    var options = EngineOptions()
    (options.threads, options.contextLength, options.template) = (1, 256, template)
    let bundle = try ModelBundle.open(model: folder.path, mmproj: nil, draft: nil, draftProjector: nil)
    return try LoadedModels(bundle: bundle, options: options, emit: { _ in }, cancellation: Cancellation())
}

private func ask(_ question: String, _ conversation: Conversation) throws -> GenerationReport {
    var (options, report) = (GenerationOptions(), GenerationReport?.none)
    (options.sampler.temperature, options.maximumTokens) = (0, 24)
    try conversation.ask(
        question, options: options, emit: { if case .finished(let finished) = $0 { report = finished } },
        cancellation: Cancellation())
    return try #require(report)
}

@Suite struct `A conversation in another family's words` {
    @Test(arguments: [ChatTemplate.llavaHF, .vicunaV1, .llama2, .zephyr])
    func `holds what the template says, and goes on from a store as it would have gone on`(
        template: ChatTemplate
    ) throws {
        let models = try models(template)
        let conversation = Conversation(models: models)
        let first = try ask("Hello!", conversation)
        #expect(models.template == template && first.finish == .stop && first.tokens.last == 2)
        let second = try ask("How are you?", conversation)
        let opening = models.tokenizer.encode(
            template.opening() + template.question("Hello!", isFirst: true, pictures: 0))
        let between = models.tokenizer.encode(
            template.answerEndAfterStop() + template.question("How are you?", isFirst: false, pictures: 0))
        let kept = first.tokens.count - (template.keepsStop ? 0 : 1)
        #expect(first.promptTokens == opening.count)
        #expect(second.promptTokens == opening.count + kept + between.count)

        let restored = Conversation(models: models)
        let past = PastTurn(images: [], question: "Hello!", answer: first.tokens)
        try restored.restore([past], emit: { _ in }, cancellation: Cancellation())
        let again = try ask("How are you?", restored)
        #expect(again.tokens == second.tokens && again.promptTokens == second.promptTokens)
        try restored.rewind(toTurn: 1, keepingPictures: false)
        #expect(try ask("How are you?", restored).tokens == second.tokens)
    }

    @Test func `a template that fits no family is named in a notice, and none where the user names one`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "specchat-\(UUID().uuidString).gguf")
        defer { try? FileManager.default.removeItem(at: file) }
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/tied/language.gguf")
        var bytes = try Data(contentsOf: golden)
        for word in ["USER: ", "ASSISTANT:"] {
            while let place = bytes.range(of: Data(word.utf8)) { bytes[place.lowerBound] = UInt8(ascii: "x") }
        }
        try bytes.write(to: file)
        func load(_ template: ChatTemplate?) throws -> (ChatTemplate, [String]) {
            var options = EngineOptions()
            (options.threads, options.template) = (1, template)
            let bundle = try ModelBundle.open(model: file.path, mmproj: nil, draft: nil, draftProjector: nil)
            let notices = Mutex<[String]>([])
            let models = try LoadedModels(
                bundle: bundle, options: options,
                emit: { event in if case .notice(let notice) = event { notices.withLock { $0.append(notice.text) } } },
                cancellation: Cancellation())
            return (models.template, notices.withLock { $0 })
        }
        let (fallback, notices) = try load(nil)
        #expect(fallback == .vicunaV1 && notices.count == 1)
        #expect(notices[0].contains("fits no family of prompts that is known here; going on with vicuna_v1"))
        #expect(notices[0].contains("--template chooses another: vicuna_v1, llava_v1, llava_hf"))
        #expect(try load(.chatML) == (.chatML, []))
    }
}
