// JSONReader.swift — JSON text to JSONValue, within limits: a file from a stranger must not exhaust memory or stack.

/// A strict reader of JSON (RFC 8259): one value, UTF-8, no name twice in an object.
struct JSONReader {
    /// What a text may hold.
    struct Limits: Sendable {
        var depth = 64
        /// Lists, objects, names and all other values together; each takes about 50 bytes.
        var values = 4_000_000
    }

    private let bytes: [UInt8]
    private let limits: Limits
    private var place = 0
    private var values = 0

    /// The value that `bytes` spell.
    static func read(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, limits: limits)
        // Some editors put a byte order mark before the text.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.place = 3 }
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.place == bytes.count else { throw reader.error(.trailing) }
        return value
    }

    private init(bytes: [UInt8], limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    private func error(_ fault: JSONError.Fault) -> JSONError { JSONError(fault: fault, offset: place) }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
    }

    /// The next byte that is no space; it stays to be read.
    private mutating func peek() throws(JSONError) -> UInt8 {
        skipSpace()
        guard place < bytes.count else { throw error(.ended) }
        return bytes[place]
    }

    private mutating func count() throws(JSONError) {
        values += 1
        guard values <= limits.values else { throw error(.tooManyValues(limits.values)) }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        try count()
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .list(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case let byte: throw error(.unexpected(byte))
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 {
            guard place < bytes.count else { throw error(.ended) }
            guard bytes[place] == byte else { throw error(.unexpected(bytes[place])) }
            place += 1
        }
        return value
    }

    // MARK: Lists and objects

    /// Reads what stands before the next element: nothing before the first, a comma before the others. False at the end.
    private mutating func hasNext(isFirst: Bool, closing: UInt8) throws(JSONError) -> Bool {
        let byte = try peek()
        if byte == closing {
            place += 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw error(.unexpected(byte)) }
        place += 1
        let next = try peek()
        guard next != closing else { throw error(.unexpected(next)) }
        return true
    }

    private mutating func open(depth: Int) throws(JSONError) {
        guard depth <= limits.depth else { throw error(.tooDeep(limits.depth)) }
        place += 1
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSONValue] {
        try open(depth: depth)
        var elements: [JSONValue] = []
        while try hasNext(isFirst: elements.isEmpty, closing: UInt8(ascii: "]")) {
            elements.append(try value(depth: depth))
        }
        return elements
    }

    private mutating func members(depth: Int) throws(JSONError) -> [JSONValue.Member] {
        try open(depth: depth)
        var members: [JSONValue.Member] = []
        var names: Set<PieceBytes> = []
        while try hasNext(isFirst: members.isEmpty, closing: UInt8(ascii: "}")) {
            let byte = try peek()
            guard byte == UInt8(ascii: "\"") else { throw error(.unexpected(byte)) }
            let start = place
            let name = try text()
            guard names.insert(PieceBytes(name)).inserted else {
                throw JSONError(fault: .duplicateName(name), offset: start)
            }
            let colon = try peek()
            guard colon == UInt8(ascii: ":") else { throw error(.unexpected(colon)) }
            place += 1
            members.append(JSONValue.Member(name: name, value: try value(depth: depth)))
        }
        return members
    }

    // MARK: Texts

    /// The text whose opening quote is the next byte.
    private mutating func text() throws(JSONError) -> String {
        let opening = place
        place += 1
        var spelt: [UInt8] = []
        var run = place
        while true {
            guard place < bytes.count else { throw error(.ended) }
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else { throw error(.controlCharacter(byte)) }
            place += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            spelt += bytes[run..<place - 1]
            spelt += try escape()
            run = place
        }
        let last = bytes[run..<place]
        place += 1
        let text =
            spelt.isEmpty ? String(validating: last, as: UTF8.self) : String(validating: spelt + last, as: UTF8.self)
        guard let text else { throw JSONError(fault: .notUTF8, offset: opening) }
        return text
    }

    /// The bytes that the escape after a backslash stands for.
    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard place < bytes.count else { throw error(.ended) }
        let letter = bytes[place]
        place += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw error(.badEscape)
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> [UInt8] {
        var value = try hexadecimal()
        if (0xD800...0xDBFF).contains(value) {
            guard bytes[place...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { throw error(.badEscape) }
            place += 2
            let low = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(low) else { throw error(.badEscape) }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value), let spelt = UTF8.encode(scalar) else { throw error(.badEscape) }
        return Array(spelt)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard place + 4 <= bytes.count else { throw error(.ended) }
        var value: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error(.badEscape) }
            value = value << 4 | UInt32(digit)
        }
        place += 4
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = place
        if bytes[place] == UInt8(ascii: "-") { place += 1 }
        let leading = place
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[leading] != UInt8(ascii: "0") else { throw error(.badNumber) }
        var isWhole = true
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            isWhole = false
            place += 1
            guard digits() > 0 else { throw error(.badNumber) }
        }
        if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            place += 1
            if place < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[place]) { place += 1 }
            guard digits() > 0 else { throw error(.badNumber) }
        }
        let spelt = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let value = Int(spelt) { return .integer(value) }
        guard let value = Double(spelt) else { throw error(.badNumber) }
        return .real(value)
    }

    /// Reads digits and says how many there were.
    private mutating func digits() -> Int {
        let start = place
        while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
        return place - start
    }
}
