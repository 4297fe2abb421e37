// SixelCache.swift — the bytes of the picture on the screen, encoded once for each place that it takes.

import Engine

struct SixelCache {
    private struct Key: Equatable {
        let photo: Int
        let rows: Int
        let columns: Int
        let style: PictureStyle
    }
    private var key: Key?
    private var sixel: Terminal.Sixel?

    /// The picture of the state, scaled to fill `area` exactly; nil when it cannot be encoded.
    mutating func sixel(_ state: AppState, in area: Rectangle) -> Terminal.Sixel? {
        guard let photo = state.photo, case .sixel(let limits) = state.pictureStyle else { return nil }
        let wanted = Key(photo: photo.id, rows: area.rows, columns: area.columns, style: state.pictureStyle)
        if wanted == key { return sixel }
        key = wanted
        let scaled = photo.image.resized(width: area.columns * limits.cellWidth, height: area.rows * limits.cellHeight)
        sixel = (try? SixelEncoder.encode(scaled)).map { Terminal.Sixel(photo: photo.id, bytes: $0) }
        return sixel
    }
}
