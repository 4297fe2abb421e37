// CPULinear.swift — products: row-exact ones by our kernels; fixed-shape ones by a kernel of whole numbers where the
// processor has what makes it fast, otherwise by OpenBLAS in fixed pieces.

import CKernels
import COpenBLAS

/// x · weightᵀ and what follows it.
struct CPULinear {
    let x: CPUMatrix
    let weight: CPUWeight
    let bias: CPUWeight?
    let activation: Activation?
    let residual: CPUMatrix?

    func run(into out: CPUMatrix, on machine: CPUMachine) {
        precondition(x.columns == weight.inputs, "linear: \(x.columns) inputs, weight wants \(weight.inputs)")
        if let residual {
            precondition(
                residual.rows == x.rows && residual.columns == weight.outputs,
                "linear: the residual is [\(residual.rows), \(residual.columns)]")
        }
        guard x.rows > 0 else { return }
        switch weight.packing {
        case .panels(let packed, _):
            ck_linear(
                machine.pointer, packed, x.activations(for: packed.format, on: machine),
                bias?.vector(of: weight.outputs), activation.code, residual?.floats, out.floats, out.stride)
        case .wide(let packed):
            ck_wide_linear(
                machine.pointer, packed.start, Int32(weight.outputs), Int32(weight.inputs), x.wideRows(on: machine),
                Int32(x.rows), bias?.vector(of: weight.outputs), activation.code, residual?.floats, out.floats,
                out.stride)
        case .dense(let numbers):
            runFixedShape(numbers, into: out, on: machine)
        case .table, .vector:
            preconditionFailure("linear: the weight was packed for another use")
        }
    }

    /// Cuts the product into blocks of rows and outputs that depend only on its shape. Each block is one call of BLAS on
    /// one thread, so its bits are the same whoever computes it.
    private func runFixedShape(_ numbers: AlignedMemory, into out: CPUMatrix, on machine: CPUMachine) {
        var pieces = BLASPieces(
            x: x.floats, weight: numbers.floats, bias: bias?.vector(of: weight.outputs), residual: residual?.floats,
            out: out.floats, rows: x.rows, outputs: out.stride, inputs: weight.inputs, xStride: x.stride,
            activation: activation.code, machine: machine.pointer)
        withUnsafeMutablePointer(to: &pieces) { context in
            ck_machine_run(
                machine.pointer, Int32(context.pointee.count),
                { context, piece, _ in
                    context?.assumingMemoryBound(to: BLASPieces.self).pointee.run(Int(piece))
                }, context)
        }
    }
}

/// What a thread needs to compute one block of a fixed-shape product.
private struct BLASPieces {
    // Blocks this small lose 4 to 6 % against one call (115 of 121 GFLOP/s, one thread, [577, 1024] by [4096, 1024]) and
    // give every product of a tower enough pieces to share.
    static let rowsAtOnce = 320
    static let outputsAtOnce = 128

    let x: UnsafePointer<Float>
    let weight: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let residual: UnsafePointer<Float>?
    let out: UnsafeMutablePointer<Float>
    let rows: Int
    /// Padded outputs, which are also the floats from one row of `out` or `residual` to the next.
    let outputs: Int
    let inputs: Int
    let xStride: Int
    let activation: ck_activation
    let machine: OpaquePointer

    var count: Int { rowBlocks * ((outputs + Self.outputsAtOnce - 1) / Self.outputsAtOnce) }
    private var rowBlocks: Int { (rows + Self.rowsAtOnce - 1) / Self.rowsAtOnce }

    func run(_ piece: Int) {
        let row = piece % rowBlocks * Self.rowsAtOnce, output = piece / rowBlocks * Self.outputsAtOnce
        let rowCount = min(Self.rowsAtOnce, rows - row), outputCount = min(Self.outputsAtOnce, outputs - output)
        let place = row * outputs + output
        ob_multiply(
            Int32(rowCount), Int32(outputCount), Int32(inputs), x + row * xStride, Int32(xStride),
            weight + output * inputs, out + place, Int32(outputs))
        ck_finish(
            machine, out + place, outputs, Int32(rowCount), Int32(outputCount), bias.map { $0 + output }, activation,
            residual.map { $0 + place })
    }
}

extension Activation? {
    fileprivate var code: ck_activation {
        switch self {
        case nil: CK_NONE
        case .quickGELU: CK_QUICK_GELU
        case .gelu: CK_GELU
        }
    }
}
