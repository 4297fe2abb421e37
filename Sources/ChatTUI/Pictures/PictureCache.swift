// PictureCache.swift — the bytes of the picture on the screen, encoded once for each place that it takes.

import Engine

struct PictureCache {
    private struct Key: Equatable {
        let photo: Int
        let rows: Int
        let columns: Int
        let style: PictureStyle
    }
    private var key: Key?
    private var picture: Terminal.Picture?

    /// The picture of the state, scaled to fill `area` exactly; nil when it cannot be encoded.
    mutating func picture(_ state: AppState, in area: Rectangle) -> Terminal.Picture? {
        guard let photo = state.photo, case .pixels(let way, let limits) = state.pictureStyle else { return nil }
        let wanted = Key(photo: photo.id, rows: area.rows, columns: area.columns, style: state.pictureStyle)
        if wanted == key { return picture }
        key = wanted
        let scaled = photo.image.resized(width: area.columns * limits.cellWidth, height: area.rows * limits.cellHeight)
        let cells = Size(rows: area.rows, columns: area.columns)
        let erase = way.drawing.erase(id: photo.id)
        picture = way.drawing.draw(scaled, over: cells, id: photo.id)
            .map { Terminal.Picture(photo: photo.id, bytes: $0, erase: erase) }
        return picture
    }
}
