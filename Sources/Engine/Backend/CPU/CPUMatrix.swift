// CPUMatrix.swift — the rows, weights and caches that the C kernels work on. Made by CPUBackend and CPUForwardPass.

import CKernels
import COpenBLAS

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Rows of float32, each padded with zeros to a multiple of 16.
final class CPUMatrix: Matrix {
    let rows: Int
    let columns: Int
    /// Floats from one row to the next.
    let stride: Int
    private let memory: PooledMemory
    private let pool: BufferPool
    /// The rows as whole numbers of one byte, with a scale for each 32 of them.
    private var whole: PooledMemory?
    /// The rows as whole numbers of two bytes, with a scale for each 64.
    private var wide: PooledMemory?

    init(rows: Int, columns: Int, pool: BufferPool) {
        self.rows = rows
        self.columns = columns
        self.pool = pool
        stride = columns.roundedUp(to: 16)
        memory = PooledMemory(bytes: rows * stride * 4, from: pool)
    }

    var floats: UnsafeMutablePointer<Float> { memory.floats }

    func row(_ index: Int) -> UnsafeMutablePointer<Float> { floats + index * stride }

    /// What a kernel reads. Whole numbers are made once, however many quantised weights the rows meet.
    func activations(for format: ck_format, on machine: CPUMachine) -> ck_activations {
        var numbers: UnsafeRawPointer?
        if ck_is_quantised(format) {
            let made = whole ?? quantised(on: machine)
            whole = made
            numbers = UnsafeRawPointer(made.start)
        }
        return ck_activations(rows: Int32(rows), x: floats, stride: stride, whole: numbers)
    }

    /// The rows as a wide weight reads them, made once likewise.
    func wideRows(on machine: CPUMachine) -> UnsafeRawPointer {
        let made = wide ?? widened(on: machine)
        wide = made
        return UnsafeRawPointer(made.start)
    }

    private func widened(on machine: CPUMachine) -> PooledMemory {
        let memory = PooledMemory(bytes: ck_wide_row_bytes(Int32(rows), Int32(columns)), from: pool)
        ck_wide_rows(machine.pointer, floats, Int32(rows), Int32(columns), stride, memory.start)
        return memory
    }

    private func quantised(on machine: CPUMachine) -> PooledMemory {
        precondition(columns % 32 == 0, "quantise: \(columns) columns, blocks hold 32")
        let memory = PooledMemory(bytes: ck_quantised_bytes(Int32(rows), Int32(columns)), from: pool)
        ck_quantize(machine.pointer, floats, Int32(rows), Int32(columns), stride, memory.start)
        return memory
    }
}

/// A weight, packed for its use.
final class CPUWeight: Weight {
    enum Packing {
        /// Panels of 16 outputs for the row-exact kernels, and what keeps them.
        case panels(ck_weight, AnyObject)
        /// Panels of 16 outputs, whole numbers of two bytes, for the fixed-shape kernel.
        case wide(AlignedMemory)
        /// Float32 [outputs rounded up to 16, inputs] for BLAS.
        case dense(AlignedMemory)
        /// The file's own rows.
        case table(StoredTensor)
        /// Float32, padded with zeros to a multiple of 16.
        case vector(AlignedMemory)
    }

    let outputs: Int
    let inputs: Int
    let packing: Packing
    /// The file that the packed bytes lie in, to be asked whether it has changed; absent for bytes in memory.
    private(set) var file: (any TensorBytes)?

    init(_ tensor: StoredTensor, for use: WeightUse, on machine: CPUMachine) throws {
        try tensor.check(for: use)
        outputs = tensor.rows
        inputs = tensor.columns
        switch use {
        case .rowExactProduct:
            packing = try Self.panels(
                tensor, as: tensor.format, on: machine, shelf: nil, packedAtOnce: Self.packedAtOnce)
        case .fixedShapeProduct: packing = try Self.fixedShape(tensor, on: machine)
        case .table: packing = .table(tensor)
        case .vector: packing = .vector(Self.floats(tensor, rows: 1))
        }
        if use != .table { tensor.giveBackPages() }
    }

