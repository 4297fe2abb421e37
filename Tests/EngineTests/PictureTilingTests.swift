import Foundation
import Testing

@testable import Engine

@Suite struct `Pictures in tiles` {
    private static let side = 56
    private static let true16 = PictureTiling(
        sheets: [(2, 1), (1, 2), (2, 2), (1, 3), (3, 1)].map { .init(columns: $0.0, rows: $0.1) }, merge: .spatialUnpad)

    @Test func `are cut as LlavaNext's processor cuts them, byte for byte, in twenty sizes`() throws {
        let golden = try TiledGolden.open()
        #expect(golden.pictures.count == 20)
        let tiling = try #require(try VisionCheckpoint(path: TiledGolden.path("vision.gguf")).configuration.tiling)
        #expect(tiling == Self.true16)
        let preprocessor = ImagePreprocessor(size: Self.side, patch: 7, framing: .pad, tiling: tiling)
        for picture in golden.pictures {
            let image = TiledGolden.pattern(width: picture.width, height: picture.height)
            let squares = preprocessor.squares(of: image)
            #expect(squares.count == picture.squares, "\(picture.name)")
            #expect(
                SHA256Digest(of: squares.flatMap(\.pixels)).hexadecimal == picture.sha256, "\(picture.name)")
        }
    }

    @Test func `take as many rows as LlavaNext's processor says, at LLaVA-1.6's own size too`() throws {
        for picture in try TiledGolden.open().pictures {
            let small = Self.true16.layout(width: picture.width, height: picture.height, side: Self.side, patches: 8)
            #expect(small.count == picture.tokens && small.squares == picture.squares, "\(picture.name)")
            let large = Self.true16.layout(
                width: 6 * picture.width, height: 6 * picture.height, side: 336, patches: 24)
            #expect(large.count == picture.tokensOfTrueSize, "\(picture.name)")
        }
    }

    @Test(arguments: [("cpu", "vision.gguf"), ("reference", "vision.gguf"), ("cpu", "model")])
    func `become LlavaNext's visual tokens in its order, in twenty sizes`(backend: String, file: String) throws {
        let golden = try TiledGolden.open()
        let backend: any Backend = backend == "cpu" ? try CPUBackend(threads: 2) : ReferenceBackend()
        let seer = try Seer(backend, file)
        for picture in golden.pictures {
            let seen = try seer.see(TiledGolden.pattern(width: picture.width, height: picture.height))
            let columns = seen.columns
            let marks = (0..<seen.numbers.count / columns).map { row in
                zip(seen.numbers[row * columns..<(row + 1) * columns], 0..<columns).reduce(0) { sum, next in
                    sum + next.0 * Float(cos(Double(next.1)))
                }
            }
            #expect(try relativeDifference(marks, golden.array("\(picture.name).marks")) < 1e-4, "\(picture.name)")
            let rows = picture.rows.flatMap { seen.numbers[$0 * columns..<($0 + 1) * columns] }
            #expect(try relativeDifference(rows, golden.array("\(picture.name).rows")) < 1e-4, "\(picture.name)")
        }
    }

    @Test(arguments: [("language.gguf", "vision.gguf"), ("model", "model")])
    func `lead to LlavaNext's logits`(language: String, vision: String) throws {
        let golden = try TiledGolden.open()
        let backend = try CPUBackend(threads: 2)
        let seen = try Seer(backend, vision).see(
            TiledGolden.pattern(width: golden.prompt.size[0], height: golden.prompt.size[1]))
        let model = try LanguageModel(LanguageCheckpoint(path: TiledGolden.path(language)), backend: backend)
        let cache = model.makeCache(capacity: 512)
        let feed = PromptFeed(target: model, cache: cache, drafter: nil)
        feed.append(.tokens(golden.prompt.before))
        feed.append(.picture(visualTokens: seen.tokens, features: seen.tokens))
        try feed.read(holdingBack: 0) { _, _ in }
        let plan = ForwardPlan.text(rows: golden.prompt.after.count, after: cache.committed)
        let (pass, hidden) = model.forward(.tokens(golden.prompt.after), plan: plan, cache: cache)
        let logits = try pass.read(model.logits(of: hidden, in: pass))
        #expect(try relativeDifference(logits, golden.array("logits")) < 1e-4)
    }

    @Test func `of a draft without line ends of its own stand where the target's stand`() throws {
        let backend = ReferenceBackend()
        let checkpoint = try VisionCheckpoint(path: TiledGolden.path("vision.gguf"))
        var configuration = checkpoint.configuration.projector
        configuration.hasLineEnd = false
        let draft = try Projector(
            ProjectorCheckpoint(configuration: configuration, tensors: checkpoint.tensors), backend: backend)
        let target = try Projector(checkpoint.projector, backend: backend)
        let pass = backend.begin(.vision(rows: 3))
        let width = configuration.inputs
        let features = pass.load(
            (0..<3 * width).map { $0 / width == 1 ? 0 : Float($0 % 7) - 3 }, columns: width)
        let (ours, its) = (try pass.read(target.project(features)), try pass.read(draft.project(features)))
        let columns = configuration.outputs
        #expect(ours.count == its.count)
        for row in 0..<3 {
            let range = row * columns..<(row + 1) * columns
            #expect((ours[range] == its[range]) == (row != 1), "row \(row)")
        }
    }

    @Test func `merged otherwise follow line by line or tile by tile`() {
        let sheet = [PictureTiling.Sheet(columns: 2, rows: 1)]
        let lines = PictureTiling(sheets: sheet, merge: .spatial).layout(width: 9, height: 1, side: 4, patches: 2)
        #expect(lines.order == [0, 1, 2, 3, 4, 5, 8, 9, 6, 7, 10, 11])
        let tiles = PictureTiling(sheets: sheet, merge: .flat).layout(width: 9, height: 1, side: 4, patches: 2)
        #expect(tiles.order == (0..<12).map { $0 })
        let covered = PictureTiling(sheets: sheet, merge: .spatialUnpad)
            .layout(width: 2, height: 2, side: 4, patches: 2)
        #expect(covered.order == [0, 1, 2, 3, 5, 8, nil, 7, 10, nil])
        #expect(covered.lineEnds == [6, 9])
    }

    @Test func `never need more than their sheet, however thin`() {
        for (width, height) in [(1, 30_000), (30_000, 1), (1, 1), (2, 29_999), (20_000, 20_000)] {
            let sheet = Self.true16.sheet(width: width, height: height, side: 336)
            let size = Self.true16.size(width: width, height: height, on: sheet, side: 336)
            #expect((1...sheet.columns * 336).contains(size.width) && (1...sheet.rows * 336).contains(size.height))
            let layout = Self.true16.layout(width: width, height: height, side: 336, patches: 24)
            let places = layout.order.compactMap { $0 }
            #expect(places.allSatisfy { (0..<layout.squares * 576).contains($0) })
            #expect(Set(places).count == places.count)
            #expect(places.prefix(576).elementsEqual(0..<576))
        }
    }

    /// The way of a picture through tower and projector, as `LoadedModels` goes it.
    private struct Seer {
        let backend: any Backend
        let tower: VisionTower
        let projector: Projector
        let preprocessor: ImagePreprocessor

        init(_ backend: any Backend, _ file: String) throws {
            let checkpoint = try VisionCheckpoint(path: TiledGolden.path(file))
            let sizes = checkpoint.configuration
            self.backend = backend
            tower = try VisionTower(checkpoint, backend: backend)
            projector = try Projector(checkpoint.projector, backend: backend)
            preprocessor = ImagePreprocessor(sizes, framing: nil)
        }

        func see(_ image: PixelImage) throws -> (tokens: any Matrix, numbers: [Float], columns: Int) {
            let squares = try preprocessor.squares(of: image).map { square in
                try tower.encode(patches: preprocessor.patches(ofSquare: square)) { _, _ in }
            }
            let layout = preprocessor.layout(width: image.width, height: image.height)
            let tokens = try projector.project(tower.pack(squares, as: layout))
            return (tokens, try backend.begin(.vision(rows: 1)).read(tokens), tokens.columns)
        }
    }
}

