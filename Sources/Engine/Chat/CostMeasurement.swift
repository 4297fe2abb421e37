// CostMeasurement.swift — what passes of the loaded models take on this machine, by rows and by length of the text. Asked
// for by `bench --costs`; decoding learns its own curves in CostModel.

import Foundation

/// What is to be timed.
public struct CostRequest: Sendable, Equatable, Decodable {
    /// Rows of text before the pass.
    public var contexts = [0, 640, 2048]
    /// Rows of a pass that scores every row, as the verification of a tree does.
    public var rows = [1, 2, 4, 8, 16, 32, 64]
    /// Rows of a prompt that is read from the beginning; only its last row is scored.
    public var prompts = [16, 64, 128, 640]
    public var repeats = 5
    /// Whether the vision tower is timed.
    public var picture = true
    /// Whether everything is run once more before, unmeasured.
    public var warmsUp = true

    public init() {}

    /// Turns that are run, the first of which counts where it is 1.
    fileprivate var turns: ClosedRange<Int> { (warmsUp ? 0 : 1)...repeats }

    /// Whether there is anything to time, within what a cache can hold.
    public var isSensible: Bool {
        (1...1000).contains(repeats) && contexts.allSatisfy { (0...1_000_000).contains($0) }
            && (rows + prompts).allSatisfy { (1...100_000).contains($0) }
    }
}

/// What was timed.
public struct CostReport: Sendable, Encodable {
    /// Passes of one kind over so many rows.
    public struct Entry: Sendable, Encodable {
        public enum Kind: String, Sendable, Encodable {
            case verify
            case prompt
        }
        /// "target", or the draft's name.
        public let model: String
        public let kind: Kind
        public let rows: Int
        public let context: Int
        /// Of each repeat, in the order in which they were made.
        public internal(set) var seconds: [Double]

        public init(model: String, kind: Kind, rows: Int, context: Int, seconds: [Double] = []) {
            self.model = model
            self.kind = kind
            self.rows = rows
            self.context = context
            self.seconds = seconds
        }
    }
    public internal(set) var entries: [Entry]
    /// Of each repeat of one picture through tower and projector; empty without a tower.
    public internal(set) var picture: [Double] = []
    public let backend: String
    public let threads: Int
    /// Seconds that loading took.
    public let load: Double

    public init(entries: [Entry] = [], backend: String, threads: Int, load: Double) {
        self.entries = entries
        self.backend = backend
        self.threads = threads
        self.load = load
    }
}

extension LoadedModels {
    func measureCosts(_ request: CostRequest, progress: (String) -> Void) throws -> CostReport {
        var report = CostReport(backend: backend.name, threads: backend.threads, load: loadSeconds)
        for (name, model) in [("target", target)] + (draft.map { [($0.name, $0.model)] } ?? []) {
            try CostTimer(name: name, model: model, request: request).run(into: &report, progress: progress)
        }
        guard request.picture, let vision else { return report }
        let side = vision.tower.configuration.imageSize
        let pixels = (0..<side * side * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 8) }
        let source = PixelImage.Source(name: "noise", width: side, height: side)
        let image = PixelImage(width: side, height: side, pixels: pixels, source: source)
        let clock = ContinuousClock()
        for turn in request.turns {
            progress("picture, \(turn) of \(request.repeats)")
            let start = clock.now
            let seen = try see(image) { _, _ in }
            _ = try backend.begin(.vision(rows: seen.visualTokens.rows)).read(seen.visualTokens)
            // The first one touches every weight for the first time.
            if turn > 0 { report.picture.append((clock.now - start).seconds) }
        }
        return report
    }
}

/// Times the passes of one language model.
private struct CostTimer {
    let name: String
    let model: LanguageModel
    let request: CostRequest
    private let clock = ContinuousClock()

    init(name: String, model: LanguageModel, request: CostRequest) {
        self.name = name
        self.model = model
        self.request = request
    }

    func run(into report: inout CostReport, progress: (String) -> Void) throws {
        let first = report.entries.count
        for context in request.contexts {
            for rows in request.rows {
                report.entries.append(.init(model: name, kind: .verify, rows: rows, context: context))
            }
        }
        for rows in request.prompts {
            report.entries.append(.init(model: name, kind: .prompt, rows: rows, context: 0))
        }
        let own = first..<report.entries.count
        guard !own.isEmpty else { return }
        let cache = filledCache(
            rows: request.contexts.max() ?? 0, room: max(request.rows.max() ?? 0, request.prompts.max() ?? 0))
        // In turns, so that a slow moment of the machine hits no one size; the first turn warms up.
        for turn in request.turns {
            for index in own {
                let entry = report.entries[index]
                progress("\(name), \(entry.rows) rows after \(entry.context), \(turn) of \(request.repeats)")
                let seconds = try time(entry, in: cache)
                if turn > 0 { report.entries[index].seconds.append(seconds) }
            }
        }
    }

    private func time(_ entry: CostReport.Entry, in cache: KVCache) throws -> Double {
        cache.truncate(to: 0)
        cache.commit(rows: entry.context)
        let start = clock.now
        switch entry.kind {
        case .verify:
            let (pass, hidden) = forward(rows: entry.rows, in: cache, wanted: .all)
            _ = try pass.argmax(model.logits(of: hidden, in: pass))
        case .prompt:
            var left = entry.rows
            while left > 0 {
                let rows = min(left, PromptFeed.chunk)
                let (pass, last) = forward(rows: rows, in: cache, wanted: .last)
                cache.commit(rows: rows)
                left -= rows
                if left == 0 { _ = try pass.argmax(model.logits(of: last, in: pass)) }
            }
        }
        return (clock.now - start).seconds
    }

    private func forward(
        rows: Int, in cache: KVCache, wanted: WantedRows
    ) -> (pass: any ForwardPass, hidden: any Matrix) {
        let vocabulary = Int32(clamping: model.configuration.vocabulary)
        let tokens = (0..<Int32(rows)).map { ($0 &* 7919) % vocabulary }
        return model.forward(
            .tokens(tokens), plan: .text(rows: rows, after: cache.committed), cache: cache, wanted: wanted)
    }

    /// A cache whose first rows hold numbers, as after a long text: memory that was never written costs less to read.
    private func filledCache(rows: Int, room: Int) -> KVCache {
        let cache = model.makeCache(capacity: rows + room)
        let count = cache.numberCount(ofRows: cache.capacity) / cache.layers.count
        let numbers = (0..<count).map { Float(($0 &* 1_103_515_245) & 1023) / 1024 - 0.5 }
        cache.begin(with: Array(repeating: numbers, count: cache.layers.count), rows: cache.capacity)
        return cache
    }
}
