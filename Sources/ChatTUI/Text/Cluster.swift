// Cluster.swift — what one cell shows: a character and what combines with it, as a plain number.

/// A base character and at most two marks, which serve every living script; towers of them would grow out of their row.
///
/// A frame holds thousands of these, and a string in each would have to be counted and released one by one.
struct Cluster: Sendable, Equatable {
    /// Three scalars of 21 bits each, the base lowest; a mark that is absent is 0.
    private let scalars: UInt64

    /// Shows nothing: the cell that a wide neighbour covers.
    static let nothing = Cluster()
    static let space = Cluster(" ")

    private init() { scalars = 0 }

    init(_ base: Unicode.Scalar) { scalars = UInt64(base.value) }

    init(_ base: Unicode.Scalar, marks: some Collection<Unicode.Scalar>) {
        var scalars = UInt64(base.value)
        for (mark, shift) in zip(marks, [21, 42]) { scalars |= UInt64(mark.value) << shift }
        self.scalars = scalars
    }

    /// One of our own signs, given as a string.
    init(sign: String) {
        let scalars = sign.unicodeScalars
        self = scalars.first.map { Cluster($0, marks: scalars.dropFirst()) } ?? .nothing
    }

    /// The byte of a plain ASCII character; nil for everything else.
    var ascii: UInt8? { scalars >= 0x20 && scalars < 0x7F ? UInt8(scalars) : nil }

    var text: String {
        var text = ""
        for shift in [0, 21, 42] {
            if let scalar = Unicode.Scalar(UInt32(scalars >> shift & 0x1F_FFFF)), scalar.value != 0 {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
