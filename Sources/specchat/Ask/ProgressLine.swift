// ProgressLine.swift — how far the work has come, on one line that goes away again; for whoever watches, and only then.

import Engine
import Foundation

/// One line of the terminal that errors go to, written over again and again. Where errors go elsewhere, nothing.
///
/// It moves with a carriage return and blanks alone, which every terminal knows.
final class ProgressLine {
    private let isWatched = TextOutput.errors.isTerminal
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private var width = 0

    /// Shows work that takes a while; what is done at once flickers by unseen.
    func show(_ progress: Engine.Progress) {
        guard isWatched, start.duration(to: .now) > .milliseconds(300) else { return }
        show(Self.words(progress))
    }

    /// Shows a text, ten times a second at most.
    func show(_ text: String) {
        guard isWatched, lastShown.map({ $0.duration(to: .now) > .milliseconds(100) }) ?? true else { return }
        lastShown = .now
        let line = String(text.prefix(columns - 1))
        try? TextOutput.errors.write("\r" + line + String(repeating: " ", count: max(0, width - line.count)))
        width = line.count
    }

    /// Takes the line away, for whatever is written next.
    func clear() {
        guard width > 0 else { return }
        try? TextOutput.errors.write("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
        lastShown = nil
    }

    static func words(_ progress: Engine.Progress) -> String {
        switch progress.phase {
        case .loading: "loading the model: \(progress.completed * 100 / max(1, progress.total)) %"
        case .quantizing: "quantising the model, once: \(progress.completed * 100 / max(1, progress.total)) %"
        case .encodingImage: "looking at the picture: \(progress.completed) of \(progress.total) layers"
        case .prefill: "reading: \(progress.completed) of \(progress.total) rows"
        }
    }

    /// A line that filled the last column would wrap.
    private var columns: Int {
        var size = winsize()
        return ioctl(TextOutput.errors.descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1
            ? Int(size.ws_col) : 80
    }
}
