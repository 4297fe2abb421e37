// PhotoPane.swift — the picture of the conversation: cells, or the ground on which Terminal lays a sixel.

import Engine

enum PhotoPane {
    /// Half blocks or signs made for a box, kept for as long as nothing about them changes.
    struct Art: Sendable, Equatable {
        let photo: Int
        let style: PictureStyle
        let rows: Int
        let columns: Int
        /// Rows and columns of `cells`, which may be fewer than those of the box.
        let size: Size
        let cells: [Cell]
    }

    static func draw(_ state: AppState, in area: Rectangle, on frame: inout Frame) {
        guard let photo = state.photo, !area.isEmpty else { return }
        switch state.pictureStyle {
        case .none: break
        case .halfBlocks, .signs:
            if let art = art(state, in: area) { draw(art, in: area, on: &frame) }
        case .pixels(_, let limits):
            let place = pixelPlace(photo.image, limits, in: area)
            fill(place, symbols: state.symbols, on: &frame)
            frame.picture = place
        }
    }

    /// The cells for this box, the kept ones if they are still right; nil for sixels and without a picture.
    static func art(_ state: AppState, in area: Rectangle) -> Art? {
        guard let photo = state.photo else { return nil }
        if let kept = state.photoArt, kept.photo == photo.id, kept.style == state.pictureStyle,
            kept.rows == area.rows, kept.columns == area.columns
        {
            return kept
        }
        let art: PhotoArt
        switch state.pictureStyle {
        case .halfBlocks: art = PhotoArt(halfBlocks: photo.image, rows: area.rows, columns: area.columns)
        case .signs: art = PhotoArt(signs: photo.image, rows: area.rows, columns: area.columns)
        case .none, .pixels: return nil
        }
        let cells = art.cells.map { cell in
            Cell(
                cluster: Cluster(sign: String(cell.text)), role: .photo, foreground: cell.foreground,
                background: cell.background)
        }
        return Art(
            photo: photo.id, style: state.pictureStyle, rows: area.rows, columns: area.columns,
            size: Size(rows: art.rows, columns: art.columns), cells: cells)
    }

    private static func draw(_ art: Art, in area: Rectangle, on frame: inout Frame) {
        let top = area.row + (area.rows - art.size.rows) / 2
        let left = area.column + (area.columns - art.size.columns) / 2
        frame.hasCellPicture = true
        for row in 0..<art.size.rows {
            for column in 0..<art.size.columns {
                frame[top + row, left + column] = art.cells[row * art.size.columns + column]
            }
        }
    }

    /// The cells that the picture covers: at the left edge, where the border keeps ncurses from erasing leftwards.
    static func pixelPlace(_ image: PixelImage, _ limits: PixelLimits, in area: Rectangle) -> Rectangle {
        let rows = min(area.rows, limits.maximumHeight / limits.cellHeight)
        let columns = min(area.columns, limits.maximumWidth / limits.cellWidth)
        let fit = PhotoArt.fit(
            image, rows: rows, columns: columns, cellWidth: limits.cellWidth, cellHeight: limits.cellHeight)
        return Rectangle(row: area.row, column: area.column, rows: fit.rows, columns: fit.columns)
    }

    /// Fills the ground with a sign that no other row has. Blank ground ncurses would erase, and rows that look alike
    /// it would move by scrolling: either way the picture that lies on them would go with it.
    private static func fill(_ place: Rectangle, symbols: Symbols, on frame: inout Frame) {
        for row in 0..<place.rows {
            let line = Rectangle(row: place.row + row, column: place.column, rows: 1, columns: place.columns)
            frame.fill(line, with: Cell(cluster: symbols.filler(row: place.row + row), role: .filler))
        }
    }
}

extension Symbols {
    func filler(row: Int) -> Cluster {
        let scalar = isUTF8 ? Unicode.Scalar(UInt32(0x2801 + row % 255)) : Unicode.Scalar(UInt32(0x21 + row % 90))
        return Cluster(scalar ?? "#")
    }
}

extension AppState {
    /// Makes the cells of the picture when the picture or its box is new.
    mutating func refreshPhotoArt() {
        guard photo != nil, Layout.fits(size), let area = layout.photo else { return }
        photoArt = PhotoPane.art(self, in: area)
    }
}
