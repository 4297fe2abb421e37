// JSONValue.swift — what a JSON text holds, as the files of a Hugging Face folder need it. Made by JSONReader.

/// A value of a JSON text.
///
/// Not Foundation's: there the names of an object are equal when they look equal, and a vocabulary has pieces that look
/// equal and are not.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits.
    case integer(Int)
    case real(Double)
    case text(String)
    case list([JSONValue])
    /// In the order of the text; no two names have the same bytes.
    case object([Member])

    struct Member: Sendable {
        let name: String
        let value: JSONValue
    }

    /// The member of this name; absent where there is none, or where this is no object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var list: [JSONValue]? { if case .list(let values) = self { values } else { nil } }
    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    /// A number of either kind.
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .real(let value): value
        default: nil
        }
    }
    var isNull: Bool { if case .null = self { true } else { false } }
}

/// Why a text is not the JSON that can be read here, and at which byte.
struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    enum Fault: Sendable, Equatable {
        case ended
        case unexpected(UInt8)
        case trailing
        case badNumber
        case badEscape
        case controlCharacter(UInt8)
        case notUTF8
        case duplicateName(String)
        case tooDeep(Int)
        case tooManyValues(Int)
    }

    let fault: Fault
    let offset: Int

    /// "is not valid JSON: …", without the file's name, which stands before it.
    var description: String {
        switch fault {
        case .tooDeep(let limit): "nests more than \(limit) lists and objects at byte \(offset)"
        case .tooManyValues(let limit): "holds more than \(limit) values"
        case .duplicateName(let name): "has the name '\(printable(name))' twice in one object, at byte \(offset)"
        default: "is not valid JSON: \(reason) at byte \(offset)"
        }
    }

    private var reason: String {
        switch fault {
        case .ended: "it ends in the middle of a value"
        case .unexpected(let byte): "there is \(Self.shown(byte)) where something else must be"
        case .trailing: "there is something after its end"
        case .badNumber: "there is a number that JSON does not allow"
        case .badEscape: "there is a broken escape in a text"
        case .controlCharacter(let byte): "there is \(Self.shown(byte)) inside a text"
        case .notUTF8: "there is a text that is not UTF-8"
        case .duplicateName, .tooDeep, .tooManyValues: preconditionFailure("JSONError: said elsewhere")
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "the byte \(byte)"
    }
}