@Suite struct `A model that sees tiles` {
    /// Reads a stream to its end.
    private static func events(_ stream: EventStream) async throws -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for try await event in stream { events.append(event) }
        return events
    }

    private static func answer(
        _ engine: ChatEngine, _ policy: SpeculationPolicy = .off
    ) async throws -> GenerationReport {
        var options = GenerationOptions()
        (options.maximumTokens, options.speculation.policy) = (16, policy)
        guard case .finished(let report)? = try await events(engine.ask("What is it?", options: options)).last else {
            throw ChatError.badSetting("the stream ended without a report")
        }
        return report
    }

    @Test func `counts the rows of each picture, and answers the same with kept pictures and after going back`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiles-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var answers: [[Int32]] = []
        for pictures in [nil, PictureCacheOptions(folder: folder), PictureCacheOptions(folder: folder)] {
            let engine = try TiledGolden.engine(pictures: pictures)
            let wide = try await Self.events(engine.attach(TiledGolden.pattern(width: 112, height: 56)))
            #expect(wide.contains(.picture(PictureReading(width: 112, height: 56, tokens: 200, squares: 3))))
            let first = try await Self.answer(engine)
            // A second picture of another size in the same text, and back to before it.
            let large = TiledGolden.pattern(width: 100, height: 100)
            let events = try await Self.events(engine.attach(large))
            #expect(events.contains(.picture(PictureReading(width: 112, height: 112, tokens: 336, squares: 5))))
            let second = try await Self.answer(engine)
            #expect(second.promptTokens > first.promptTokens + 336)
            _ = try await Self.events(engine.rewind(toTurn: 1))
            _ = try await Self.events(engine.attach(large))
            #expect(try await Self.answer(engine).tokens == second.tokens)
            answers.append(first.tokens + [-1] + second.tokens)
        }
        #expect(answers[1] == answers[0] && answers[2] == answers[0])
    }

    @Test func `and its draft sees the same tiles`() async throws {
        let image = TiledGolden.pattern(width: 200, height: 333)
        var reports: [GenerationReport] = []
        for policy in [SpeculationPolicy.off, .chain, .dynamic] {
            let engine = try TiledGolden.engine(isDrafting: true)
            _ = try await Self.events(engine.attach(image))
            reports.append(try await Self.answer(engine, policy))
        }
        #expect(reports[1].tokens == reports[0].tokens && reports[2].tokens == reports[0].tokens)
        // A model that drafts for itself is always right, if it has read the same rows.
        #expect(reports[1].drafted > 0 && reports[1].accepted == reports[1].drafted)
    }

    @Test func `can be restored from the store with its pictures`() async throws {
        let engine = try TiledGolden.engine()
        let image = TiledGolden.pattern(width: 333, height: 200)
        _ = try await Self.events(engine.attach(image))
        let first = try await Self.answer(engine)
        let second = try await Self.answer(engine)
        let restored = try TiledGolden.engine()
        let past = PastTurn(images: [image], question: "What is it?", answer: first.tokens)
        _ = try await Self.events(restored.restore([past]))
        #expect(try await Self.answer(restored).tokens == second.tokens)
    }

    @Test func `tells its progress over all squares`() async throws {
        let engine = try TiledGolden.engine()
        let events = try await Self.events(engine.attach(TiledGolden.pattern(width: 100, height: 100)))
        let steps = events.compactMap { event -> Engine.Progress? in
            if case .progress(let progress) = event, progress.phase == .encodingImage { progress } else { nil }
        }
        // Five squares through two blocks each.
        #expect(steps.map(\.completed) == Array(1...10))
        #expect(steps.allSatisfy { $0.total == 10 })
    }

    @Test func `says what does not fit before anything is encoded`() async throws {
        let engine = try TiledGolden.engine(context: 300)
        await #expect(throws: ChatError.self) {
            _ = try await Self.events(engine.attach(TiledGolden.pattern(width: 100, height: 100)))
        }
        let small = try await Self.events(engine.attach(TiledGolden.pattern(width: 500, height: 20)))
        #expect(small.contains(.picture(PictureReading(width: 168, height: 56, tokens: 64, squares: 4))))
    }
}
