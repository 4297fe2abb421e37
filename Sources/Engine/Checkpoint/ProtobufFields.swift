// ProtobufFields.swift — the fields of a protocol buffers message, one by one. Read by SentencePieceModel.

/// A message as a list of numbered fields; every length is checked against what is left before anything is taken.
struct ProtobufFields {
    enum Value: Sendable, Equatable {
        case integer(UInt64)
        /// Four or eight bytes, as they stand.
        case fixed(UInt64)
        /// A text, or a message in the message.
        case bytes(ArraySlice<UInt8>)
    }

    /// The bytes are no protocol buffers message.
    struct Damage: Error, Equatable {
        /// Where in the file.
        let offset: Int
    }

    private let bytes: ArraySlice<UInt8>
    private var place: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    /// The next field; absent at the end.
    mutating func next() throws(Damage) -> (number: UInt64, value: Value)? {
        guard place < bytes.endIndex else { return nil }
        let start = place
        let key = try integer()
        let value: Value
        switch key & 7 {
        case 0: value = .integer(try integer())
        case 1: value = .fixed(try fixed(8))
        case 2:
            let length = try integer()
            guard length <= UInt64(bytes.endIndex - place) else { throw Damage(offset: start) }
            value = .bytes(bytes[place..<place + Int(length)])
            place += Int(length)
        case 5: value = .fixed(try fixed(4))
        default: throw Damage(offset: start)  // groups, which nothing has written for fifteen years
        }
        guard key >> 3 > 0 else { throw Damage(offset: start) }
        return (key >> 3, value)
    }

    /// A number of seven bits a byte, the lowest first.
    private mutating func integer() throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard place < bytes.endIndex else { break }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw Damage(offset: place)
    }

    private mutating func fixed(_ size: Int) throws(Damage) -> UInt64 {
        guard size <= bytes.endIndex - place else { throw Damage(offset: place) }
        defer { place += size }
        return bytes[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
