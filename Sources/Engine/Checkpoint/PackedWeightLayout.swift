// PackedWeightLayout.swift — where each weight lies in a file of packed weights. Followed by PackedWeightWriter and
// PackedWeightFile.

/// The form of a file of packed weights, all numbers little endian:
///
///     "specpack"  8 bytes
///     version     4 bytes, 1
///     count       4 bytes, of weights
///     key        32 bytes: the model, and the way in which it is packed
///     weights     of each its offset, bytes and checksum, 8 bytes each; format, outputs and inputs, 4 bytes each; the
///                 length of its name, 4 bytes, and the name
///     checksum    8 bytes, of everything before it
///     panels      the weights' packed bytes, each from the next multiple of 4096 on
///
/// All but the checksums follows from the model, so nothing that a file says is believed: its beginning is compared with
/// what it must be.
struct PackedWeightLayout: Sendable {
    struct Entry: Sendable {
        let shape: PackedShape
        let offset: Int
        let byteCount: Int
    }

    /// A sum over bytes: a backend's.
    typealias Checksum = (UnsafeRawBufferPointer) -> UInt64

    static let keyBytes = 32
    private static let mark = Array("specpack".utf8)
    private static let version: UInt32 = 1
    private static let page = 4096

    let key: [UInt8]
    let entries: [Entry]
    /// Bytes before the first page of panels.
    let headerBytes: Int
    /// Bytes of the whole file.
    let byteCount: Int
    private let index: [String: Int]

    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - weights: in the order in which they are loaded, each with the number of its packed bytes.
    init(key: [UInt8], weights: [(shape: PackedShape, byteCount: Int)]) {
        precondition(key.count == Self.keyBytes, "PackedWeightLayout: a key of \(key.count) bytes")
        func paged(_ count: Int) -> Int { (count + Self.page - 1) / Self.page * Self.page }
        self.key = key
        let records = weights.reduce(0) { $0 + 3 * 8 + 4 * 4 + $1.shape.name.utf8.count }
        headerBytes = Self.mark.count + 4 + 4 + Self.keyBytes + records + 8
        var offset = paged(headerBytes)
        var entries: [Entry] = []
        for (shape, count) in weights {
            entries.append(Entry(shape: shape, offset: offset, byteCount: count))
            offset += paged(count)
        }
        self.entries = entries
        byteCount = offset
        index = Dictionary(
            entries.indices.map { (entries[$0].shape.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The place of a weight among the entries; absent for one that is not, or not so, in the file.
    func place(of shape: PackedShape) -> Int? {
        index[shape.name].flatMap { entries[$0].shape == shape ? $0 : nil }
    }

    /// The beginning of the file.
    ///
    /// - Parameter checksums: of each entry's bytes.
    func header(_ checksums: [UInt64], checksum: Checksum) -> [UInt8] {
        precondition(checksums.count == entries.count, "PackedWeightLayout: \(checksums.count) checksums")
        var bytes = Self.mark + Self.bytes(of: Self.version) + Self.bytes(of: UInt32(entries.count)) + key
        for (entry, sum) in zip(entries, checksums) {
            let shape = entry.shape, name = Array(shape.name.utf8)
            bytes += Self.bytes(of: UInt64(entry.offset)) + Self.bytes(of: UInt64(entry.byteCount))
            bytes += Self.bytes(of: sum) + Self.bytes(of: shape.format.number)
            bytes += Self.bytes(of: UInt32(shape.outputs)) + Self.bytes(of: UInt32(shape.inputs))
            bytes += Self.bytes(of: UInt32(name.count)) + name
        }
        bytes += Self.bytes(of: bytes.withUnsafeBytes(checksum))
        precondition(bytes.count == headerBytes, "PackedWeightLayout: a header of \(bytes.count) bytes")
        return bytes
    }

    /// The checksums in the beginning of a file; absent unless every other byte of it is what it must be.
    func checksums(in header: [UInt8], checksum: Checksum) -> [UInt64]? {
        guard header.count == headerBytes else { return nil }
        var place = Self.mark.count + 4 + 4 + Self.keyBytes
        let sums = entries.map { entry in
            defer { place += 3 * 8 + 4 * 4 + entry.shape.name.utf8.count }
            return header.withUnsafeBytes {
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self))
            }
        }
        return self.header(sums, checksum: checksum) == header ? sums : nil
    }

    /// Whether this is the beginning of a file of the same weights, whatever the model they are of.
    func isLike(_ header: [UInt8], checksum: Checksum) -> Bool {
        let start = Self.mark.count + 4 + 4
        guard header.count == headerBytes else { return false }
        let other = PackedWeightLayout(
            key: Array(header[start..<start + Self.keyBytes]), weights: entries.map { ($0.shape, $0.byteCount) })
        return other.checksums(in: header, checksum: checksum) != nil
    }

    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}

extension StoredTensor.Format {
    /// What the type is called in a file of packed weights: its place among all.
    fileprivate var number: UInt32 { UInt32(Self.allCases.firstIndex(of: self) ?? 0) }
}
