// TextColumns.swift — rows of cells as lines of text whose columns stand below each other. Used by bench and inspect.

import Foundation

/// Columns padded to their widest cell: the first to the left, the others to the right.
func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        let cells = row.enumerated().map { column, cell in
            let padding = String(repeating: " ", count: widths[column] - cell.count)
            return column == 0 ? cell + padding : padding + cell
        }
        return cells.joined(separator: "  ")
    }
}

/// `value` with a fixed number of decimals, a point before them whatever the locale.
func decimal(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
