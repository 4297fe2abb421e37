// AnswerStream.swift — reads an engine's events to their end and hands them out. Used by every command that answers.

import Engine

/// Reads `stream` to its end: notices go to the standard error output, rounds to `round`; the result is the report.
///
/// Throws a `CancellationError` when the task was cancelled, because a cancelled stream ends without a word.
@discardableResult
func follow(
    _ stream: EventStream, notices: Bool = true, progress: ProgressLine? = nil,
    round: (SpeculationRound, String) throws -> Void = { _, _ in }
) async throws -> GenerationReport? {
    var report: GenerationReport?
    for try await event in stream {
        switch event {
        case .progress(let value): progress?.show(value)
        case .picture: continue
        case .notice(let notice):
            guard notices else { continue }
            progress?.clear()
            TextOutput.complain(notice.text)
        case .round(let value, let text): try round(value, text)
        case .finished(let value): report = value
        }
    }
    try Task.checkCancellation()
    return report
}
