// QuantisationTests.swift — floats become the blocks that llama.cpp makes of them: Goldens/blocks/quantised.json.

import CKernels
import Foundation
import Testing

@testable import Engine

/// Numbers as half-precision patterns, and what llama.cpp's quantiser makes of them.
private struct Case: Decodable {
    let name: String
    let numbers: [UInt16]
    /// The blocks in hexadecimal, where there is only one good answer.
    let bytes: String?
    /// The root mean square of the errors otherwise.
    let error: Double?

    var floats: [Float] { numbers.map { Float(Float16(bitPattern: $0)) } }

    static func all(_ format: StoredTensor.Format) throws -> [Case] {
        let file = Golden.folder.appending(path: "blocks/quantised.json")
        let cases = try JSONDecoder().decode([String: [Case]].self, from: Data(contentsOf: file))
        return try #require(cases[format.rawValue])
    }
}

/// A GGUF row of `numbers`, and whether all of them could be written: the same by every instruction set.
private func row(_ numbers: [Float], _ format: StoredTensor.Format) throws -> (bytes: [UInt8], isGood: Bool) {
    let rows = try InstructionSet.allCases.filter(\.isAvailable).map { instructions in
        let machine = try CPUMachine(instructions: instructions, threads: 1)
        var bytes = [UInt8](repeating: 0xAA, count: numbers.count / format.blockLength * format.blockBytes)
        let isGood = ck_make_row(machine.pointer, format.code, numbers, Int32(numbers.count), &bytes)
        return (bytes: bytes, isGood: isGood)
    }
    let first = try #require(rows.first)
    #expect(rows.allSatisfy { $0 == first })
    return first
}

@Suite struct `Quantising` {
    @Test(arguments: [StoredTensor.Format.q8_0, .q4_0])
    func `makes llama.cpp's blocks, bit for bit`(format: StoredTensor.Format) throws {
        let cases = try Case.all(format)
        #expect(cases.count >= 14)
        for example in cases {
            let (bytes, isGood) = try row(example.floats, format)
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(digits == example.bytes && isGood, "\(format.rawValue), \(example.name)")
        }
    }

    @Test func `to Q4_K errs no more than llama.cpp's on noise, within 2 %`() throws {
        let example = try #require(Case.all(.q4_k).first), numbers = example.floats
        let owner = try TensorBytes(row(numbers, .q4_k).bytes)
        let tensor = StoredTensor(
            name: "noise", format: .q4_k, rows: 1, columns: numbers.count, bytes: owner.buffer, owner: owner)
        let squares = zip(tensor.floats(), numbers).map { Double(($0 - $1) * ($0 - $1)) }
        let error = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        let theirs = try #require(example.error)
        #expect(error < 1.02 * theirs, "\(error) against \(theirs)")
        // Nor can four bits do much better: a smaller figure would be a mistake of this test.
        #expect(error > 0.9 * theirs)
    }

    @Test func `to Q4_K keeps blocks that it can write exactly, and edges within a step`() throws {
        let ramp = (0..<256).map { Float($0 % 16) * 0.5 - 2 }
        let zero = [Float](repeating: 0, count: 256), five = [Float](repeating: 5, count: 256)
        let less = [Float](repeating: -5, count: 256), tiny = (0..<256).map { Float($0 % 3) * .leastNonzeroMagnitude }
        let one = (0..<256).map { Float($0 == 77 ? 3 : 0) }
        let edges: [([Float], slack: Float)] = [
            (ramp, 0.02), (zero, 0), (five, 0.01), (less, 0.01), (tiny, .leastNormalMagnitude), (one, 0.01),
        ]
        for (numbers, slack) in edges {
            let made = try row(numbers, .q4_k), owner = TensorBytes(made.bytes)
            let tensor = StoredTensor(
                name: "edge", format: .q4_k, rows: 1, columns: 256, bytes: owner.buffer, owner: owner)
            #expect(made.isGood && zip(tensor.floats(), numbers).allSatisfy { abs($0 - $1) <= slack })
        }
    }

