// PictureCacheFile.swift — one entry of the picture cache as a file: arrays of numbers that prove to be what was written.

import Glibc

/// The form of an entry, all numbers little endian:
///
///     "specpics"  8 bytes
///     version     4 bytes, 1
///     count       4 bytes, of arrays
///     key        32 bytes, the entry's own
///     lengths     8 bytes for each array: how many float32 it has
///     numbers     the arrays, one after the other
///     checksum   32 bytes, SHA-256 of everything before it
struct PictureCacheFile {
    private static let mark = Array("specpics".utf8)
    private static let version: UInt32 = 1
    private static let mostArrays = 4096
    private static let fixedBytes = 8 + 4 + 4 + SHA256Digest.byteCount

    /// Bytes of an entry of arrays of these lengths.
    static func byteCount(_ lengths: [Int]) -> Int {
        fixedBytes + 8 * lengths.count + 4 * lengths.reduce(0, +) + SHA256Digest.byteCount
    }

    // MARK: Writing

    /// Writes an entry; false with `errno` set where the file takes no more.
    static func write(_ arrays: [[Float]], key: SHA256Digest, to descriptor: Int32) -> Bool {
        var hasher = SHA256Hasher()
        var head = mark
        head += bytes(of: version) + bytes(of: UInt32(arrays.count)) + key.bytes
        head += arrays.flatMap { bytes(of: UInt64($0.count)) }
        hasher.update(head)
        guard write(head, to: descriptor) else { return false }
        for array in arrays {
            let written = array.withUnsafeBytes { numbers in
                hasher.update(numbers)
                return write(numbers, to: descriptor)
            }
            guard written else { return false }
        }
        return write(hasher.finish().bytes, to: descriptor)
    }

    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { write($0, to: descriptor) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0 && errno != EINTR {
                return false
            }
        }
        return true
    }

    // MARK: Reading

    /// The arrays of the entry, absent unless every byte of the file is as it was written for this key.
    static func read(_ descriptor: Int32, size: Int, key: SHA256Digest) -> [[Float]]? {
        var hasher = SHA256Hasher()
        var fixed = [UInt8](repeating: 0, count: fixedBytes)
        guard size >= fixedBytes, fixed.withUnsafeMutableBytes({ fill($0, from: descriptor) }) else { return nil }
        hasher.update(fixed)
        let count = Int(integer(UInt32.self, in: fixed, at: 12))
        guard fixed.starts(with: mark), integer(UInt32.self, in: fixed, at: 8) == version,
            Array(fixed[16...]) == key.bytes, count <= mostArrays
        else { return nil }
        var table = [UInt8](repeating: 0, count: 8 * count)
        guard size >= fixedBytes + table.count, table.withUnsafeMutableBytes({ fill($0, from: descriptor) }) else {
            return nil
        }
        hasher.update(table)
        let lengths = (0..<count).map { integer(UInt64.self, in: table, at: 8 * $0) }
        // No length that passes could make the sum overflow, or memory that the file does not fill.
        guard lengths.allSatisfy({ $0 <= UInt64(size) }), byteCount(lengths.map { Int($0) }) == size else { return nil }
        var arrays: [[Float]] = []
        for length in lengths.map({ Int($0) }) {
            var isComplete = false
            let array = [Float](unsafeUninitializedCapacity: length) { numbers, count in
                let bytes = UnsafeMutableRawBufferPointer(numbers)
                isComplete = fill(UnsafeMutableRawBufferPointer(rebasing: bytes[..<(4 * length)]), from: descriptor)
                count = isComplete ? length : 0
            }
            guard isComplete else { return nil }
            array.withUnsafeBytes { hasher.update($0) }
            arrays.append(array)
        }
        var checksum = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        guard checksum.withUnsafeMutableBytes({ fill($0, from: descriptor) }), hasher.finish().bytes == checksum else {
            return nil
        }
        return arrays
    }

    private static func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _: Integer.Type, in bytes: [UInt8], at offset: Int
    ) -> Integer {
        bytes.withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Integer.self)) }
    }

    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Bool {
        var filled = 0
        while filled < bytes.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
            let count = Glibc.read(descriptor, rest.baseAddress, rest.count)
            if count == 0 || (count < 0 && errno != EINTR) { return false }
            filled += max(0, count)
        }
        return true
    }
}
