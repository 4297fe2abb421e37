// ConversationID.swift — the name of a saved conversation: short enough to be typed. Made by the store.

/// Six letters and digits without those that look alike (i, l, o, u), such as `k3f9td`.
public struct ConversationID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    static let length = 6
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

    public let description: String

    /// An id that was saved.
    init(saved text: String) { description = text }

    /// A fresh id: one of a thousand million. Whether it is taken is the store's question.
    init(using generator: inout some RandomNumberGenerator) {
        description = String((0..<Self.length).compactMap { _ in Self.alphabet.randomElement(using: &generator) })
    }

    /// What was typed as an id or its beginning, in the spelling of ids: small letters, and 0 and 1 for the letters
    /// that were left out because they look like them. Absent when no id can begin so.
    static func prefix(typed text: String) -> String? {
        let spelt = text.lowercased().map { character -> Character in
            switch character {
            case "o": "0"
            case "i", "l": "1"
            default: character
            }
        }
        guard (1...length).contains(spelt.count), spelt.allSatisfy(alphabet.contains) else { return nil }
        return String(spelt)
    }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }

    public init(from decoder: any Decoder) throws {
        description = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
