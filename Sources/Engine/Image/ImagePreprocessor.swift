// ImagePreprocessor.swift — a PixelImage to the numbers that the vision tower's first layer reads.

/// CLIP's preprocessing: frame the picture in a square, resize it, scale to 0...1, normalise each channel.
///
/// Bytes are those of Pillow, and values those of transformers' PIL processors, so that weights trained behind them
/// see what they were trained on. Source: LLaVA-1.5 (`image_aspect_ratio`), CLIP.
public struct ImagePreprocessor: Sendable, Equatable {
    /// How a picture that is not square becomes one.
    public enum Framing: String, Sendable, Equatable, Codable {
        /// Centred on a square sheet of the mean colour: original LLaVA-1.5. Nothing of the picture is lost.
        case pad
        /// Shorter side to size, then the middle cut out: Hugging Face's LLaVA-1.5. The ends are lost.
        case crop
    }

    /// Side of the model's square input, in pixels.
    public let size: Int
    /// Side of one patch, in pixels. Where it does not divide `size`, the last columns and rows are unseen.
    public let patch: Int
    public let framing: Framing
    /// Side to which the shorter side of a picture is resized before its middle is cut out, in pixels; at least `size`.
    public let shorterSide: Int
    /// How large pictures are cut into tiles; absent where every picture becomes one square by its framing.
    public let tiling: PictureTiling?
    /// What a byte is multiplied by, before the mean is taken off.
    public let scale: Double
    /// Mean and standard deviation of red, green and blue, on the scale 0...1.
    public let mean: [Float]
    public let deviation: [Float]

    /// The statistics that every CLIP checkpoint of OpenAI was trained with.
    public static let clipMean: [Float] = [0.48145466, 0.4578275, 0.40821073]
    public static let clipDeviation: [Float] = [0.26862954, 0.26130258, 0.27577711]

    public init(
        size: Int, patch: Int, framing: Framing, shorterSide: Int? = nil, tiling: PictureTiling? = nil,
        scale: Double = 1.0 / 255.0, mean: [Float] = clipMean, deviation: [Float] = clipDeviation
    ) {
        precondition(size > 0 && patch > 0 && patch <= size, "ImagePreprocessor: patches of \(patch) in \(size)")
        precondition(shorterSide ?? size >= size, "ImagePreprocessor: \(size) pixels cannot be cut out of fewer")
        precondition(mean.count == 3 && deviation.count == 3, "ImagePreprocessor: statistics of three channels")
        self.size = size
        self.patch = patch
        self.framing = framing
        self.shorterSide = shorterSide ?? size
        self.tiling = tiling
        self.scale = scale
        self.mean = mean
        self.deviation = deviation
    }

    /// Patches along one side of a square.
    public var patchesPerSide: Int { size / patch }
    /// Patches in one square.
    public var patchCount: Int { patchesPerSide * patchesPerSide }

    /// The rows that a language model reads of a picture of this size.
    func layout(width: Int, height: Int) -> PictureLayout {
        guard let tiling else { return PictureLayout(sheet: nil, order: (0..<patchCount).map { $0 }) }
        return tiling.layout(width: width, height: height, side: size, patches: patchesPerSide)
    }

    /// The squares that the model sees, before normalisation: `size` × `size` each. Of a tiled picture the first is the
    /// whole of it, stretched to a square; its tiles follow, line by line.
    public func squares(of image: PixelImage) -> [PixelImage] {
        guard let tiling else { return [framed(image)] }
        let whole = image.resized(width: size, height: size)
        return [whole] + tiles(of: image, on: tiling.sheet(width: image.width, height: image.height, side: size))
    }

    /// The square that the model sees of a picture that is not tiled, before normalisation: `size` × `size`.
    public func framed(_ image: PixelImage) -> PixelImage {
        let pixels =
            switch framing {
            case .pad: padded(image)
            case .crop: cropped(image)
            }
        return PixelImage(width: size, height: size, pixels: pixels, source: image.source)
    }

