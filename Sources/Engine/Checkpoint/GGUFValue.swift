// GGUFValue.swift — what a metadata key of a GGUF file may hold. Made by GGUFCursor, asked for through GGUF.

/// The thirteen value types of GGUF, by their code in the file.
enum GGUFValueType: UInt32, Sendable, CaseIterable {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of one value; absent where they differ from value to value.
    var byteCount: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// What error messages and `inspect` call it.
    var name: String {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: "a whole number"
        case .float32, .float64: "a number"
        case .bool: "yes or no"
        case .string: "text"
        case .array: "a list"
        }
    }
}

/// A metadata value. Numbers of all widths are widened, which loses nothing; lists stay in the file.
enum GGUFValue: Sendable, Equatable {
    case unsigned(UInt64)
    case signed(Int64)
    case float(Double)
    case bool(Bool)
    case string(String)
    case array(GGUFArray)

    var typeName: String {
        switch self {
        case .unsigned, .signed: GGUFValueType.uint64.name
        case .float: GGUFValueType.float64.name
        case .bool: GGUFValueType.bool.name
        case .string: GGUFValueType.string.name
        case .array: GGUFValueType.array.name
        }
    }
}

/// Where a list stands in the file. Its bounds and its text were checked when the file was opened, so that a list takes
/// no memory until someone asks for it and then never more than the file has for it.
struct GGUFArray: Sendable, Equatable {
    let element: GGUFValueType
    let count: Int
    /// Of the first element, from the start of the file.
    let offset: Int
}
