// RoundRun.swift — which part of an answer came with which round. Kept by reduce, drawn by the transcript's marks.

import Engine

/// Bytes of an answer's text that came together.
struct RoundRun: Sendable, Equatable {
    /// UTF-8 bytes of the answer's text, with the blanks at its beginning.
    let bytes: Range<Int>
    /// Number of the round in the tree panel, from 1.
    let number: Int
}

/// How an answer's text is to be marked.
struct RunMarks: Sendable, Equatable {
    /// Number of the round on the panel; its text stands out.
    let shown: Int
}

extension Turn {
    /// Adds what a round brought.
    mutating func add(_ text: String, ofRound number: Int) {
        let start = self.text.utf8.count
        self.text += text
        guard !text.isEmpty else { return }
        runs.append(RoundRun(bytes: start..<start + text.utf8.count, number: number))
    }
}

/// The texts of rounds, one after another: a character that is cut between two rounds comes with the second.
struct RoundTexts {
    private var waiting: [UInt8] = []

    /// The whole characters that the round adds.
    mutating func add(_ round: SpeculationRound) -> String {
        waiting += round.textBytes
        let whole = waiting.count - RoundTexts.unfinished(waiting)
        defer { waiting.removeFirst(whole) }
        return String(decoding: waiting.prefix(whole), as: UTF8.self)
    }

    /// What is left of a character that never came to its end.
    func end() -> String { String(decoding: waiting, as: UTF8.self) }

    /// Bytes at the end that may be the beginning of a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return needed > back ? back : 0
        }
        return 0
    }
}
