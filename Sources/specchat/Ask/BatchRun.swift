// BatchRun.swift — `ask --batch`: one model, many questions, an answer a line, in order.

import Engine
import Foundation

struct BatchRun: Sendable {
    private let name: String
    private let questions: [BatchQuestion]
    private let answers: String?
    private let beginsAnew: Bool
    private let opened: OpenModel

    /// Reads the questions and finds the model; nothing is loaded or decoded yet.
    init(questions path: String, answers: String?, beginsAnew: Bool, settings: Settings) throws {
        name = path
        questions = try BatchQuestions.read(path: path, settings: settings)
        self.answers = answers
        self.beginsAnew = beginsAnew
        opened = try settings.openModelForAnswers().keeping(settings)
        if opened.bundle.vision == nil, questions.contains(where: { !$0.images.isEmpty }) {
            throw ChatError.noVision(model: opened.bundle.name)
        }
    }

    /// Answers what is not answered yet. Fails at the end when a question could not be answered.
    func run() async throws {
        let fingerprints = questions.map { $0.fingerprint(model: opened.bundle.name) }
        let file = try BatchAnswers(path: answers, beginsAnew: beginsAnew, fingerprints: fingerprints)
        defer { file.sync() }
        if file.answered > 0 {
            TextOutput.complain("\(file.answered) of \(questions.count) questions are answered already.")
        }
        guard file.answered < questions.count else { return }
        let desk = BatchDesk(engine: opened.makeEngine())
        var report = BatchProgress(total: questions.count, answered: file.answered)
        var failed = 0
        defer { report.end() }
        do {
            try await follow(desk.engine.load(), progress: report.line)
            for index in file.answered..<questions.count {
                report.show(done: index)
                let outcome = try await desk.answer(questions[index], progress: report.line)
                if case .failed = outcome { failed += 1 }
                try file.append(
                    BatchAnswer(
                        index: index, id: questions[index].id, fingerprint: fingerprints[index], outcome: outcome))
                report.answered = index + 1
            }
        } catch is CancellationError {
            report.end()
            let way = answers == nil ? "" : " The same command goes on from there."
            TextOutput.complain("stopped after \(report.answered) of \(questions.count) questions.\(way)")
            throw CancellationError()
        }
        report.end()
        guard failed == 0 else {
            throw CommandFailure(
                .failure, "\(failed) of \(questions.count) questions could not be answered; their lines say why.")
        }
    }
}

/// The engine and the pictures that lie before it.
private final class BatchDesk {
    let engine: ChatEngine
    /// Those that the engine has read; absent when it must begin anew.
    private var images: [String]? = []

    init(engine: ChatEngine) { self.engine = engine }

    /// Answers a question on its own. What is wrong with it is an outcome; only an interruption is thrown.
    func answer(_ question: BatchQuestion, progress: ProgressLine) async throws -> BatchAnswer.Outcome {
        do {
            try await lay(question.images, progress: progress)
            guard let report = try await follow(engine.ask(question.question, options: question.options)) else {
                throw CommandFailure(.failure, "the engine ended without an answer.")
            }
            return .answered(report)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return .failed("\(error)")
        }
    }

    /// Puts these pictures before the coming question. Those that are there already are neither encoded nor read again.
    private func lay(_ wanted: [String], progress: ProgressLine) async throws {
        if images == wanted {
            try await follow(engine.rewind(toTurn: 0, keepingPictures: true))
            return
        }
        images = nil
        let pictures = try wanted.map { path throws(ImageError) in try PixelImage.read(path) }
        try await follow(engine.clear())
        for picture in pictures { try await follow(engine.attach(picture), progress: progress) }
        images = wanted
    }
}

/// Says how far a batch has come: a bar on a terminal, a line now and then elsewhere.
struct BatchProgress {
    let line = ProgressLine()
    private let total: Int
    private let first: Int
    private let start = ContinuousClock.now
    private var lastTold = ContinuousClock.now
    var answered: Int

    init(total: Int, answered: Int) {
        self.total = total
        self.answered = answered
        first = answered
    }

    mutating func show(done: Int) {
        if TextOutput.errors.isTerminal {
            line.show(Self.bar(done: done, total: total, begun: first, seconds: Self.seconds(since: start)))
        } else if lastTold.duration(to: .now) > .seconds(5) {
            lastTold = .now
            TextOutput.complain("\(done) of \(total) questions answered")
        }
    }

    func end() { line.clear() }

    /// "[######--------------] 12 of 40  3.4 each second  8 s left".
    static func bar(done: Int, total: Int, begun: Int, seconds: Double) -> String {
        let width = 20
        let filled = width * done / max(1, total)
        let bar = "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
        let rate = seconds > 0 ? Double(done - begun) / seconds : 0
        guard rate > 0 else { return "\(bar) \(done) of \(total)" }
        return "\(bar) \(done) of \(total)  \(decimal(rate, 1)) each second  \(time(Double(total - done) / rate)) left"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9).rounded(.up))
        return whole < 100 ? "\(whole) s" : whole < 6000 ? "\((whole + 59) / 60) min" : "\((whole + 3599) / 3600) h"
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let parts = start.duration(to: .now).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
