// LookupText.swift — a text that finds where its own end stood before. Used by LookupDrafter.

/// Tokens in order with the places of every pair of them, newest first.
///
/// Places of a pair are chained through `older`, so that a token costs a few words and the end can be cut off again.
struct LookupText {
    /// Stands between texts that do not go on with each other, and for a picture. No token is negative.
    static let border: Int32 = -1

    /// An earlier place where the text's end stood.
    struct Match: Equatable {
        /// Index of the token that came after it.
        let next: Int
        /// Tokens that agree, at most `longestMatch`.
        let length: Int
    }

    private(set) var tokens: [Int32] = []
    /// The place before this one that ends in the same pair, and the same token; -1 for none.
    private var older: [(pair: Int32, token: Int32)] = []
    private var newestPair: [UInt64: Int32] = [:]
    private var newestToken: [Int32: Int32] = [:]

    /// A longer match says no more.
    static let longestMatch = 16
    /// Places that are looked at for one end: in a long text a frequent pair stands nearly everywhere.
    private static let mostPlaces = 64

    var count: Int { tokens.count }

    mutating func append(_ token: Int32) {
        let index = Int32(tokens.count)
        var links = (pair: Int32(-1), token: Int32(-1))
        if token >= 0 {
            links.token = newestToken.updateValue(index, forKey: token) ?? -1
            if let pair = Self.pair(tokens.last, token) {
                links.pair = newestPair.updateValue(index, forKey: pair) ?? -1
            }
        }
        tokens.append(token)
        older.append(links)
    }

    mutating func append(contentsOf added: [Int32]) { for token in added { append(token) } }

    /// Forgets everything from the place `length` on.
    mutating func truncate(to length: Int) {
        while tokens.count > length {
            let token = tokens.removeLast()
            let links = older.removeLast()
            guard token >= 0 else { continue }
            newestToken[token] = links.token < 0 ? nil : links.token
            if let pair = Self.pair(tokens.last, token) { newestPair[pair] = links.pair < 0 ? nil : links.pair }
        }
    }

    /// Where the text and `token` after it stood before with something after them: the longest matches first, of equal
    /// ones the newest.
    ///
    /// Where nothing agrees in two tokens, places that agree in one.
    func matches(endingIn token: Int32, count: Int) -> [Match] {
        var found: [Match] = []
        func collect(_ newest: Int32?, older link: KeyPath<(pair: Int32, token: Int32), Int32>) {
            var place = Int(newest ?? -1)
            var looked = 0
            while place >= 0, looked < Self.mostPlaces {
                if place + 1 < tokens.count, tokens[place + 1] >= 0 {
                    found.append(Match(next: place + 1, length: 1 + agreement(before: place)))
                }
                place = Int(older[place][keyPath: link])
                looked += 1
            }
        }
        if let pair = Self.pair(tokens.last, token) { collect(newestPair[pair], older: \.pair) }
        if found.isEmpty { collect(newestToken[token], older: \.token) }
        return Array(found.sorted { ($0.length, $0.next) > ($1.length, $1.next) }.prefix(count))
    }

    /// Tokens before `place` that agree with those at the end of the text.
    private func agreement(before place: Int) -> Int {
        var length = 0
        while length + 1 < Self.longestMatch, length < place, length < tokens.count,
            case let token = tokens[place - 1 - length], token >= 0, token == tokens[tokens.count - 1 - length]
        {
            length += 1
        }
        return length
    }

    private static func pair(_ first: Int32?, _ second: Int32) -> UInt64? {
        guard let first, first >= 0, second >= 0 else { return nil }
        return UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
    }
}
