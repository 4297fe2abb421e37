import Testing

@testable import Engine

@Suite struct `Models against transformers` {
    @Test(arguments: Golden.all + Golden.folders)
    func `logits and greedy tokens of a text`(name: String) throws {
        let golden = try Golden(name)
        let model = try LanguageModel(
            LanguageCheckpoint(path: golden.language), backend: ReferenceBackend())
        let prompt = golden.text.idsBefore + golden.text.idsAfter
        let cache = model.makeCache(capacity: 128)
        let (pass, hidden) = model.forward(.tokens(prompt), plan: .text(rows: prompt.count, after: 0), cache: cache)
        let logits = try pass.read(model.logits(of: hidden, in: pass))
        let compared = Array(logits[golden.text.logitsFirstPosition * model.configuration.vocabulary..<logits.count])
        #expect(try relativeDifference(compared, golden.array("text.logits")) < 1e-4)
    }

    @Test(arguments: Golden.all + Golden.folders)
    func `features, visual tokens and logits of a picture`(name: String) throws {
        let golden = try Golden(name)
        let backend = ReferenceBackend()
        let checkpoint = try VisionCheckpoint(path: golden.vision)
        let tower = try VisionTower(checkpoint, backend: backend)
        let pixels = try golden.array("pixels.\(golden.preprocessing)")
        let patches = Self.patches(
            of: pixels, size: tower.configuration.imageSize, patch: tower.configuration.patchSize)
        var blocks: [Int] = []
        let features = try tower.encode(patches: patches) { done, _ in blocks.append(done) }
        #expect(blocks == Array(1...tower.configuration.blocks))
        let reading = backend.begin(.vision(rows: 1))
        #expect(try relativeDifference(reading.read(features), golden.array("features")) < 1e-4)
        let visualTokens = try Projector(checkpoint.projector, backend: backend).project(features)
        #expect(try relativeDifference(reading.read(visualTokens), golden.array("visual_tokens")) < 1e-4)

        let model = try LanguageModel(LanguageCheckpoint(path: golden.language), backend: backend)
        let cache = model.makeCache(capacity: 256)
        let feed = PromptFeed(target: model, cache: cache, drafter: nil)
        feed.append(.tokens(golden.picture.idsBefore))
        feed.append(.picture(visualTokens: visualTokens, features: features))
        try feed.read(holdingBack: 0) { _, _ in }
        #expect(cache.committed == golden.picture.positions - golden.picture.idsAfter.count)
        let after = golden.picture.idsAfter + golden.picture.greedy.dropLast()
        let plan = ForwardPlan.text(rows: after.count, after: cache.committed)
        let (pass, hidden) = model.forward(.tokens(after), plan: plan, cache: cache)
        let logits = model.logits(of: hidden, in: pass)
        let choices = try pass.argmax(logits)
        #expect(Array(choices.suffix(golden.picture.greedy.count)) == golden.picture.greedy)
        let numbers = try pass.read(logits)
        let first = (golden.picture.logitsFirstPosition - cache.committed) * logits.columns
        let last = golden.picture.idsAfter.count * logits.columns
        #expect(try relativeDifference(Array(numbers[first..<last]), golden.array("picture.logits")) < 1e-4)
    }

    /// From [3, size, size] to rows of [3 · patch · patch].
    private static func patches(of pixels: [Float], size: Int, patch: Int) -> [Float] {
        let side = size / patch
        var patches: [Float] = []
        for row in 0..<side {
            for column in 0..<side {
                for channel in 0..<3 {
                    for y in 0..<patch {
                        let start = (channel * size + row * patch + y) * size + column * patch
                        patches += pixels[start..<start + patch]
                    }
                }
            }
        }
        return patches
    }
}
