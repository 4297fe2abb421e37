// NearestWord.swift — which known word a mistyped one was meant to be. Used for commands and settings.

/// The word of `words` that is at most three changes away from `word`, the nearest and first of them; nil if none is.
public func nearestWord(to word: String, among words: [String]) -> String? {
    guard let near = words.min(by: { CommandTable.distance(word, $0) < CommandTable.distance(word, $1) }) else { return nil }
    // Three changes turn any short word into any other.
    return CommandTable.distance(word, near) <= min(3, max(1, word.count / 2)) ? near : nil
}
