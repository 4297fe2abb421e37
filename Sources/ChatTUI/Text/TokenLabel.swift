// TokenLabel.swift — a token as the tree shows it: every space and byte visible, nothing raw.

import Engine

enum TokenLabel {
    /// The token's text with white space, control tokens and stray bytes made visible.
    static func text(of piece: TokenPiece, in symbols: Symbols) -> String {
        if piece.isControl { return symbols.controlToken(controlName(piece.bytes)) }
        guard let text = String(validating: piece.bytes, as: UTF8.self) else { return bytes(piece.bytes, in: symbols) }
        if text.isEmpty { return symbols.controlToken("") }
        var label = ""
        for character in text {
            switch character {
            case " ": label += symbols.marksSpaces || text.allSatisfy { $0 == " " } ? symbols.space : " "
            case "\n": label += symbols.newline
            case "\t": label += symbols.tab
            // A token that holds one of our own signs must not be read as white space.
            case _ where symbols.isWhitespaceSign(character): label += "'\(character)'"
            default: label.append(character)
            }
        }
        // Without a sign, the space that begins most tokens would only look like a gap in the lanes.
        return symbols.marksSpaces ? label : label.trimmed
    }

    /// "eos" for "</s>" and its like; otherwise the name without its brackets.
    private static func controlName(_ bytes: [UInt8]) -> String {
        let name = String(decoding: bytes, as: UTF8.self)
        switch name {
        case "</s>": return "eos"
        case "<s>": return "bos"
        default: return String(name.filter { $0 != "<" && $0 != ">" && $0 != "|" })
        }
    }

    private static func bytes(_ bytes: [UInt8], in symbols: Symbols) -> String {
        let digits = bytes.map { byte in
            let text = String(byte, radix: 16, uppercase: true)
            return text.count == 1 ? "0" + text : text
        }
        return symbols.bytes(digits.joined(separator: " "))
    }
}
