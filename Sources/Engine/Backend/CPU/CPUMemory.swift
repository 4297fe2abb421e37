// CPUMemory.swift — aligned memory, and the recycling of matrices: a pass asks the system for nothing once it is warm.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// 64-byte aligned memory that lives as long as this object.
final class AlignedMemory {
    let start: UnsafeMutableRawPointer

    /// - Parameter isFilledBitByBit: for memory of which much may never be written: it becomes resident page by page.
    init(bytes: Int, isFilledBitByBit: Bool = false) {
        // From here on whole 2 MiB pages pay: walking a large weight with 4 KiB pages misses the address cache.
        let large = bytes >= 4 << 20 && !isFilledBitByBit
        let rounded = large ? (bytes + (2 << 20) - 1) & ~((2 << 20) - 1) : max(bytes, 64)
        start = .allocate(byteCount: rounded, alignment: large ? 2 << 20 : 64)
        #if os(Linux)
            if large { madvise(start, rounded, 14 /* MADV_HUGEPAGE */) }
        #endif
    }

    deinit { start.deallocate() }

    var floats: UnsafeMutablePointer<Float> { start.assumingMemoryBound(to: Float.self) }
}

/// Free memory by size class: what a matrix gives back when it dies serves the next one.
final class BufferPool {
    private var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: 64)

    /// Memory for at least `bytes` bytes, 64-byte aligned, whose content is undefined.
    func take(bytes: Int) -> (start: UnsafeMutableRawPointer, sizeClass: Int) {
        let sizeClass = Int.bitWidth - max(bytes - 1, 4095).leadingZeroBitCount
        let start = free[sizeClass].popLast() ?? .allocate(byteCount: 1 << sizeClass, alignment: 64)
        #if DEBUG
            // All ones is not-a-number: an operation that forgets to write a number, or reads one it must not, shows.
            memset(start, 0xFF, 1 << sizeClass)
        #endif
        return (start, sizeClass)
    }

    func giveBack(_ start: UnsafeMutableRawPointer, sizeClass: Int) {
        free[sizeClass].append(start)
    }

    deinit {
        for start in free.joined() { start.deallocate() }
    }
}

/// Memory of a pool that goes back to it when this object dies.
final class PooledMemory {
    let start: UnsafeMutableRawPointer
    private let sizeClass: Int
    private let pool: BufferPool

    init(bytes: Int, from pool: BufferPool) {
        (start, sizeClass) = pool.take(bytes: bytes)
        self.pool = pool
    }

    deinit { pool.giveBack(start, sizeClass: sizeClass) }

    var floats: UnsafeMutablePointer<Float> { start.assumingMemoryBound(to: Float.self) }
}

extension Int {
    /// The least multiple of `step` that is not less.
    func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