    /// Normalised values, layout [3, size, size].
    public func pixelValues(of image: PixelImage) -> [Float] {
        let square = framed(image).pixels
        let values = normalisedValues()
        let plane = size * size
        var result = [Float](repeating: 0, count: 3 * plane)
        for pixel in 0..<plane {
            for channel in 0..<3 {
                result[channel * plane + pixel] = values[channel][Int(square[pixel * 3 + channel])]
            }
        }
        return result
    }

    /// Normalised values, layout [patchCount, 3 × patch × patch]: patches row by row, and within a patch channel, row,
    /// column, as the patch convolution's weight lies.
    public func patches(of image: PixelImage) -> [Float] { patches(ofSquare: framed(image)) }

    /// The same of a square that is already framed.
    func patches(ofSquare image: PixelImage) -> [Float] {
        precondition(image.width == size && image.height == size, "ImagePreprocessor: a square of the wrong size")
        let square = image.pixels
        let values = normalisedValues()
        let side = patchesPerSide
        var result: [Float] = []
        result.reserveCapacity(patchCount * 3 * patch * patch)
        for top in 0..<side {
            for left in 0..<side {
                for channel in 0..<3 {
                    for y in 0..<patch {
                        let row = ((top * patch + y) * size + left * patch) * 3 + channel
                        for x in 0..<patch { result.append(values[channel][Int(square[row + x * 3])]) }
                    }
                }
            }
        }
        return result
    }

    private func padded(_ image: PixelImage) -> [UInt8] {
        // Truncated, not rounded: LLaVA pads with int(mean * 255).
        let colour = mean.map { UInt8(max(0, min(255, $0 * 255))) }
        let edge = (shorterSide - size) / 2
        return ImageResampler.resize(
            ImageCanvas(squaring: image, colour: colour), width: shorterSide, height: shorterSide,
            window: ImageWindow(x: edge, y: edge, width: size, height: size))
    }

    private func cropped(_ image: PixelImage) -> [UInt8] {
        let shorter = min(image.width, image.height)
        // The longer side is truncated, as transformers' get_resize_output_image_size does.
        let longer = Int(Double(shorterSide * max(image.width, image.height)) / Double(shorter))
        let (width, height) = image.width <= image.height ? (shorterSide, longer) : (longer, shorterSide)
        return ImageResampler.resize(
            ImageCanvas(image), width: width, height: height,
            window: ImageWindow(x: (width - size) / 2, y: (height - size) / 2, width: size, height: size))
    }

    /// The picture in the middle of a black sheet, cut into tiles.
    private func tiles(of image: PixelImage, on sheet: PictureTiling.Sheet) -> [PixelImage] {
        guard let tiling else { return [] }
        let fitted = tiling.size(width: image.width, height: image.height, on: sheet, side: size)
        let resized = image.resized(width: fitted.width, height: fitted.height)
        let left = (sheet.columns * size - fitted.width) / 2, top = (sheet.rows * size - fitted.height) / 2
        return (0..<sheet.rows * sheet.columns).map { index in
            var pixels = [UInt8](repeating: 0, count: size * size * 3)
            let x = index % sheet.columns * size - left, y = index / sheet.columns * size - top
            let columns = (x..<x + size).clamped(to: 0..<fitted.width)
            for row in (y..<y + size).clamped(to: 0..<fitted.height) where !columns.isEmpty {
                let from = (row * fitted.width + columns.lowerBound) * 3
                let to = ((row - y) * size + columns.lowerBound - x) * 3
                pixels.replaceSubrange(
                    to..<to + columns.count * 3, with: resized.pixels[from..<from + columns.count * 3])
            }
            return PixelImage(width: size, height: size, pixels: pixels, source: image.source)
        }
    }

    /// The value of each byte in each channel: scaled in double precision and rounded to float, then normalised in
    /// float, which is the order that transformers keeps.
    private func normalisedValues() -> [[Float]] {
        (0..<3).map { channel in
            (0..<256).map { (Float(Double($0) * scale) - mean[channel]) / deviation[channel] }
        }
    }
}
