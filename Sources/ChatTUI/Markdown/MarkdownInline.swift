// MarkdownInline.swift — the marks inside a block's text into styled pieces. Read by MarkdownLayout.

/// Emphasis, code and links. A mark without its partner is text, and so is everything unknown.
///
/// Takes time in proportion to the text, whatever it holds: every opening mark is looked at by one closing mark only.
struct MarkdownInline {
    struct Style: OptionSet, Sendable, Hashable {
        let rawValue: Int
        static let strong = Style(rawValue: 1)
        static let emphasis = Style(rawValue: 2)
        static let code = Style(rawValue: 4)
        static let link = Style(rawValue: 8)
        /// Where a link leads, in brackets after its text: a reader must see where a click would go.
        static let address = Style(rawValue: 16)
    }
    struct Piece: Sendable, Equatable {
        var text: String
        var style: Style
    }

    static func pieces(_ text: String) -> [Piece] {
        var inline = MarkdownInline(Array(text.utf8))
        inline.scan()
        return inline.joined()
    }

    private typealias Bytes = ArraySlice<UInt8>

    /// A stretch of text, or a mark that became a change of style.
    private struct Token {
        var text: Bytes
        var style: Style = []
        var opens: Style = []
        var closes: Style = []
    }
    /// An opening mark that waits for its partner.
    private struct Opener {
        let sign: UInt8
        let count: Int
        let token: Int
    }

    /// Longer addresses are taken for text.
    private static let longestAddress = 512
    /// Signs that a backslash takes the meaning from and goes. Before brackets it stays: there it is mathematics.
    private static let escapable = Set("\\`*_#>|~+-.!".utf8)

