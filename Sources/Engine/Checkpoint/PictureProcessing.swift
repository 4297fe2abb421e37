// PictureProcessing.swift — the preparation of pictures that a vision checkpoint asks for. Performed by ImagePreprocessor.

extension ImagePreprocessor {
    /// What a tower asks for.
    ///
    /// - Parameter framing: of pictures that become one square, where the bundle has a word for it.
    init(_ configuration: VisionConfiguration, framing: ModelBundle.Preprocessing?) {
        let own: Framing = configuration.cutsOutMiddle ? .crop : .pad
        let chosen: Framing? =
            switch framing {
            case .pad?: .pad
            case .crop?: .crop
            case nil: nil
            }
        self.init(
            size: configuration.imageSize, patch: configuration.patchSize, framing: chosen ?? own,
            shorterSide: configuration.shorterSide, tiling: configuration.tiling, scale: configuration.pixelScale,
            mean: configuration.mean, deviation: configuration.standardDeviation)
    }
}
