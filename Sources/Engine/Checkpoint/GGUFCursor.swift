// GGUFCursor.swift — reads a GGUF file's header from front to back, trusting none of it. Used by GGUF alone.

/// A place in the header and what follows it. No count from the file is used before it is known that the file has
/// enough bytes for it, so memory stays in proportion to the header whatever the file claims.
struct GGUFCursor {
    let bytes: FileBytes
    let file: String
    private(set) var offset = 0

    /// Lists inside lists: none are in use, so a few levels are plenty, and a deep one cannot exhaust the stack.
    private static let deepestList = 4
    /// A key (its length, no text), its type and the smallest value.
    private static let smallestKey = 8 + 4 + 1
    /// A name (its length, no text), one dimension, the type and the offset.
    private static let smallestTensor = 8 + 4 + 8 + 4 + 8

    init(_ bytes: FileBytes, file: String) {
        self.bytes = bytes
        self.file = file
    }

    private var remaining: Int { bytes.count - offset }

    private func fail(_ fault: GGUFError.Fault) -> GGUFError { GGUFError(file: file, fault) }

    // MARK: The parts of a header, in their order

    /// Magic number and version; then the numbers of tensors and of keys.
    mutating func header() throws(GGUFError) -> (version: UInt32, tensors: Int, keys: Int) {
        let magic: UInt32 = 0x4655_4747  // "GGUF"
        guard let found = bytes.integer(UInt32.self, at: 0) else { throw fail(.notGGUF) }
        guard found == magic else { throw fail(.notGGUF) }
        offset = 4
        let version = try integer(UInt32.self, of: "the header")
        // Versions are small, so a number whose low half is empty is one written the other way round.
        if version != 0 && version & 0xFFFF == 0 { throw fail(.bigEndian) }
        guard version == 2 || version == 3 else { throw fail(.wrongVersion(version)) }
        let tensors = try integer(UInt64.self, of: "the header")
        let keys = try integer(UInt64.self, of: "the header")
        guard keys <= UInt64(remaining / Self.smallestKey) else { throw fail(.tooMany("keys", keys)) }
        guard tensors <= UInt64(remaining / Self.smallestTensor) else { throw fail(.tooMany("tensors", tensors)) }
        return (version, Int(tensors), Int(keys))
    }

    /// The next key and its value; `number` counts from 1 and is for messages.
    mutating func entry(_ number: Int) throws(GGUFError) -> (key: String, value: GGUFValue) {
        let key = try name(of: "key number \(number)")
        let type = try valueType(of: key)
        return (key, try value(type, of: key, depth: 0))
    }

    /// The next line of the tensor directory, its offset still counted from the start of the data.
    mutating func tensor(_ number: Int) throws(GGUFError) -> GGUFTensor {
        let name = try name(of: "tensor number \(number)")
        let place = "the directory entry of tensor '\(name)'"
        let count = try integer(UInt32.self, of: place)
        guard (1...4).contains(count) else { throw fail(.dimensionCount(tensor: name, Int(count))) }
        var dimensions: [Int] = []
        var product = 1
        for _ in 0..<count {
            let size = try integer(UInt64.self, of: place)
            guard size > 0, let length = Int(exactly: size) else { throw fail(.dimension(tensor: name, size)) }
            let (next, overflow) = product.multipliedReportingOverflow(by: length)
            guard !overflow else { throw fail(.dimension(tensor: name, size)) }
            product = next
            dimensions.append(length)
        }
        let type = GGUFTensorType(code: try integer(UInt32.self, of: place))
        let relative = try integer(UInt64.self, of: place)
        var byteCount: Int?
        if let block = type.block {
            guard dimensions[0] % block.length == 0 else {
                throw fail(.partialBlock(tensor: name, type: type.name, row: dimensions[0], block: block.length))
            }
            let (total, overflow) = (product / block.length).multipliedReportingOverflow(by: block.bytes)
            guard !overflow else { throw fail(.dimension(tensor: name, UInt64(product))) }
            byteCount = total
        }
        return GGUFTensor(
            name: name, type: type, dimensions: dimensions, offset: Int(clamping: relative), byteCount: byteCount)
    }

    // MARK: Values

