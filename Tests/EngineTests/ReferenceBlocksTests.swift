// ReferenceBlocksTests.swift — stored weights mean what llama.cpp reads from them: Goldens/blocks.

import Foundation
import Testing

@testable import Engine

/// One row of stored weights and the float32 bit patterns that they stand for.
private struct Case: Decodable {
    let name: String
    let bytes: String
    let bits: [UInt32]

    /// The bytes that the hexadecimal digits spell.
    var stored: [UInt8] {
        let digits = Array(bytes.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }
}

private func cases() throws -> [String: [Case]] {
    let file = Golden.folder.appending(path: "blocks/blocks.json")
    return try JSONDecoder().decode([String: [Case]].self, from: Data(contentsOf: file))
}

@Suite struct `Stored blocks` {
    @Test(arguments: StoredTensor.Format.allCases.filter { $0 != .float32 })
    func `mean, bit for bit, what llama.cpp and the gguf package read from them`(format: StoredTensor.Format) throws {
        let cases = try #require(cases()[format.rawValue])
        #expect(cases.contains { $0.bits.count >= 32 })
        for example in cases {
            let owner = TensorBytes(example.stored)
            let tensor = StoredTensor(
                name: example.name, format: format, rows: 1, columns: example.bits.count, bytes: owner.buffer,
                owner: owner)
            try tensor.check(for: .vector)
            #expect(tensor.floats().map(\.bitPattern) == example.bits, "\(format.rawValue), \(example.name)")
            var expanded = [Float](repeating: .nan, count: example.bits.count)
            tensor.expand(row: 0, to: &expanded)
            #expect(expanded.map(\.bitPattern) == example.bits, "kernels: \(format.rawValue), \(example.name)")
        }
    }
}
