// HuggingFaceConfiguration.swift — config.json and its like: questions with a type, a range and a default. Read by
// HuggingFaceFolder and by what it makes.

/// A JSON object of a Hugging Face folder: a file, or an object inside one.
struct HuggingFaceConfiguration: Sendable {
    /// Bytes of the longest file that is read.
    static let longest = 4 << 20

    /// The file, for messages.
    let path: String
    /// The keys that lead to this object, each with a dot behind it; empty for the file itself.
    private let prefix: String
    let values: JSONValue

    /// Reads the file at `path`.
    init(path: String) throws(HuggingFaceError) {
        let bytes: [UInt8]
        do throws(FileFault) {
            bytes = try FileBytes.read(path, limit: Self.longest)
        } catch {
            throw HuggingFaceError(path, error)
        }
        try self.init(bytes, path: path)
    }

    /// The file at `path`; absent where there is none.
    static func ifThere(_ path: String) throws(HuggingFaceError) -> HuggingFaceConfiguration? {
        let bytes: [UInt8]?
        do throws(FileFault) {
            bytes = try FileBytes.readIfThere(path, limit: longest)
        } catch {
            throw HuggingFaceError(path, error)
        }
        guard let bytes else { return nil }
        return try HuggingFaceConfiguration(bytes, path: path)
    }

    init(_ bytes: [UInt8], path: String) throws(HuggingFaceError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.read(bytes, limits: JSONReader.Limits(depth: 16, values: 100_000))
        } catch {
            throw HuggingFaceError(path, error)
        }
        guard case .object = value else { throw HuggingFaceError(path, .wrongValue(place: "")) }
        self.init(path: path, prefix: "", values: value)
    }

    private init(path: String, prefix: String, values: JSONValue) {
        (self.path, self.prefix, self.values) = (path, prefix, values)
    }

    /// A value; `null` counts as none, as it does in transformers.
    subscript(key: String) -> JSONValue? { values[key].flatMap { $0.isNull ? nil : $0 } }

    func object(_ key: String) throws(HuggingFaceError) -> HuggingFaceConfiguration? {
        switch self[key] {
        case nil: return nil
        case let values? where values.members != nil:
            return HuggingFaceConfiguration(path: path, prefix: "\(prefix)\(key).", values: values)
        case let other?: throw wrongType(key, other, "an object")
        }
    }

    func string(_ key: String) throws(HuggingFaceError) -> String? {
        switch self[key] {
        case nil: return nil
        case .text(let text)?: return text
        case let other?: throw wrongType(key, other, "text")
        }
    }

    func bool(_ key: String) throws(HuggingFaceError) -> Bool? {
        switch self[key] {
        case nil: return nil
        case .bool(let value)?: return value
        case let other?: throw wrongType(key, other, "yes or no")
        }
    }

    func number(_ key: String) throws(HuggingFaceError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.number else { throw wrongType(key, value, "a number") }
        return number
    }

    /// A whole number, or each of a list of them.
    func integers(_ key: String) throws(HuggingFaceError) -> [Int]? {
        try numbers(key)?.map { value throws(HuggingFaceError) in
            guard let whole = Int(exactly: value) else { throw absurd(key, "\(value)", allowed: "a whole number") }
            return whole
        }
    }

    /// A number, or each of a list of them.
    func numbers(_ key: String) throws(HuggingFaceError) -> [Double]? {
        guard let value = self[key] else { return nil }
        if let number = value.number { return [number] }
        guard let list = value.list else { throw wrongType(key, value, "a number or a list of them") }
        return try list.map { element throws(HuggingFaceError) in
            guard let number = element.number else { throw wrongType(key, value, "a list of numbers") }
            return number
        }
    }

    /// A whole number in `range`; `fallback` where the key is absent and one is given.
    func count(_ key: String, in range: ClosedRange<Int>, or fallback: Int? = nil) throws(HuggingFaceError) -> Int {
        guard let value = try number(key) ?? fallback.map(Double.init) else {
            throw HuggingFaceError(path, .missingKey(prefix + key))
        }
        guard let whole = Int(exactly: value), range.contains(whole) else {
            throw absurd(key, shown(value), allowed: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    /// A number that is finite and above 0 as a `Float`; `fallback` where the key is absent and one is given.
    func positive(_ key: String, or fallback: Float? = nil) throws(HuggingFaceError) -> Float {
        guard let value = try number(key).map({ Float($0) }) ?? fallback else {
            throw HuggingFaceError(path, .missingKey(prefix + key))
        }
        guard value.isFinite, value > 0 else { throw absurd(key, "\(value)", allowed: "a number above 0") }
        return value
    }

    func absurd(_ key: String, _ value: String, allowed: String) -> HuggingFaceError {
        HuggingFaceError(path, .absurdValue(key: prefix + key, value: value, allowed: allowed))
    }

    func fault(_ fault: HuggingFaceError.Fault) -> HuggingFaceError { HuggingFaceError(path, fault) }

    private func wrongType(_ key: String, _ found: JSONValue, _ wanted: String) -> HuggingFaceError {
        HuggingFaceError(path, .wrongKeyType(key: prefix + key, found: found.kind, wanted: wanted))
    }

    private func shown(_ value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }
}

extension JSONValue {
    /// What error messages call it.
    var kind: String {
        switch self {
        case .null: "nothing"
        case .bool: "yes or no"
        case .integer, .real: "a number"
        case .text: "text"
        case .list: "a list"
        case .object: "an object"
        }
    }
}