    @Test(arguments: Quantisation.allCases)
    func `refuses what has no scale`(quantisation: Quantisation) throws {
        for bad in [Float.nan, .infinity, -.infinity, 3e38] {
            var numbers = [Float](repeating: 1, count: 512)
            #expect(try row(numbers, quantisation.format).isGood)
            numbers[300] = bad
            #expect(try !row(numbers, quantisation.format).isGood, "\(bad)")
            let tensor = StoredTensor.made(numbers, rows: 2, name: "blk.0.attn_q.weight")
            let error = #expect(throws: WeightError.self) {
                try CPUBackend(threads: 2).makeProduct(tensor, as: quantisation.format, shelf: nil)
            }
            #expect(error?.description.contains("cannot stand for: not-a-number, infinite or too large") == true)
        }
    }

    /// Sixteen and a rest of outputs, so that a panel is not whole.
    @Test(arguments: Quantisation.allCases, [StoredTensor.Format.float32, .float16, .bfloat16])
    func `while loading gives the bits that a file of that type gives`(
        quantisation: Quantisation, stored: StoredTensor.Format
    ) throws {
        var random = SeededNumbers(seed: 5)
        let outputs = 41, inputs = 512
        let tensor = StoredTensor.made(random.floats(outputs * inputs), rows: outputs, format: stored)
        let format = quantisation.format
        let owner = try TensorBytes((0..<outputs).flatMap { try row(tensor.floats(row: $0), format).bytes })
        let file = StoredTensor(
            name: "file", format: format, rows: outputs, columns: inputs, bytes: owner.buffer, owner: owner)
        let x = random.floats(3 * inputs)
        for instructions in InstructionSet.allCases where instructions.isAvailable {
            for threads in [1, 3] {
                let backend = try CPUBackend(threads: threads, instructions: instructions)
                func product(_ weight: any Weight) throws -> [UInt32] {
                    let pass = backend.begin(.text(rows: 3, after: 0))
                    return try pass.read(pass.linear(pass.load(x, columns: inputs), weight)).map(\.bitPattern)
                }
                let made = try product(backend.makeProduct(tensor, as: format, shelf: nil))
                #expect(try made == product(backend.makeWeight(file, for: .rowExactProduct)))
                // Sixteen rows at once, as a tensor that is larger than what is packed in one piece.
                for source in [tensor, file] {
                    let pieces = try CPUWeight(source, as: format, on: backend.machine, shelf: nil, packedAtOnce: 1)
                    #expect(try made == product(pieces))
                }
            }
        }
    }

    @Test func `leaves alone what is quantised or does not fit, and gives the head eight bits`() {
        func format(_ name: String, _ stored: StoredTensor.Format, columns: Int, _ wanted: Quantisation?)
            -> StoredTensor.Format
        {
            let owner = TensorBytes([])
            let tensor = StoredTensor(
                name: name, format: stored, rows: 1, columns: columns, bytes: owner.buffer, owner: owner)
            return ProductPacking(quantisation: wanted).format(of: tensor)
        }
        let inner = "blk.3.ffn_up.weight"
        #expect(format(inner, .float16, columns: 4096, .q4_k) == .q4_k)
        #expect(format(inner, .bfloat16, columns: 4096, .q4_0) == .q4_0)
        #expect(format(inner, .float32, columns: 4096, .q8_0) == .q8_0)
        #expect(format(inner, .float16, columns: 4096, nil) == .float16)
        #expect(format(inner, .q6_k, columns: 4096, .q4_0) == .q6_k)
        #expect(format(inner, .float16, columns: 4096 + 32, .q4_k) == .q8_0)
        #expect(format(inner, .float16, columns: 88, .q4_k) == .float16)
        #expect(format("output.weight", .float16, columns: 4096, .q4_k) == .q8_0)
        #expect(format("token_embd.weight", .float16, columns: 4096, .q4_0) == .q8_0)
    }
}
