// Safetensors.swift — one .safetensors file opened: its tensors by name, every place proven. Used by HuggingFaceFolder.

/// An open safetensors file: 8 bytes of length, a JSON header of that length, and the tensors' bytes.
struct SafetensorsFile {
    /// One tensor of the header.
    struct Tensor: Sendable, Equatable {
        let name: String
        /// The file's word for the numbers: "F32", "BF16", "I64" and so on.
        let type: String
        /// The numbers of the last dimension stand side by side; empty for a single number.
        let shape: [Int]
        /// From the start of the file.
        let offset: Int
        let byteCount: Int
    }

    /// The path as it was given.
    let path: String
    let byteCount: Int
    /// In the order of their places.
    let tensors: [Tensor]
    private let index: [String: Int]
    private let dataStart: Int
    private let bytes: FileBytes

    /// Room for the names and places of some 60 000 tensors.
    private static let longestHeader = 8 << 20

    /// Whether a file that begins so may be one, whatever it is called.
    static func mayBe(_ head: [UInt8]) -> Bool {
        guard head.count > 8, head[8] == UInt8(ascii: "{") else { return false }
        let length = head.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
        return length > 1 && length <= UInt64(longestHeader)
    }

    /// Maps the file at `path` and checks its header; the numbers are left on disk until they are used.
    init(path: String) throws(HuggingFaceError) {
        let bytes: FileBytes
        do throws(FileFault) { bytes = try FileBytes(path: path) } catch { throw HuggingFaceError(path, error) }
        do throws(HuggingFaceError) {
            try self.init(bytes, path: path)
        } catch {
            // What is wrong may be no more than that somebody was writing it.
            throw bytes.hasChanged ? HuggingFaceError(path, .changed) : error
        }
        if bytes.hasChanged { throw HuggingFaceError(path, .changed) }
    }

    init(_ bytes: FileBytes, path: String) throws(HuggingFaceError) {
        let prefix = 8
        guard let length = bytes.integer(UInt64.self, at: 0), length <= UInt64(bytes.count - prefix) else {
            let length = bytes.integer(UInt64.self, at: 0) ?? 0
            throw HuggingFaceError(path, .headerPastEnd(length: length, size: bytes.count))
        }
        guard length <= UInt64(Self.longestHeader) else {
            throw HuggingFaceError(path, .headerTooLong(length, limit: Self.longestHeader))
        }
        let start = prefix + Int(length)
        let header: JSONValue
        do throws(JSONError) {
            // A tensor is an object of three, and two of them are lists.
            header = try JSONReader.read(
                bytes.copy(at: prefix, count: Int(length)), limits: JSONReader.Limits(depth: 3, values: 1_000_000))
        } catch {
            throw HuggingFaceError(path, error)
        }
        tensors = try Self.place(header, from: start, size: bytes.count, path: path)
        // Names that differ in bytes can be equal as text; the later one stands, which HuggingFaceFolder's names never are.
        index = Dictionary(tensors.enumerated().map { ($1.name, $0) }) { $1 }
        self.path = path
        self.bytes = bytes
        byteCount = bytes.count
        dataStart = start
    }

    /// Turns the header's offsets into places in the file, each proven to be inside it, of the size that its shape asks
    /// for, and clear of its neighbours.
    private static func place(
        _ header: JSONValue, from start: Int, size: Int, path: String
    ) throws(HuggingFaceError) -> [Tensor] {
        guard let members = header.members else { throw HuggingFaceError(path, .wrongValue(place: "")) }
        var placed: [Tensor] = []
        // The metadata is text for people.
        for member in members where member.name != "__metadata__" {
            let name = member.name
            guard let entry = Entry(member.value) else { throw HuggingFaceError(path, .wrongValue(place: name)) }
            let bad = HuggingFaceError(path, .badShape(tensor: name))
            guard entry.shape.count <= 8, entry.shape.allSatisfy({ $0 >= 0 }), entry.offsets.count == 2,
                entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1]
            else { throw bad }
            let count = entry.offsets[1] - entry.offsets[0]
            guard entry.offsets[1] <= size - start else {
                let (end, overflow) = entry.offsets[1].addingReportingOverflow(start)
                throw HuggingFaceError(path, .tensorPastEnd(name, end: overflow ? .max : end, size: size))
            }
            if let width = byteWidths[entry.type] {
                guard let wanted = product(entry.shape + [width]) else { throw bad }
                guard wanted == count else {
                    throw HuggingFaceError(
                        path, .wrongSize(tensor: name, type: entry.type, shape: entry.shape, bytes: count))
                }
            }
            guard product(entry.shape) != nil else { throw bad }
            placed.append(
                Tensor(
                    name: name, type: entry.type, shape: entry.shape, offset: start + entry.offsets[0],
                    byteCount: count))
        }
        placed.sort { ($0.offset, $0.byteCount, $0.name) < ($1.offset, $1.byteCount, $1.name) }
        for (one, next) in zip(placed, placed.dropFirst()) where one.offset + one.byteCount > next.offset {
            throw HuggingFaceError(path, .overlappingTensors(one.name, next.name))
        }
        return placed
    }

    /// Bytes of one number; a type that is not here keeps the size that the file gives it.
    private static let byteWidths = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4,
        "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
    ]

    /// Absent where it is more than an `Int` holds. A 0 among the sizes does not excuse the others.
    private static func product(_ sizes: [Int]) -> Int? {
        var product = 1
        for size in sizes where size > 0 {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            product = next
        }
        return sizes.contains(0) ? 0 : product
    }

    subscript(name: String) -> Tensor? { index[name].map { tensors[$0] } }

    /// The tensor's numbers as `rows` runs of `columns`, whose product is that of its shape.
    ///
    /// - Parameter label: the name that the weight goes by from here on.
    func stored(_ tensor: Tensor, as label: String, rows: Int, columns: Int) throws(HuggingFaceError) -> StoredTensor {
        let formats: [String: StoredTensor.Format] = ["F32": .float32, "F16": .float16, "BF16": .bfloat16]
        guard let format = formats[tensor.type] else {
            throw HuggingFaceError(path, .unsupportedType(tensor: tensor.name, type: tensor.type))
        }
        precondition(rows * columns * format.blockBytes == tensor.byteCount, "SafetensorsFile: a shape not checked")
        return bytes.tensor(named: label, as: format, rows: rows, columns: columns, at: tensor.offset)
    }

    /// Bytes by which this file is known from every other one, wherever it lies: its size, the time at which it was
    /// written, its header, and some bytes of every tensor.
    func identity() -> [UInt8] {
        bytes.identity(head: dataStart, tensors: tensors.map { ($0.offset, $0.byteCount) })
    }

    func stamp() -> [UInt8] { bytes.stamp() }
}

/// A tensor as the header has it.
private struct Entry {
    let type: String
    let shape: [Int]
    /// Begin and end, from the end of the header.
    let offsets: [Int]

    init?(_ value: JSONValue) {
        guard let type = value["dtype"]?.text, let shape = value["shape"]?.list,
            let offsets = value["data_offsets"]?.list
        else { return nil }
        self.type = type
        self.shape = shape.compactMap(\.integer)
        self.offsets = offsets.compactMap(\.integer)
        guard self.shape.count == shape.count, self.offsets.count == offsets.count else { return nil }
    }
}
