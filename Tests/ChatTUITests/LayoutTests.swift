// LayoutTests.swift — panes fill the screen, never overlap and never leave it, whatever its size.

import Testing

@testable import ChatTUI

struct `Screen layout` {
    @Test(arguments: [TreeSize.off, .mini, .full], [false, true])
    func `gives every pane room of its own at every size`(treeSize: TreeSize, hasPhoto: Bool) {
        for rows in stride(from: 10, through: 80, by: 3) {
            for columns in stride(from: 40, through: 240, by: 7) {
                let wishes = Layout.Wishes(treeSize: treeSize, hasPhoto: hasPhoto, composerRows: 9)
                let layout = Layout(Size(rows: rows, columns: columns), wishes)
                var taken: Set<Int> = []
                let panes = [layout.transcript, layout.photo, layout.statistics, layout.tree, layout.composer]
                for pane in panes.compactMap({ $0 }) {
                    #expect(!pane.isEmpty, "an empty pane at \(columns)x\(rows)")
                    for row in pane.row..<pane.endRow {
                        for column in pane.column..<pane.endColumn {
                            #expect(row > 0 && row < rows - 1 && column > 0 && column < columns - 1)
                            #expect(taken.insert(row * columns + column).inserted, "overlap at \(columns)x\(rows)")
                        }
                    }
                }
            }
        }
    }

    @Test func `takes no tree pane when the tree is off`() {
        let layout = Layout(Size(rows: 24, columns: 80), .init(treeSize: .off))
        #expect(layout.tree == nil)
    }

    @Test func `shows the tree as one line on a low screen`() {
        let layout = Layout(Size(rows: 19, columns: 80), .init())
        #expect(layout.isTreeMini && layout.tree?.rows == 1)
    }
}