    /// For row-exact products, of the type `format`.
    ///
    /// - Parameter packedAtOnce: bytes of the file's rows that are packed before their pages are given back.
    init(
        _ tensor: StoredTensor, as format: StoredTensor.Format, on machine: CPUMachine, shelf: (any WeightShelf)?,
        packedAtOnce: Int = CPUWeight.packedAtOnce
    ) throws(WeightError) {
        try tensor.check(for: .rowExactProduct)
        outputs = tensor.rows
        inputs = tensor.columns
        let shape = PackedShape(name: tensor.name, format: format, outputs: outputs, inputs: inputs)
        if let kept = shelf?.bytes(of: shape), let start = kept.bytes.baseAddress {
            precondition(kept.bytes.count == shape.packedBytes, "CPUWeight: \(kept.bytes.count) bytes on the shelf")
            let weight = ck_weight(
                format: format.code, outputs: Int32(outputs), inputs: Int32(inputs), packed: start)
            packing = .panels(weight, kept.owner)
            file = kept.owner
        } else {
            packing = try Self.panels(tensor, as: format, on: machine, shelf: shelf, packedAtOnce: packedAtOnce)
            tensor.giveBackPages()
        }
    }

    /// The numbers of a vector of `count` numbers.
    func vector(of count: Int) -> UnsafePointer<Float> {
        guard case .vector(let memory) = packing else { preconditionFailure("CPUWeight: not packed as a vector") }
        precondition(inputs == count, "CPUWeight: a vector of \(inputs) numbers meets \(count) columns")
        return UnsafePointer(memory.floats)
    }

    private static func panels(
        _ tensor: StoredTensor, as format: StoredTensor.Format, on machine: CPUMachine, shelf: (any WeightShelf)?,
        packedAtOnce: Int
    ) throws(WeightError) -> Packing {
        let shape = PackedShape(name: tensor.name, format: format, outputs: tensor.rows, inputs: tensor.columns)
        let memory = AlignedMemory(bytes: shape.packedBytes)
        let rowsAtOnce = max(16, packedAtOnce / max(tensor.rowBytes, 1) / 16 * 16)
        for first in stride(from: 0, to: tensor.rows, by: rowsAtOnce) {
            let rows = first..<min(first + rowsAtOnce, tensor.rows)
            let before = PackedShape(name: tensor.name, format: format, outputs: first, inputs: tensor.columns)
            try pack(rows, of: tensor, as: format, on: machine, into: memory.start + before.packedBytes)
            tensor.giveBackPages(ofRows: rows)
        }
        shelf?.keep(UnsafeRawBufferPointer(start: memory.start, count: shape.packedBytes), of: shape)
        let weight = ck_weight(
            format: format.code, outputs: Int32(tensor.rows), inputs: Int32(tensor.columns), packed: memory.start)
        return .panels(weight, memory)
    }

    private static func pack(
        _ rows: Range<Int>, of tensor: StoredTensor, as format: StoredTensor.Format, on machine: CPUMachine,
        into packed: UnsafeMutableRawPointer
    ) throws(WeightError) {
        guard let start = tensor.bytes.baseAddress else { return }
        let source = start + rows.lowerBound * tensor.rowBytes
        let outputs = Int32(rows.count), inputs = Int32(tensor.columns)
        guard format != tensor.format else {
            return ck_pack(machine.pointer, format.code, source, outputs, inputs, packed)
        }
        precondition(tensor.format.blockLength == 1, "CPUWeight: \(tensor.format) cannot become \(format)")
        let scratch = AlignedMemory(bytes: machine.threads * ck_convert_scratch(format.code, inputs))
        let isGood = ck_convert(
            machine.pointer, tensor.format.code, source, outputs, inputs, format.code, scratch.start, packed)
        guard isGood else { throw .notQuantisable(name: tensor.name, format: format.rawValue) }
    }

    /// What has been packed need not stay resident while the rest is read: a large head would stand in memory twice.
    static let packedAtOnce = 16 << 20

    /// Products of fewer numbers take no time worth saving, and keep all bits of float32.
    static let fewestWideNumbers = 512 * 512

    private static func fixedShape(_ tensor: StoredTensor, on machine: CPUMachine) throws(CPUBackendError) -> Packing {
        let outputs = Int32(tensor.rows), inputs = Int32(tensor.columns)
        if isWide(tensor, on: machine), let rows = tensor.bytes.baseAddress {
            let memory = AlignedMemory(bytes: ck_wide_weight_bytes(outputs, inputs))
            ck_wide_pack(machine.pointer, tensor.format.code, rows, outputs, inputs, memory.start)
            return .wide(memory)
        }
        if let problem = ob_load() { throw .openBLASUnavailable(String(cString: problem)) }
        return .dense(floats(tensor, rows: tensor.rows.roundedUp(to: 16)))
    }

    private static func isWide(_ tensor: StoredTensor, on machine: CPUMachine) -> Bool {
        ck_wide_available(machine.pointer) && tensor.columns % CK_WIDE_BLOCK == 0
            && tensor.rows * tensor.columns >= fewestWideNumbers
    }

