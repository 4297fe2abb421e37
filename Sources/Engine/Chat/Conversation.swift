// Conversation.swift — one text that grows turn by turn: its cache, what waits to be read, and the answers.

/// A conversation with the loaded models. Lives on the decoding queue.
final class Conversation {
    let models: LoadedModels
    private let cache: KVCache
    private let drafter: DraftModelDrafter?
    private let feed: PromptFeed
    /// Where an answer waits between its rounds.
    private let gate: RoundGate
    /// Distinct tokens of the text so far.
    private var settled: Set<Int32> = []
    /// Generated tokens so far: Rule 1's position.
    private var generated = 0
    /// Questions put so far.
    private var turns = 0
    /// Pictures that the coming question already has; their rows are in the text.
    private var pictures = 0
    /// Whether the last answer ended by itself, so that its end token is already there.
    private var lastAnswerEnded = false
    /// Time spent since the last answer.
    private var spent = GenerationReport.Seconds()

    init(models: LoadedModels, gate: RoundGate = RoundGate()) {
        self.models = models
        self.gate = gate
        cache = models.target.makeCache(capacity: models.contextLength)
        drafter = models.makeDrafter()
        feed = PromptFeed(target: models.target, cache: cache, drafter: drafter)
        spent.load = models.loadSeconds
    }

    func clear() {
        cache.truncate(to: 0)
        drafter?.clear()
        feed.clear()
        (settled, generated, turns, pictures, lastAnswerEnded) = ([], 0, 0, 0, false)
        spent = GenerationReport.Seconds()
    }

    /// Encodes a picture and reads its rows, after the words that stand before it.
    func attach(_ image: PixelImage, emit: ChatEngine.Emit, cancellation: Cancellation) throws {
        guard let vision = models.vision else { throw ChatError.noVision(model: models.bundle.name) }
        let before = models.tokenizer.encode(segmentsBeforePicture)
        try expectRoom(for: before.count + vision.tower.configuration.patches)
        let clock = ContinuousClock()
        let start = clock.now
        let (visualTokens, features) = try models.see(image) { done, total in
            try cancellation.check()
            emit(.progress(Progress(phase: .encodingImage, completed: done, total: total)))
        }
        spent.vision += (clock.now - start).seconds
        append(before)
        feed.append(.picture(visualTokens: visualTokens, features: features))
        pictures += 1
        try read(holdingBack: 0, drafting: true, emit: emit, cancellation: cancellation)
    }

    /// Puts the question into the text and generates the answer.
    func ask(
        _ question: String, options: GenerationOptions, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        guard question.contains(where: { !$0.isWhitespace }) else { throw ChatError.emptyQuestion }
        let prompt = models.tokenizer.encode(segments(question: question))
        try expectRoom(for: prompt.count)
        append(prompt)
        turns += 1
        pictures = 0
        // Until the answer ends by itself, the text stands behind one that was cut off.
        lastAnswerEnded = false
        let drafting = options.speculation.policy != .off
        try read(holdingBack: 1, drafting: drafting, emit: emit, cancellation: cancellation)
        try answer(options: options, emit: emit, cancellation: cancellation)
    }

    // MARK: The text

    /// What stands between the text so far and the first picture of a new turn, or the next picture of this one.
    private var segmentsBeforePicture: [ChatTemplate.Segment] {
        let lead = models.template.lead(isFirst: turns == 0, pictures: pictures + 1)
        if pictures > 0 { return [lead[lead.count - 2]] }
        return segmentsBeforeTurn + lead.dropLast()
    }

    private func segments(question: String) -> [ChatTemplate.Segment] {
        (pictures > 0 ? [] : segmentsBeforeTurn)
            + models.template.question(question, isFirst: turns == 0, pictures: pictures)
    }

    /// The opening of the conversation, or the end of the last answer as far as the model did not write it itself.
    private var segmentsBeforeTurn: [ChatTemplate.Segment] {
        if turns == 0 { return models.template.opening() }
        return Array(models.template.answerEnd().dropFirst(lastAnswerEnded ? 1 : 0))
    }

    private func append(_ tokens: [Int32]) {
        settled.formUnion(tokens)
        feed.append(.tokens(tokens))
    }

    /// Throws, with nothing changed, if `rows` more rows and one generated token do not fit.
    private func expectRoom(for rows: Int) throws {
        let free = cache.free - feed.waitingRows
        guard rows + 1 <= free else {
            throw ChatError.contextFull(needed: rows + 1, free: max(0, free), limit: cache.capacity)
        }
    }

    private func read(
        holdingBack held: Int, drafting: Bool, emit: ChatEngine.Emit, cancellation: Cancellation
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        defer { spent.prefill += (clock.now - start).seconds }
        try feed.read(holdingBack: held) { done, total in
            emit(.progress(Progress(phase: .prefill, completed: done, total: total)))
            try cancellation.check()
        }
        if drafting { try drafter?.prefill { try cancellation.check() } }
    }

    // MARK: The answer

    private func answer(options: GenerationOptions, emit: ChatEngine.Emit, cancellation: Cancellation) throws {
        let choice = TokenChoice(options: options.sampler)
        var loop = SpeculativeLoop(
            verifier: Verifier(target: models.target, choice: choice, stopTokens: models.stopTokens), cache: cache,
            drafter: drafter, options: options.speculation, costs: models.costs, pending: feed.takeHeldBack()[0],
            position: generated, settled: settled, inspects: options.inspectsNodes,
            piece: models.tokenizer.piece(for:))
        var answer = Answer(report: report(options), pace: options.pace)
        var finish: GenerationReport.FinishReason?
        // Whatever ends the answer, what was generated belongs to the text.
        defer { take(loop, ended: finish == .stop) }
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

    /// Takes over what an answer added to the text; its last token is not in the cache yet.
    private func take(_ loop: SpeculativeLoop, ended: Bool) {
        settled = loop.settled
        generated = loop.position
        lastAnswerEnded = ended
        feed.append(.tokens([loop.pending]))
    }

    private func report(_ options: GenerationOptions) -> GenerationReport {
        defer { spent = GenerationReport.Seconds() }
        return GenerationReport(
            text: "", tokens: [], promptTokens: cache.committed + 1, rounds: 0, drafted: 0, accepted: 0,
            seconds: spent, finish: .cancelled, speculation: options.speculation.policy.rawValue,
            draft: options.speculation.policy == .off ? nil : drafter?.name, seed: options.sampler.seed,
            temperature: options.sampler.temperature, threads: models.backend.threads, backend: models.backend.name,
            contextUsed: cache.committed, contextLimit: cache.capacity)
    }
}

extension Tokenizer {
    fileprivate func encode(_ segments: [ChatTemplate.Segment]) -> [Int32] { segments.flatMap { encode($0) } }
}
