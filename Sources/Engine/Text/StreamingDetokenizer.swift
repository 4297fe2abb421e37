// StreamingDetokenizer.swift — tokens to text as they come, never half a character. Used by Chat, round by round.

/// Puts the bytes of tokens together into whole characters.
///
/// All outputs together are `String(decoding:)` of all bytes, whatever the cuts between the tokens. Of a character that
/// is not complete, up to three bytes are held back.
struct StreamingDetokenizer: Sendable {
    private var held: [UInt8] = []
    private var dropsLeadingSpace: Bool

    /// - Parameter dropsLeadingSpace: whether the text's first space is the tokenizer's own and not the model's.
    init(dropsLeadingSpace: Bool) {
        self.dropsLeadingSpace = dropsLeadingSpace
    }

    /// What a token lets us say now; control tokens say nothing.
    mutating func append(_ piece: TokenPiece) -> String {
        guard !piece.isControl, !piece.bytes.isEmpty else { return "" }
        held += piece.bytes
        if dropsLeadingSpace {
            dropsLeadingSpace = false
            if held[0] == 0x20 { held.removeFirst() }
        }
        let whole = held.count - Self.incompleteTail(of: held)
        defer { held.removeFirst(whole) }
        return String(decoding: held[..<whole], as: UTF8.self)
    }

    /// The end of the text: what was held back comes out as U+FFFD.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    /// Bytes at the end that are a character's beginning and could still become one.
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }  // a continuation: its lead stands further left
            let needed =
                switch lead {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1  // ASCII, or a byte that begins nothing
                }
            return needed > length ? length : 0
        }
        return 0
    }
}
