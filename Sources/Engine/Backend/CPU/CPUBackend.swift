// CPUBackend.swift — models on the processor: our own kernels for language models, OpenBLAS for the vision tower.

import CKernels
import COpenBLAS

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The backend that every machine has.
///
/// OpenBLAS is loaded with the first weight that it will multiply. Which of its kernels run is its own choice;
/// OPENBLAS_CORETYPE overrides it.
final class CPUBackend: Backend {
    let machine: CPUMachine
    let pool = BufferPool()
    private let cacheFormat: CacheFormat
    private var rotaryTables: [RotaryTable] = []

    var name: String { "cpu (\(machine.instructions.title))" }
    var threads: Int { machine.threads }
    var arithmetic: String {
        let library = ob_description().map { String(cString: $0) } ?? ""
        return [name, "cache \(cacheFormat.rawValue)", library].joined(separator: "; ")
    }

    /// - Parameter threads: threads to compute with; by default one for each physical core that this process may use.
    /// - Parameter instructions: by default what SPECCHAT_ISA names, otherwise the best that the processor runs.
    /// - Parameter cache: how keys and values are kept.
    init(
        threads: Int? = nil, instructions: InstructionSet? = nil, cache: CacheFormat = .float32
    ) throws(CPUBackendError) {
        cacheFormat = cache
        let environment = getenv("SPECCHAT_ISA").map { ["SPECCHAT_ISA": String(cString: $0)] } ?? [:]
        let chosen = if let instructions { instructions } else { try InstructionSet.chosen(by: environment) }
        machine = try CPUMachine(instructions: chosen, threads: threads ?? CPUMachine.physicalCores)
    }

    func makeWeight(_ tensor: StoredTensor, for use: WeightUse) throws -> any Weight {
        let weight = try CPUWeight(tensor, for: use, on: machine)
        try tensor.checkBytes()
        return weight
    }

    func makeProduct(
        _ tensor: StoredTensor, as format: StoredTensor.Format, shelf: (any WeightShelf)?
    ) throws -> any Weight {
        let weight = try CPUWeight(tensor, as: format, on: machine, shelf: shelf)
        // Bytes from a shelf are looked at when they are used; the tensor's own have not been read then.
        if weight.file == nil { try tensor.checkBytes() }
        return weight
    }

    /// The way in which weights are packed. Another number goes with every change after which packed bytes are others.
    static let packing = "panels of 16, version 1"

    /// Bytes of a weight's packed bytes.
    func packedBytes(of shape: PackedShape) -> Int { shape.packedBytes }

    /// Bytes of memory that a weight would take beside its file.
    func bytes(of tensor: StoredTensor, for use: WeightUse) -> Int {
        CPUWeight.bytes(of: tensor, for: use, on: machine)
    }

    /// A sum that tells bytes from damaged ones. It is the same on every machine.
    func checksum(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.baseAddress.map { ck_checksum(machine.pointer, $0, bytes.count) } ?? 0
    }

    func makeCacheLayer(capacity: Int, heads: Int, headWidth: Int) -> any CacheLayer {
        CPUCacheLayer(capacity: capacity, heads: heads, headWidth: headWidth, format: cacheFormat)
    }

    func begin(_ plan: ForwardPlan) -> any ForwardPass {
        CPUForwardPass(plan: plan, backend: self)
    }

    func move(_ slots: [Int32], to first: Int, in layers: [any CacheLayer]) {
        // In ascending order a row is read before anything is written over it.
        for (index, slot) in slots.enumerated() {
            precondition(index == 0 || slots[index - 1] < slot, "move: slots are not in ascending order")
            precondition(Int(slot) >= first + index, "move: slot \(slot) lies below its place \(first + index)")
        }
        for layer in layers {
            guard let layer = layer as? CPUCacheLayer else { preconditionFailure("cpu: a layer of another backend") }
            precondition(slots.allSatisfy { $0 < layer.capacity }, "move: a slot beyond \(layer.capacity)")
            for (index, slot) in slots.enumerated() { ck_cache_copy(layer.view, slot, Int32(first + index)) }
        }
    }

    func numbers(ofRows rows: Int, in layer: any CacheLayer) -> [Float] {
        let view = Self.view(of: layer, rows: rows), stride = Int(view.heads * view.width), half = rows * stride
        return [Float](unsafeUninitializedCapacity: 2 * half) { numbers, count in
            count = 2 * half
            guard let start = numbers.baseAddress, half > 0 else { return }
            ck_cache_read(view, start, start + half, stride, (0..<Int32(rows)).map { $0 }, Int32(rows))
        }
    }

    func write(_ numbers: [Float], rows: Int, to layer: any CacheLayer) {
        let view = Self.view(of: layer, rows: rows), stride = Int(view.heads * view.width), half = rows * stride
        precondition(numbers.count == 2 * half, "cpu: \(numbers.count) numbers for \(rows) rows, wants \(2 * half)")
        numbers.withUnsafeBufferPointer { numbers in
            guard let start = numbers.baseAddress else { return }
            let slots = (0..<Int32(rows)).map { $0 }
            ck_cache_write(machine.pointer, view, start, start + half, stride, slots, Int32(rows))
        }
    }

    private static func view(of layer: any CacheLayer, rows: Int) -> ck_cache {
        guard let layer = layer as? CPUCacheLayer else { preconditionFailure("cpu: a layer of another backend") }
        precondition(rows <= layer.capacity, "cpu: \(rows) rows of a layer of \(layer.capacity)")
        return layer.view
    }

    /// Cosines and sines for positions up to `last`.
    func table(for rotary: Rotary, upTo last: Int) -> RotaryTable {
        if let table = rotaryTables.first(where: { $0.rotary == rotary }), table.positions > last { return table }
        rotaryTables.removeAll { $0.rotary == rotary }
        let table = RotaryTable(rotary, positions: max(512, (last + 1).nextPowerOfTwo))
        rotaryTables.append(table)
        return table
    }
}

/// How every number of a head turns at every position: [position][cosines of `width` numbers, their signed sines].
final class RotaryTable {
    let rotary: Rotary
    let positions: Int
    private let memory: AlignedMemory

    init(_ rotary: Rotary, positions: Int) {
        self.rotary = rotary
        self.positions = positions
        memory = AlignedMemory(bytes: positions * rotary.width * 2 * 4)
        let magnitude = rotary.magnitude
        for (pair, frequency) in rotary.frequencies.enumerated() {
            let (first, second) = rotary.places(ofPair: pair)
            var place = memory.floats
            for position in 0..<positions {
                let angle = Double(position) * frequency
                let cosine = Float(magnitude * cos(angle)), sine = Float(magnitude * sin(angle))
                place[first] = cosine
                place[second] = cosine
                place[rotary.width + first] = -sine
                place[rotary.width + second] = sine
                place += 2 * rotary.width
            }
        }
    }

    var start: UnsafePointer<Float> { UnsafePointer(memory.floats) }
}

extension Int {
    /// The least power of two that is not less than this positive number.
    fileprivate var nextPowerOfTwo: Int { 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
