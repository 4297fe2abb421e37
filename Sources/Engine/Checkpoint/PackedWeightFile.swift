// PackedWeightFile.swift — weights that were packed before, mapped from the disk. Found by WeightCache, given to a backend.

/// A file of packed weights whose beginning is what it must be.
final class PackedWeightFile: WeightShelf {
    private let layout: PackedWeightLayout
    private let file: FileBytes
    private let checksums: [UInt64]

    /// Maps the file at `path`; absent where there is none, or another than `layout` says.
    convenience init?(path: String, layout: PackedWeightLayout, checksum: PackedWeightLayout.Checksum) {
        guard let file = try? FileBytes(path: path) else { return nil }
        self.init(file, layout: layout, checksum: checksum)
        file.expectConstantReading()
    }

    init?(_ file: FileBytes, layout: PackedWeightLayout, checksum: PackedWeightLayout.Checksum) {
        // A file that was cut or goes on is not what was written, whatever it begins with.
        guard file.count == layout.byteCount,
            let checksums = layout.checksums(in: file.copy(at: 0, count: layout.headerBytes), checksum: checksum),
            !file.hasChanged
        else { return nil }
        self.layout = layout
        self.file = file
        self.checksums = checksums
    }

    /// Reads all of it; false where a byte is not what was written.
    ///
    /// - Parameter progress: called after each weight with the weights done and their number; it may throw to stop.
    func isWhole(
        checksum: PackedWeightLayout.Checksum, progress: (Int, Int) throws -> Void
    ) throws -> Bool {
        for (number, entry) in layout.entries.enumerated() {
            guard checksum(file.view(at: entry.offset, count: entry.byteCount)) == checksums[number] else {
                return false
            }
            try progress(number + 1, layout.entries.count)
        }
        return !file.hasChanged
    }

    func bytes(of shape: PackedShape) -> (bytes: UnsafeRawBufferPointer, owner: any TensorBytes)? {
        layout.place(of: shape).map { place in
            let entry = layout.entries[place]
            return (file.view(at: entry.offset, count: entry.byteCount), file)
        }
    }

    func keep(_: UnsafeRawBufferPointer, of _: PackedShape) {}
}
