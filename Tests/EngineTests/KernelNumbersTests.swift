// KernelNumbersTests.swift — functions of one number against double precision, and stored numbers against the loops.

import CKernels
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `Kernel numbers` {
    /// What an activation makes of each number.
    private func activate(_ numbers: [Float], _ activation: Activation, _ instructions: InstructionSet) throws
        -> [Float]
    {
        let backend = try CPUBackend(threads: 1, instructions: instructions)
        let pass = backend.begin(.text(rows: 1, after: 0))
        let one = try backend.makeWeight(.made([1], rows: 1), for: .rowExactProduct)
        return try pass.read(
            pass.linear(pass.load(numbers, columns: 1), one, bias: nil, activation: activation, residual: nil))
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isAvailable))
    func `activations are within two millionths of the truth, small results included`(
        instructions: InstructionSet
    ) throws {
        let numbers = (-4000...4000).map { Float($0) / 400 }
        let gelu = try activate(numbers, .gelu, instructions)
        let quick = try activate(numbers, .quickGELU, instructions)
        for (index, x) in numbers.map(Double.init).enumerated() {
            let exact = x / 2 * erfc(-x / 2.0.squareRoot())
            // Far out in the tail the square of x, rounded, is what limits the result.
            let slack = 2e-6 * max(1, x * x / 10)
            #expect(abs(Double(gelu[index]) - exact) <= slack * abs(exact) + 1e-37, "gelu of \(x)")
            let swish = x / (1 + exp(-1.702 * x))
            #expect(abs(Double(quick[index]) - swish) <= 2e-6 * abs(swish), "quick gelu of \(x)")
        }
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isAvailable))
    func `activations of huge numbers are finite, and not-a-number stays`(instructions: InstructionSet) throws {
        for activation in [Activation.gelu, .quickGELU] {
            let found = try activate([-1e30, -300, 300, 1e30, .nan], activation, instructions)
            #expect(found[0...1].allSatisfy { $0.isFinite && $0.magnitude < 1e-6 })
            #expect(found[2] == 300 && found[3] == 1e30 && found[4].isNaN)
        }
    }

    @Test(arguments: StoredTensor.Format.allCases)
    func `C and Swift read the same numbers from the same bytes`(format: StoredTensor.Format) throws {
        // Every byte pattern of a half, and random blocks.
        var random = SeededNumbers(seed: 20)
        let columns = 4096
        let bytes = TensorBytes(
            format == .float16
                ? (0..<UInt16(columns)).flatMap { [UInt8($0 & 255), UInt8(($0 << 4) >> 8)] }
                : (0..<columns / format.blockLength * format.blockBytes).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                })
        let tensor = StoredTensor(
            name: "x", format: format, rows: 1, columns: columns, bytes: bytes.buffer, owner: bytes)
        let expected = tensor.floats()
        let found = [Float](unsafeUninitializedCapacity: columns) { target, count in
            tensor.expand(row: 0, to: target.baseAddress!)
            count = columns
        }
        for (a, b) in zip(found, expected) { #expect(a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)) }
    }
}
