// ImageResampler.swift — antialiased bicubic resizing, bit for bit what Pillow's `Image.resize(…, BICUBIC)` gives.

/// A picture laid on a larger sheet of one colour, which is never stored: a long thin picture padded to a square
/// would otherwise need 900 million pixels.
struct ImageCanvas {
    let width: Int
    let height: Int
    let image: PixelImage
    /// Where the picture's upper left corner lies.
    let x: Int
    let y: Int
    /// Red, green and blue of the sheet.
    let colour: [UInt8]

    /// Whether the picture hides the whole sheet.
    var isCovered: Bool { width == image.width && height == image.height }

    /// The picture alone.
    init(_ image: PixelImage) {
        (self.image, width, height, x, y, colour) = (image, image.width, image.height, 0, 0, [0, 0, 0])
    }

    /// The picture in the middle of a square as wide as its longer side; an odd pixel goes to the right or below.
    init(squaring image: PixelImage, colour: [UInt8]) {
        let side = max(image.width, image.height)
        self.image = image
        (width, height) = (side, side)
        (x, y) = ((side - image.width) / 2, (side - image.height) / 2)
        self.colour = colour
    }
}

/// A rectangle of the resized picture: the part that is computed.
struct ImageWindow {
    let x: Int
    let y: Int
    let width: Int
    let height: Int
}

/// Two passes, usually along rows and then along columns, in 8-bit fixed point.
///
/// Each output sample is a weighted sum of the samples under a cubic (a = -0.5) that is stretched by the reduction;
/// weights are rounded to 22 fractional bits and sums to 8 bits after each pass. An output pixel depends on nothing
/// else, so a window of the result is the same bytes as the whole result cut.
enum ImageResampler {
    private static let fractionBits: Int32 = 22

    /// Bytes [window.height, window.width, 3] of `canvas` resized to `width` × `height`.
    static func resize(_ canvas: ImageCanvas, width: Int, height: Int, window: ImageWindow) -> [UInt8] {
        precondition(
            window.x >= 0 && window.y >= 0 && window.x + window.width <= width && window.y + window.height <= height,
            "resize: the window leaves the picture")
        let columns = AxisWeights(from: canvas.width, to: width, range: window.x..<window.x + window.width)
        let rows = AxisWeights(from: canvas.height, to: height, range: window.y..<window.y + window.height)
        guard losesMostlyRows(from: canvas, to: (width, height)) else {
            let narrowed = narrow(canvas, columns, rows: rows.inputs)
            return flatten(narrowed, firstRow: rows.inputs.lowerBound, rowBytes: window.width * 3, rows)
        }
        precondition(canvas.isCovered, "resize: a padded canvas loses as many rows as columns")
        let flattened = flatten(canvas.image.pixels, firstRow: 0, rowBytes: canvas.width * 3, rows)
        let strip = PixelImage(
            width: canvas.width, height: window.height, pixels: flattened, source: canvas.image.source)
        return narrow(ImageCanvas(strip), columns, rows: 0..<window.height)
    }

    /// Whether columns come before rows, which changes the rounding. Pillow 13 does so for tall pictures, to save time;
    /// Pillow up to 12 never does, and may differ there by a level or two. Padded pictures are square and unaffected.
    private static func losesMostlyRows(from canvas: ImageCanvas, to size: (width: Int, height: Int)) -> Bool {
        canvas.height - size.height > 2 * max(0, canvas.width - size.width)
    }

    /// The pass along rows: every canvas row in `rows`, resized to the columns. Bytes [rows.count, columns.count, 3].
    private static func narrow(_ canvas: ImageCanvas, _ columns: AxisWeights, rows: Range<Int>) -> [UInt8] {
        let rowBytes = columns.first.count * 3
        let imageRowBytes = canvas.image.width * 3
        let columns = ClippedWeights(columns, to: canvas)
        return [UInt8](unsafeUninitializedCapacity: rows.count * rowBytes) { target, filled in
            canvas.image.pixels.withUnsafeBufferPointer { pixels in
                for (index, row) in rows.enumerated() {
                    let output = UnsafeMutableBufferPointer(
                        rebasing: target[index * rowBytes..<(index + 1) * rowBytes])
                    if row >= canvas.y && row < canvas.y + canvas.image.height {
                        let from = (row - canvas.y) * imageRowBytes
                        narrowRow(
                            UnsafeBufferPointer(rebasing: pixels[from..<from + imageRowBytes]), columns, into: output)
                    } else {
                        // A weighted mean of one colour is that colour: the weights' rounding is far below 1/2.
                        for at in 0..<rowBytes { output[at] = canvas.colour[at % 3] }
                    }
                }
            }
            filled = rows.count * rowBytes
        }
    }

