// Layout.swift — which pane gets which cells, for any size of screen.

/// The panes of a screen; all rectangles are inside their borders.
struct Layout: Sendable, Equatable {
    let size: Size
    let transcript: Rectangle
    let photo: Rectangle?
    let statistics: Rectangle?
    let tree: Rectangle?
    /// The tree is drawn as one line.
    let isTreeMini: Bool
    let composer: Rectangle
    let borders: [BorderLine]

    static let smallest = Size(rows: 10, columns: 40)
    static let promptColumns = 2
    /// Rows of figures that are worth a pane.
    private static let fewestFigures = 4

    static func fits(_ size: Size) -> Bool { size.rows >= smallest.rows && size.columns >= smallest.columns }

    /// What the panes must make room for.
    struct Wishes: Sendable, Equatable {
        var treeSize = TreeSize.full
        var hasPhoto = false
        /// Rows that the composer's text takes when nothing limits it.
        var composerRows = 1
    }

    init(_ size: Size, _ wishes: Wishes) {
        precondition(Layout.fits(size), "Layout: \(size.columns)x\(size.rows) is too small for panes")
        self.size = size
        let inner = size.columns - 2
        let composerRows = max(1, min(wishes.composerRows, 6, size.rows / 4))
        let composerTop = size.rows - 1 - composerRows
        composer = Rectangle(row: composerTop, column: 1, rows: composerRows, columns: inner)
        var borders = BorderLine.box(Rectangle(row: 0, column: 0, rows: size.rows, columns: size.columns))
        borders.append(.across(row: composerTop - 1, from: 0, to: size.columns - 1))

        // Between the title's border and the composer's.
        let middle = Rectangle(row: 1, column: 1, rows: composerTop - 2, columns: inner)
        let panes = Layout.panes(middle, wishes, screen: size)
        transcript = panes.transcript
        photo = panes.photo
        statistics = panes.statistics
        tree = panes.tree
        isTreeMini = panes.isTreeMini
        self.borders = borders + panes.borders
    }

    private struct Panes {
        var transcript: Rectangle
        var photo: Rectangle?
        var statistics: Rectangle?
        var tree: Rectangle?
        var isTreeMini = false
        var borders: [BorderLine] = []
    }

    private static func panes(_ area: Rectangle, _ wishes: Wishes, screen: Size) -> Panes {
        var panes = Panes(transcript: area)
        panes.isTreeMini = wishes.treeSize == .mini || screen.rows < 20
        let wantsTree = wishes.treeSize != .off
        let isThreeColumn = screen.columns >= 160 && screen.rows >= 30
        if wantsTree, !(isThreeColumn && !panes.isTreeMini) { splitBelow(&panes, screen: screen) }
        let hasStatistics = wantsTree && !panes.isTreeMini && screen.columns >= 100
        if screen.columns >= 100 {
            if wishes.hasPhoto || hasStatistics {
                splitSide(&panes, hasPhoto: wishes.hasPhoto, hasStatistics: hasStatistics, screen: screen)
            }
        } else if wishes.hasPhoto {
            splitNarrowPhoto(&panes)
        }
        if wantsTree, isThreeColumn, !panes.isTreeMini { splitTreeColumn(&panes, screen: screen) }
        return panes
    }

    /// The tree takes rows below everything else.
    private static func splitBelow(_ panes: inout Panes, screen: Size) {
        let area = panes.transcript
        let rows = panes.isTreeMini ? 1 : screen.rows < 32 ? 6 : screen.rows < 50 ? 12 : 16
        panes.transcript.rows = area.rows - rows - 1
        panes.tree = Rectangle(row: area.endRow - rows, column: area.column, rows: rows, columns: area.columns)
        panes.borders.append(.across(row: area.endRow - rows - 1, from: area.column - 1, to: area.endColumn))
    }

    /// A column at the right: the photo above, the figures below.
    private static func splitSide(_ panes: inout Panes, hasPhoto: Bool, hasStatistics: Bool, screen: Size) {
        let area = panes.transcript
        let columns = min(46, max(34, screen.columns * 35 / 100))
        let left = area.endColumn - columns
        panes.transcript.columns = area.columns - columns - 1
        panes.borders.append(.down(column: left - 1, from: area.row - 1, to: area.endRow))
        var side = Rectangle(row: area.row, column: left, rows: area.rows, columns: columns)
        if hasStatistics {
            guard hasPhoto else {
                panes.statistics = side
                return
            }
            // Figures that do not fit are at the end of their list; half of a picture is none.
            let rows = min(StatisticsPane.rows(in: side.rows), (side.rows - 1) / 2)
            guard rows >= fewestFigures else {
                panes.photo = side
                return
            }
            panes.statistics = Rectangle(row: side.endRow - rows, column: left, rows: rows, columns: columns)
            panes.borders.append(.across(row: side.endRow - rows - 1, from: left - 1, to: side.endColumn))
            side.rows -= rows + 1
        }
        if hasPhoto { panes.photo = side }
    }

    /// A small photo beside the transcript, as long as both have room.
    private static func splitNarrowPhoto(_ panes: inout Panes) {
        let area = panes.transcript
        let columns = min(28, area.columns / 3)
        guard columns >= 20, area.rows >= 5 else { return }
        let left = area.endColumn - columns
        panes.photo = Rectangle(row: area.row, column: left, rows: area.rows, columns: columns)
        panes.transcript.columns = area.columns - columns - 1
        panes.borders.append(.down(column: left - 1, from: area.row - 1, to: area.endRow))
    }

    /// The tree between the transcript and the side column.
    private static func splitTreeColumn(_ panes: inout Panes, screen: Size) {
        let area = panes.transcript
        let columns = screen.columns * 42 / 100
        let left = area.endColumn - columns
        panes.tree = Rectangle(row: area.row, column: left, rows: area.rows, columns: columns)
        panes.transcript.columns = area.columns - columns - 1
        panes.borders.append(.down(column: left - 1, from: area.row - 1, to: area.endRow))
    }
}

/// A border, from the middle of one cell to the middle of another; where borders meet they join.
enum BorderLine: Sendable, Equatable {
    case across(row: Int, from: Int, to: Int)
    case down(column: Int, from: Int, to: Int)

    static func box(_ area: Rectangle) -> [BorderLine] {
        [
            .across(row: area.row, from: area.column, to: area.endColumn - 1),
            .across(row: area.endRow - 1, from: area.column, to: area.endColumn - 1),
            .down(column: area.column, from: area.row, to: area.endRow - 1),
            .down(column: area.endColumn - 1, from: area.row, to: area.endRow - 1),
        ]
    }
}

extension Frame {
    mutating func draw(_ line: BorderLine, in symbols: Symbols) { draw([line], in: symbols, role: .border) }

    mutating func draw(_ lines: [BorderLine], in symbols: Symbols, role: Role = .border) {
        var arms = Array(repeating: BorderArm(), count: size.rows * size.columns)
        for line in lines {
            switch line {
            case .across(let row, let from, let to):
                for column in from...to {
                    if column > from { arms[row * size.columns + column].insert(.left) }
                    if column < to { arms[row * size.columns + column].insert(.right) }
                }
            case .down(let column, let from, let to):
                for row in from...to {
                    if row > from { arms[row * size.columns + column].insert(.up) }
                    if row < to { arms[row * size.columns + column].insert(.down) }
                }
            }
        }
        let signs = (0..<16).map { Cluster(sign: symbols.border(BorderArm(rawValue: $0))) }
        for index in arms.indices where !arms[index].isEmpty {
            cells[index] = Cell(cluster: signs[Int(arms[index].rawValue)], role: role)
        }
    }
}
