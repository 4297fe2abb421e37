// Conversation.swift — one text that grows turn by turn: its cache, what waits to be read, and the answers.

/// A conversation with the loaded models. Lives on the decoding queue.
final class Conversation {
    let models: LoadedModels
    private let cache: KVCache
    private let drafters: LoadedModels.Drafters
    private var drafter: (any Drafter)? { drafters.all }
    private let answers: AnswerStore?
    private let feed: PromptFeed
    private let pieces: PieceTable
    private let memory: PictureMemory?
    /// Where an answer waits between its rounds.
    private let gate: RoundGate
    private var record: TextRecord
    /// The system prompt of the next conversation.
    private var system: String?
    /// Time spent since the last answer.
    private var spent = GenerationReport.Seconds()

    init(models: LoadedModels, gate: RoundGate = RoundGate()) {
        self.models = models
        self.gate = gate
        cache = models.target.makeCache(capacity: models.contextLength)
        answers = models.makeAnswerStore()
        pieces = PieceTable(models.tokenizer)
        drafters = models.makeDrafters(earlier: answers?.answers ?? [])
        feed = PromptFeed(target: models.target, cache: cache, drafter: drafters.all)
        memory = models.makePictureMemory()
        record = TextRecord(template: models.template, stopTokens: models.stopTokens, system: nil)
        spent.load = models.loadSeconds
    }

    var turns: [TurnRecord] { record.turns }

    func clear() {
        cache.truncate(to: 0)
        drafter?.clear()
        if let answers { drafters.lookup?.clear(earlier: answers.answers) }
        feed.clear()
        memory?.truncate(to: 0)
        record = TextRecord(template: models.template, stopTokens: models.stopTokens, system: system)
        spent = GenerationReport.Seconds()
    }

    /// Sets the system prompt of the next conversation, or of this one while it is empty; nil is the template's own.
    func setSystem(_ text: String?) throws {
        guard text == nil || models.template.hasSystem else {
            throw ChatError.noSystemPrompt(model: models.bundle.name, template: models.template.rawValue)
        }
        system = text
        if record.end.rows == 0 { clear() }
    }

    /// Encodes a picture and reads its rows, after the words that stand before it.
    func attach(_ image: PixelImage, emit: ChatEngine.Emit, cancellation: Cancellation) throws {
        let layout = try models.layout(of: image)
        let rows = layout.count
        let before = models.tokenizer.encode(record.segmentsBeforePicture())
        try expectRoom(for: before.count + rows)
        let parts = try see(
            image, rows: rows, after: before, isOpening: record.end.rows == 0, emit: emit, cancellation: cancellation)
        if let side = models.vision?.tower.configuration.imageSize {
            let (columns, lines) = layout.sheet.map { ($0.columns, $0.rows) } ?? (1, 1)
            emit(
                .picture(
                    PictureReading(
                        width: columns * side, height: lines * side, tokens: rows, squares: layout.squares)))
        }
        record.appendPicture(rows: rows, after: before)
        for part in parts { feed.append(part) }
        try read(holdingBack: 0, drafting: true, emit: emit, cancellation: cancellation)
    }

    /// Puts the question into the text and generates the answer.
    func ask(
        _ question: String, options: GenerationOptions, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        guard question.contains(where: { !$0.isWhitespace }) else { throw ChatError.emptyQuestion }
        let prompt = models.tokenizer.encode(record.segments(question: question))
        try expectRoom(for: prompt.count)
        record.append(question: question, as: prompt)
        feed.append(.tokens(prompt))
        // A draft that rests would keep whoever waits for the answer waiting in vain.
        let drafting = options.speculation.policy != .off && !models.costs.rests
        do {
            try read(holdingBack: 1, drafting: drafting, emit: emit, cancellation: cancellation)
        } catch let error as CancellationError {
            // The question is in the text now, so that whoever stopped it has to hear of the turn.
            emit(.finished(report(options)))
            throw error
        }
        try answer(options: options, emit: emit, cancellation: cancellation)
        if let reason = try memory?.keep(target: cache, drafter: drafters.model) {
            emit(.notice(Notice("Going on without keeping pictures for later: \(reason).")))
        }
        if let answer = record.turns.last?.answer, let reason = answers?.keep(answer) {
            emit(.notice(Notice("Going on without keeping answers to draft from: \(reason).")))
        }
    }

    /// Puts stored turns in the place of this conversation and reads them; throws with nothing changed if they do not fit.
    func restore(_ past: [PastTurn], emit: ChatEngine.Emit, cancellation: Cancellation) throws {
        var restored = TextRecord(template: models.template, stopTokens: models.stopTokens, system: system)
        var parts: [PromptPart] = []
        for (index, turn) in past.enumerated() {
            for image in turn.images {
                let before = models.tokenizer.encode(restored.segmentsBeforePicture())
                let rows = try models.layout(of: image).count
                restored.appendPicture(rows: rows, after: before)
                parts.append(.image(image, rows: rows, after: before))
            }
            let prompt = models.tokenizer.encode(restored.segments(question: turn.question))
            let vocabulary = Int32(models.target.configuration.vocabulary)
            if let foreign = turn.answer.first(where: { !(0..<vocabulary).contains($0) }) {
                throw ChatError.foreignToken(foreign, turn: index)
            }
            restored.append(question: turn.question, as: prompt)
            parts += [.tokens(prompt), .tokens(restored.append(answer: turn.answer))]
        }
        // The last token of a text is never in the cache: the next question or answer begins with it.
        guard restored.end.rows - 1 <= cache.capacity else {
            throw ChatError.contextFull(needed: restored.end.rows - 1, free: cache.capacity, limit: cache.capacity)
        }
        clear()
        record = restored
        for part in parts { feed.append(part) }
        try read(holdingBack: min(1, feed.waitingRows), drafting: true, emit: emit, cancellation: cancellation)
    }

