// NearestWord.swift — which known word a mistyped one was meant to be. Used for settings and their variables.

/// The word of `words` that is at most three changes away from `word`, the nearest and first of them; nil if none is.
/// Upper and lower case are the same.
public func nearestWord(to word: String, among words: [String]) -> String? {
    let distances = words.map { CommandTable.distance(word, $0.lowercased()) }
    // Three changes turn any short word into any other.
    guard let least = distances.min(), least <= min(3, max(1, word.count / 2)) else { return nil }
    return zip(words, distances).first { $0.1 == least }?.0
}