    private static func narrowRow(
        _ row: UnsafeBufferPointer<UInt8>, _ columns: ClippedWeights, into output: UnsafeMutableBufferPointer<UInt8>
    ) {
        columns.weights.withUnsafeBufferPointer { weights in
            for (column, part) in columns.parts.enumerated() {
                var (red, green, blue) = (part.red, part.green, part.blue)
                var from = part.first * 3
                for tap in part.taps {
                    let weight = weights[tap]
                    red &+= Int32(row[from]) &* weight
                    green &+= Int32(row[from + 1]) &* weight
                    blue &+= Int32(row[from + 2]) &* weight
                    from += 3
                }
                output[column * 3] = byte(red)
                output[column * 3 + 1] = byte(green)
                output[column * 3 + 2] = byte(blue)
            }
        }
    }

    /// The pass along columns: rows of `source` (its first is canvas row `firstRow`) weighted into the window's rows.
    private static func flatten(_ source: [UInt8], firstRow: Int, rowBytes: Int, _ rows: AxisWeights) -> [UInt8] {
        var sums = [Int32](repeating: 0, count: rowBytes)
        return [UInt8](unsafeUninitializedCapacity: rows.first.count * rowBytes) { target, filled in
            source.withUnsafeBufferPointer { source in
                sums.withUnsafeMutableBufferPointer { sums in
                    for row in 0..<rows.first.count {
                        sums.update(repeating: 1 << (fractionBits - 1))
                        for tap in 0..<rows.count[row] {
                            let weight = rows.weights[row * rows.stride + tap]
                            let from = (rows.first[row] + tap - firstRow) * rowBytes
                            for at in 0..<rowBytes { sums[at] &+= Int32(source[from + at]) &* weight }
                        }
                        for at in 0..<rowBytes { target[row * rowBytes + at] = byte(sums[at]) }
                    }
                }
            }
            filled = rows.first.count * rowBytes
        }
    }

    private static func byte(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> fractionBits) }

    /// The columns' weights where a row is the sheet at both ends and the picture between: what the sheet adds is summed
    /// once. A picture one pixel wide would else cost as much as the square that it is padded to.
    private struct ClippedWeights {
        struct Part {
            /// Where each channel's sum begins: one half, and the sheet's share.
            var red: Int32 = 1 << (fractionBits - 1)
            var green: Int32 = 1 << (fractionBits - 1)
            var blue: Int32 = 1 << (fractionBits - 1)
            /// The picture's first column that is summed, and the weights of it and the next ones.
            var first: Int
            var taps: Range<Int>
        }

        let weights: [Int32]
        private(set) var parts: [Part] = []

        init(_ columns: AxisWeights, to canvas: ImageCanvas) {
            weights = columns.weights
            let colour = canvas.colour.map(Int32.init)
            for column in columns.first.indices {
                let inputs = columns.first[column]..<columns.first[column] + columns.count[column]
                let seen = inputs.clamped(to: canvas.x..<canvas.x + canvas.image.width)
                let start = column * columns.stride
                let taps = start + seen.lowerBound - inputs.lowerBound..<start + seen.upperBound - inputs.lowerBound
                var part = Part(first: seen.lowerBound - canvas.x, taps: taps)
                for tap in start..<start + inputs.count where !taps.contains(tap) {
                    part.red &+= colour[0] &* weights[tap]
                    part.green &+= colour[1] &* weights[tap]
                    part.blue &+= colour[2] &* weights[tap]
                }
                parts.append(part)
            }
        }
    }

    /// For each output index along one axis: which inputs it sums, and their weights.
    private struct AxisWeights {
        private(set) var first: [Int] = []
        private(set) var count: [Int] = []
        /// Layout: [output, stride]; the fixed-point weights of output i are the first `count[i]` of its row.
        private(set) var weights: [Int32] = []
        let stride: Int
        /// Every input that any output looks at.
        let inputs: Range<Int>

        init(from inputSize: Int, to outputSize: Int, range: Range<Int>) {
            let scale = Double(inputSize) / Double(outputSize)
            let stretch = max(scale, 1)
            let support = 2 * stretch
            stride = Int(support.rounded(.up)) * 2 + 1
            weights = [Int32](repeating: 0, count: range.count * stride)
            for (index, output) in range.enumerated() {
                let center = (Double(output) + 0.5) * scale
                let low = max(0, Int(center - support + 0.5))
                let high = min(inputSize, Int(center + support + 0.5))
                let exact = (low..<high).map { Self.cubic((Double($0) - center + 0.5) * (1 / stretch)) }
                let total = exact.reduce(0, +)
                for (tap, weight) in exact.enumerated() {
                    let scaled = (total == 0 ? weight : weight / total) * Double(1 << fractionBits)
                    weights[index * stride + tap] = Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
                }
                first.append(low)
                count.append(high - low)
            }
            let lowest = first.min() ?? 0
            inputs = lowest..<max(lowest, zip(first, count).map { $0 + $1 }.max() ?? 0)
        }

        /// Keys's cubic with a = -0.5, in the order of operations that gives Pillow's doubles.
        private static func cubic(_ offset: Double) -> Double {
            let a = -0.5
            let x = abs(offset)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }
}
