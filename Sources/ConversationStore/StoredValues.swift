// StoredValues.swift — how values that have no column of their own lie in the store: JSON texts and token ids.

import Foundation

enum StoredJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_: Value.Type, from text: String) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// The stored value over `defaults`: what an older program did not know is as it is by default.
    static func value<Value: Codable>(from text: String, over defaults: Value) -> Value? {
        guard let stored = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let data = try? JSONEncoder().encode(defaults),
            let base = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let merged = try? JSONSerialization.data(withJSONObject: merge(stored, over: base))
        else { return nil }
        return try? JSONDecoder().decode(Value.self, from: merged)
    }

    private static func merge(_ stored: [String: Any], over base: [String: Any]) -> [String: Any] {
        base.merging(stored) { base, stored in
            guard let base = base as? [String: Any], let stored = stored as? [String: Any] else { return stored }
            return merge(stored, over: base)
        }
    }
}

/// Token ids as 4 bytes each, little-endian.
enum StoredTokens {
    static func data(_ tokens: [Int32]) -> Data {
        tokens.map(\.littleEndian).withUnsafeBytes { Data($0) }
    }

    /// Absent where the bytes are no whole number of tokens.
    static func tokens(_ data: Data) -> [Int32]? {
        guard data.count % 4 == 0 else { return nil }
        return data.withUnsafeBytes { bytes in
            (0..<data.count / 4).map {
                Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
            }
        }
    }
}