    /// Bytes of memory that a weight would take; a table takes none beside its file.
    static func bytes(of tensor: StoredTensor, for use: WeightUse, on machine: CPUMachine) -> Int {
        switch use {
        case .rowExactProduct:
            PackedShape(name: tensor.name, format: tensor.format, outputs: tensor.rows, inputs: tensor.columns)
                .packedBytes
        case .fixedShapeProduct where isWide(tensor, on: machine):
            ck_wide_weight_bytes(Int32(tensor.rows), Int32(tensor.columns))
        case .fixedShapeProduct: floatCount(tensor, rows: tensor.rows.roundedUp(to: 16)) * 4
        case .vector: floatCount(tensor, rows: tensor.rows) * 4
        case .table: 0
        }
    }

    private static func floatCount(_ tensor: StoredTensor, rows: Int) -> Int {
        (rows * tensor.columns).roundedUp(to: 16)
    }

    private static func floats(_ tensor: StoredTensor, rows: Int) -> AlignedMemory {
        let count = floatCount(tensor, rows: rows)
        let memory = AlignedMemory(bytes: count * 4)
        for row in 0..<tensor.rows { tensor.expand(row: row, to: memory.floats + row * tensor.columns) }
        let filled = tensor.rows * tensor.columns
        (memory.floats + filled).initialize(repeating: 0, count: count - filled)
        return memory
    }
}

extension StoredTensor {
    /// Writes the `columns` numbers of one row as float32.
    func expand(row: Int, to target: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "StoredTensor: '\(name)' has \(rows) rows, no row \(row)")
        guard let start = bytes.baseAddress else { return }
        ck_expand(format.code, start + row * rowBytes, Int32(columns), target)
    }

    /// Lets the system take back the memory of a mapped file's bytes that have been copied: without it a model would be
    /// resident twice while it loads. Pages shared with a neighbour stay.
    func giveBackPages() { giveBackPages(ofRows: 0..<rows) }

    fileprivate func giveBackPages(ofRows rows: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard isMapped, let start = bytes.baseAddress else { return }
        let first = (Int(bitPattern: start) + rows.lowerBound * rowBytes).roundedUp(to: page)
        let last = (Int(bitPattern: start) + rows.upperBound * rowBytes) / page * page
        guard first < last, let place = UnsafeMutableRawPointer(bitPattern: first) else { return }
        madvise(place, last - first, MADV_DONTNEED)
    }
}

extension PackedShape {
    /// Bytes of its panels.
    var packedBytes: Int { ck_packed_bytes(format.code, Int32(outputs), Int32(inputs)) }
}

extension StoredTensor.Format {
    var code: ck_format {
        switch self {
        case .float32: CK_F32
        case .float16: CK_F16
        case .bfloat16: CK_BF16
        case .q8_0: CK_Q8_0
        case .q4_0: CK_Q4_0
        case .q4_1: CK_Q4_1
        case .q5_0: CK_Q5_0
        case .q5_1: CK_Q5_1
        case .q2_k: CK_Q2_K
        case .q3_k: CK_Q3_K
        case .q4_k: CK_Q4_K
        case .q5_k: CK_Q5_K
        case .q6_k: CK_Q6_K
        case .iq4_nl: CK_IQ4_NL
        case .iq4_xs: CK_IQ4_XS
        }
    }
}

extension CacheFormat {
    var code: ck_format {
        switch self {
        case .float32: CK_F32
        case .float16: CK_F16
        case .q8_0: CK_Q8_0
        }
    }
}

/// Keys and values of one layer, in the kernels' layout.
final class CPUCacheLayer: CacheLayer {
    let capacity: Int
    let view: ck_cache
    private let keys: AlignedMemory
    private let values: AlignedMemory

    init(capacity: Int, heads: Int, headWidth: Int, format: CacheFormat) {
        self.capacity = capacity
        let slots = Int32(capacity.roundedUp(to: 16)), heads = Int32(heads), width = Int32(headWidth)
        let keyBytes = ck_cache_key_bytes(format.code, slots, heads, width)
        let valueBytes = ck_cache_value_bytes(format.code, slots, heads, width)
        // Sixteen slots of a head of 128 are a small page: with large ones a model of 7B would take 2 GB for its first word.
        keys = AlignedMemory(bytes: keyBytes, isFilledBitByBit: true)
        values = AlignedMemory(bytes: valueBytes, isFilledBitByBit: true)
        #if DEBUG
            // All ones is not-a-number in every format: a slot that nobody wrote must not pass for a row of zeros.
            memset(keys.start, 0xFF, keyBytes)
            memset(values.start, 0xFF, valueBytes)
        #endif
        view = ck_cache(
            keys: keys.start, values: values.start, slots: slots, heads: heads, width: width, format: format.code)
    }
}
