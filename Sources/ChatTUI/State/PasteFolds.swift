// PasteFolds.swift — long pastes behind one character each, so that writing around a megabyte costs no more than a word.

/// The texts that single characters of the composer stand for.
///
/// The characters are of a private plane that no font has; a text that holds such a character itself is folded too, so
/// that it can never be taken for a fold.
struct PasteFolds: Sendable, Equatable {
    private var texts: [Character: String] = [:]

    /// Longer pastes are folded: bytes and lines that still can be read in six rows of composer.
    private static let longestBytes = 4000
    private static let mostLines = 40
    private static let plane: ClosedRange<UInt32> = 0xF0000...0xFFFFD

    var isEmpty: Bool { texts.isEmpty }

    func holds(_ character: Character) -> Bool { !texts.isEmpty && texts[character] != nil }

    /// `text`, or the character that stands for it from now on.
    mutating func close(_ text: String) -> String {
        guard PasteFolds.isLong(text) else { return text }
        guard let scalar = Unicode.Scalar(PasteFolds.plane.lowerBound + UInt32(texts.count)) else { return text }
        let sign = Character(scalar)
        texts[sign] = text
        return String(sign)
    }

    /// The true text of `characters`.
    func open(_ characters: [Character]) -> String {
        characters.reduce(into: "") { text, character in
            if let fold = texts[character] { text += fold } else { text.append(character) }
        }
    }

    /// "[pasted 12345 lines]": what the composer shows; nil for a character that stands for itself.
    func label(of character: Character) -> String? {
        guard !texts.isEmpty, let text = texts[character] else { return nil }
        let lines = PasteFolds.lines(of: text)
        return lines > 1 ? "[pasted \(lines) lines]" : "[pasted \(text.unicodeScalars.count) characters]"
    }

    private static func isLong(_ text: String) -> Bool {
        if text.utf8.count > longestBytes { return true }
        return lines(of: text) > mostLines || text.unicodeScalars.contains { plane.contains($0.value) }
    }

    /// A newline at the end begins no line.
    private static func lines(of text: String) -> Int {
        let newline = UInt8(ascii: "\n")
        let count = text.utf8.reduce(1) { $1 == newline ? $0 + 1 : $0 }
        return text.utf8.last == newline ? count - 1 : count
    }
}