    /// Forgets a turn and all that comes after it.
    func rewind(toTurn turn: Int, keepingPictures: Bool) throws {
        guard (0...record.turns.count).contains(turn) else {
            throw ChatError.noTurn(turn, count: record.turns.count)
        }
        record.rewind(toTurn: turn, keepingPictures: keepingPictures)
        feed.keep(rows: max(0, record.end.rows - cache.committed))
        cache.truncate(to: min(cache.committed, record.end.rows))
        memory?.truncate(to: record.end.rows)
        drafter?.truncate(toTokens: record.end.tokens, pictureRows: record.end.pictureRows)
    }

    // MARK: The text

    /// Throws, with nothing changed, if `rows` more rows and one generated token do not fit.
    private func expectRoom(for rows: Int) throws {
        let free = cache.free - feed.waitingRows
        guard rows + 1 <= free else {
            throw ChatError.contextFull(needed: rows + 1, free: max(0, free), limit: cache.capacity)
        }
    }

    /// What the models read in the place of a picture and the tokens before it.
    private func see(
        _ image: PixelImage, rows: Int, after tokens: [Int32], isOpening: Bool, emit: ChatEngine.Emit,
        cancellation: Cancellation
    ) throws -> [PromptPart] {
        let clock = ContinuousClock()
        let start = clock.now
        defer { spent.vision += (clock.now - start).seconds }
        func encode() throws -> SeenPicture {
            try models.see(image) { done, total in
                try cancellation.check()
                emit(.progress(Progress(phase: .encodingImage, completed: done, total: total)))
            }
        }
        guard let memory else { return PromptPart.parts(tokens, try encode()) }
        return try memory.parts(
            for: image, rows: rows, after: tokens, isOpening: isOpening, target: cache, drafter: drafters.model,
            seeing: encode)
    }

    private func read(
        holdingBack held: Int, drafting: Bool, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let vision = spent.vision
        defer { spent.prefill += (clock.now - start).seconds - (spent.vision - vision) }
        try feed.read(
            holdingBack: held,
            seeing: { image, rows, tokens, isOpening in
                try see(
                    image, rows: rows, after: tokens, isOpening: isOpening, emit: emit, cancellation: cancellation)
            },
            step: { done, total in
                emit(.progress(Progress(phase: .prefill, completed: done, total: total)))
                try cancellation.check()
            })
        if drafting { try drafter?.prefill { try cancellation.check() } }
    }

    // MARK: The answer

    private func answer(options: GenerationOptions, emit: ChatEngine.Emit, cancellation: Cancellation) throws {
        let choice = TokenChoice(options: options.sampler)
        var loop = SpeculativeLoop(
            verifier: Verifier(target: models.target, choice: choice, stopTokens: models.stopTokens), cache: cache,
            drafter: drafter, options: options.speculation, costs: models.costs, pending: feed.takeHeldBack()[0],
            position: record.end.generated, settled: record.settled, inspects: options.inspectsNodes,
            piece: pieces.piece(for:))
        var answer = Answer(report: report(options), pace: options.pace)
        var finish: GenerationReport.FinishReason?
        // Whatever ends the answer, what was generated belongs to the text; its last token is not in the cache yet.
        defer {
            let kept = record.append(answer: answer.report.tokens)
            // The one token that can be left out is an end token, and then it is the pending one.
            if kept.count == answer.report.tokens.count { feed.append(.tokens([loop.pending])) }
        }
        while finish == nil {
            let limit = min(options.maximumTokens - answer.report.tokens.count, cache.free)
            if limit > 0 { answer.hold(at: gate, cancellation: cancellation) }
            if cancellation.isCancelled {
                finish = .cancelled
            } else if limit <= 0 {
                finish = cache.free == 0 ? .contextFull : .limit
            } else {
                let round = try loop.next(limit: limit)
                emit(.round(round, text: answer.add(round)))
                if models.stopTokens.contains(round.bonus) { finish = .stop }
            }
        }
        answer.end(finish ?? .cancelled, contextUsed: cache.committed)
        emit(.finished(answer.report))
    }

    private func report(_ options: GenerationOptions) -> GenerationReport {
        defer { spent = GenerationReport.Seconds() }
        return GenerationReport(
            text: "", tokens: [], promptTokens: record.end.rows, rounds: 0, drafted: 0, accepted: 0,
            seconds: spent, finish: .cancelled, speculation: options.speculation.policy.rawValue,
            draft: options.speculation.policy == .off ? nil : drafter?.name, seed: options.sampler.seed,
            temperature: options.sampler.temperature, threads: models.backend.threads, backend: models.backend.name,
            contextUsed: cache.committed, contextLimit: cache.capacity,
            turn: record.turns.count - 1)
    }
}