    private mutating func value(
        _ type: GGUFValueType, of key: String, depth: Int
    ) throws(GGUFError) -> GGUFValue {
        let place = "the value of '\(key)'"
        switch type {
        case .uint8: return .unsigned(UInt64(try integer(UInt8.self, of: place)))
        case .uint16: return .unsigned(UInt64(try integer(UInt16.self, of: place)))
        case .uint32: return .unsigned(UInt64(try integer(UInt32.self, of: place)))
        case .uint64: return .unsigned(try integer(UInt64.self, of: place))
        case .int8: return .signed(Int64(try integer(Int8.self, of: place)))
        case .int16: return .signed(Int64(try integer(Int16.self, of: place)))
        case .int32: return .signed(Int64(try integer(Int32.self, of: place)))
        case .int64: return .signed(try integer(Int64.self, of: place))
        case .float32: return .float(Double(Float(bitPattern: try integer(UInt32.self, of: place))))
        case .float64: return .float(Double(bitPattern: try integer(UInt64.self, of: place)))
        case .bool:
            let byte = try integer(UInt8.self, of: place)
            guard byte <= 1 else { throw fail(.badBool(key: key)) }
            return .bool(byte == 1)
        case .string: return .string(try string(of: place))
        case .array: return .array(try array(of: key, depth: depth + 1))
        }
    }

    /// Checks a list to its end and says where it stands; nothing of it is kept.
    private mutating func array(of key: String, depth: Int) throws(GGUFError) -> GGUFArray {
        guard depth <= Self.deepestList else { throw fail(.nestedTooDeeply(key: key)) }
        let place = "the value of '\(key)'"
        let element = try valueType(of: key)
        let claimed = try integer(UInt64.self, of: place)
        // A string begins with 8 bytes, a list with 12: the least that each element takes.
        let smallest = element.byteCount ?? (element == .string ? 8 : 12)
        guard claimed <= UInt64(remaining / smallest) else { throw fail(.listPastEnd(key: key, claimed)) }
        let array = GGUFArray(element: element, count: Int(claimed), offset: offset)
        switch element {
        case .string: for _ in 0..<array.count { _ = try string(of: place) }
        case .array: for _ in 0..<array.count { _ = try self.array(of: key, depth: depth + 1) }
        default:
            let length = array.count * smallest
            if element == .bool, bytes.exceeds(1, at: offset, count: length) { throw fail(.badBool(key: key)) }
            offset += length
        }
        return array
    }

    private mutating func valueType(of key: String) throws(GGUFError) -> GGUFValueType {
        let code = try integer(UInt32.self, of: "the value of '\(key)'")
        guard let type = GGUFValueType(rawValue: code) else { throw fail(.badValueType(key: key, code)) }
        return type
    }

    private mutating func string(of place: String) throws(GGUFError) -> String {
        let length = try integer(UInt64.self, of: place)
        guard length <= UInt64(remaining) else { throw fail(.textPastEnd(place: place, length)) }
        guard let text = bytes.text(at: offset, count: Int(length)) else { throw fail(.notUTF8(place: place)) }
        offset += Int(length)
        return text
    }

    /// The name of a key or tensor. Names stay in memory, so they are held to what GGUF allows.
    private mutating func name(of place: String) throws(GGUFError) -> String {
        let name = try string(of: place)
        guard name.utf8.count <= 65535 else { throw fail(.keyTooLong(name.utf8.count)) }
        return name
    }

    private mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, of place: @autoclosure () -> String
    ) throws(GGUFError) -> Integer {
        guard let value = bytes.integer(type, at: offset) else { throw fail(.truncated(place: place())) }
        offset += MemoryLayout<Integer>.size
        return value
    }

    // MARK: Lists, once somebody asks

    /// The texts of a list that `entry` has checked; absent where the file has changed since.
    static func strings(of array: GGUFArray, in bytes: FileBytes) -> [String]? {
        var texts: [String] = []
        texts.reserveCapacity(array.count)
        var offset = array.offset
        for _ in 0..<array.count {
            guard let length = bytes.integer(UInt64.self, at: offset), length <= UInt64(bytes.count - offset - 8),
                let text = bytes.text(at: offset + 8, count: Int(length))
            else { return nil }
            texts.append(text)
            offset += 8 + Int(length)
        }
        return texts
    }

    /// The numbers of a list that `entry` has checked; absent where its elements are no numbers.
    static func numbers(of array: GGUFArray, in bytes: FileBytes) -> [GGUFValue]? {
        guard let size = array.element.byteCount, array.element != .bool else { return nil }
        var cursor = GGUFCursor(bytes, file: "")
        cursor.offset = array.offset
        return (0..<array.count).map { _ in
            guard let value = try? cursor.value(array.element, of: "", depth: 0) else {
                preconditionFailure("GGUFCursor: a list of \(size)-byte numbers that was not checked")
            }
            return value
        }
    }
}