    private let bytes: [UInt8]
    private var at = 0
    private var plainStart = 0
    private var tokens: [Token] = []
    private var openers: [Opener] = []
    /// How many of `openers` are `*`, `**`, `_` and `__`.
    private var waiting = [0, 0, 0, 0]
    private var brackets: [Int] = []
    /// Where runs of so many backticks begin, in descending order.
    private var backticks: [Int: [Int]] = [:]

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var at = 0
        while let start = bytes[at...].firstIndex(of: UInt8(ascii: "`")) {
            at = bytes[start...].firstIndex { $0 != UInt8(ascii: "`") } ?? bytes.count
            backticks[at - start, default: []].append(start)
        }
        for key in backticks.keys { backticks[key]?.reverse() }
    }

    private func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    private mutating func scan() {
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\\"): escape()
            case UInt8(ascii: "`"): code()
            case UInt8(ascii: "*"), UInt8(ascii: "_"): emphasis()
            case UInt8(ascii: "["): openBracket(from: at)
            case UInt8(ascii: "!") where byte(at + 1) == UInt8(ascii: "["): openBracket(from: at)
            case UInt8(ascii: "]"): closeBracket()
            case UInt8(ascii: "<"): address()
            default: at += 1
            }
        }
        flush()
    }

    /// Makes a token of the plain text before the present place.
    private mutating func flush() {
        if plainStart < at { tokens.append(Token(text: bytes[plainStart..<at])) }
        plainStart = at
    }

    /// Adds a token and goes on after `end`.
    private mutating func add(_ token: Token, end: Int) {
        flush()
        tokens.append(token)
        at = end
        plainStart = end
    }

    private mutating func escape() {
        guard let next = byte(at + 1), next < 0x80 else {
            at += 1
            return
        }
        if MarkdownInline.escapable.contains(next) {
            add(Token(text: bytes[at + 1..<at + 2]), end: at + 2)
        } else {
            at += 2
        }
    }

    private mutating func code() {
        let end = bytes[at...].firstIndex { $0 != UInt8(ascii: "`") } ?? bytes.count
        let count = end - at
        while let last = backticks[count]?.last, last <= at { backticks[count]?.removeLast() }
        guard let close = backticks[count]?.last else {
            at = end
            return
        }
        var inside = bytes[end..<close]
        let space = UInt8(ascii: " ")
        if inside.first == space, inside.last == space, inside.contains(where: { $0 != space }) {
            inside = inside.dropFirst().dropLast()
        }
        add(Token(text: inside, style: .code), end: close + count)
    }

    // MARK: Emphasis

    private mutating func emphasis() {
        let sign = bytes[at]
        let end = bytes[at...].firstIndex { $0 != sign } ?? bytes.count
        let (before, after) = (byte(at - 1), byte(end))
        var opens = after.map { !MarkdownInline.isSpace($0) } ?? false
        var closes = before.map { !MarkdownInline.isSpace($0) } ?? false
        if sign == UInt8(ascii: "_") {
            // Names like snake_case keep their signs.
            if before.map(MarkdownInline.isWord) ?? false { opens = false }
            if after.map(MarkdownInline.isWord) ?? false { closes = false }
        }
        var left = end - at
        guard left <= 3 else {
            at = end
            return
        }
        flush()
        while closes, left > 0, let opener = takeOpener(sign, atMost: left) {
            let style: Style = opener.count == 2 ? .strong : .emphasis
            tokens[opener.token].text = []
            tokens[opener.token].opens = style
            tokens.append(Token(text: [], closes: style))
            left -= opener.count
        }
        let rest = bytes[end - left..<end]
        if opens {
            if left % 2 == 1 { wait(sign, rest.prefix(1)) }
            if left >= 2 { wait(sign, rest.suffix(2)) }
        } else if left > 0 {
            tokens.append(Token(text: rest))
        }
        at = end
        plainStart = end
    }

    private mutating func wait(_ sign: UInt8, _ text: Bytes) {
        openers.append(Opener(sign: sign, count: text.count, token: tokens.count))
        waiting[MarkdownInline.kind(sign, text.count)] += 1
        tokens.append(Token(text: text))
    }

    /// The nearest opening mark of this sign; those after it have lost their chance.
    private mutating func takeOpener(_ sign: UInt8, atMost count: Int) -> Opener? {
        guard (1...min(2, count)).contains(where: { waiting[MarkdownInline.kind(sign, $0)] > 0 }) else { return nil }
        while let last = openers.popLast() {
            waiting[MarkdownInline.kind(last.sign, last.count)] -= 1
            if last.sign == sign, last.count <= count { return last }
        }
        return nil
    }

    /// Index into `waiting`.
    private static func kind(_ sign: UInt8, _ count: Int) -> Int { (sign == UInt8(ascii: "*") ? 0 : 2) + count - 1 }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
    }

    // MARK: Links

    private mutating func openBracket(from start: Int) {
        let end = bytes[start] == UInt8(ascii: "!") ? start + 2 : start + 1
        flush()
        brackets.append(tokens.count)
        add(Token(text: bytes[start..<end]), end: end)
    }

    private mutating func closeBracket() {
        guard let opener = brackets.popLast(), byte(at + 1) == UInt8(ascii: "("), let end = addressEnd(from: at + 2)
        else {
            at += 1
            return
        }
        let address = bytes[at + 2..<end]
        flush()
        let hasText = tokens.count > opener + 1
        tokens[opener].text = []
        tokens[opener].opens = .link
        tokens.append(Token(text: [], closes: .link))
        let shown = hasText ? Array(" (".utf8) + address + Array(")".utf8) : Array(address)
        add(Token(text: shown[...], style: .address), end: end + 1)
    }

    /// The bracket that closes an address: one word, or one and a title in quotation marks.
    private func addressEnd(from start: Int) -> Int? {
        var depth = 0
        var at = start
        let limit = min(bytes.count, start + MarkdownInline.longestAddress)
        var quote: UInt8?
        while at < limit {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\n") { return nil }
            if let open = quote {
                if byte == open { quote = nil }
            } else {
                switch byte {
                case UInt8(ascii: "("): depth += 1
                case UInt8(ascii: ")"):
                    if depth == 0 { return at > start ? at : nil }
                    depth -= 1
                case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "`"): return nil
                case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
                case UInt8(ascii: " "):
                    let next = at + 1 < limit ? bytes[at + 1] : 0
                    guard next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") else { return nil }
                default: break
                }
            }
            at += 1
        }
        return nil
    }

    /// `<https://example.org>` without its angles.
    private mutating func address() {
        let limit = min(bytes.count, at + MarkdownInline.longestAddress)
        let stop = bytes[at + 1..<limit].firstIndex {
            $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "<") || MarkdownInline.isSpace($0)
        }
        guard let stop, bytes[stop] == UInt8(ascii: ">"), MarkdownInline.isAddress(bytes[at + 1..<stop]) else {
            at += 1
            return
        }
        add(Token(text: bytes[at + 1..<stop], style: .address), end: stop + 1)
    }

    private static func isAddress(_ bytes: Bytes) -> Bool {
        let scheme = bytes.prefix { isWord($0) && $0 < 0x80 }
        return scheme.count >= 2 && bytes[scheme.endIndex...].starts(with: "://".utf8)
            || scheme.elementsEqual("mailto".utf8) && bytes[scheme.endIndex...].first == UInt8(ascii: ":")
    }

    // MARK: Joining

    private func joined() -> [Piece] {
        var pieces: [(text: [UInt8], style: Style)] = []
        var depths: [Style: Int] = [:]
        for token in tokens {
            if !token.opens.isEmpty { depths[token.opens, default: 0] += 1 }
            if !token.closes.isEmpty { depths[token.closes, default: 0] -= 1 }
            guard !token.text.isEmpty else { continue }
            var style = token.style
            for (open, depth) in depths where depth > 0 { style.formUnion(open) }
            if pieces.last?.style == style {
                pieces[pieces.count - 1].text += token.text
            } else {
                pieces.append((Array(token.text), style))
            }
        }
        return pieces.map { Piece(text: String(decoding: $0.text, as: UTF8.self), style: $0.style) }
    }
}
