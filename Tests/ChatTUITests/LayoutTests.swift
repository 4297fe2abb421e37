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
                let panes = [layout.transcript, layout.photo, layout.statistics, layout.tree, layout.composer]
                    .compactMap { $0 }
                let areInside = panes.allSatisfy {
                    !$0.isEmpty && $0.row > 0 && $0.endRow < rows && $0.column > 0 && $0.endColumn < columns
                }
                let pairs = panes.indices.flatMap { a in panes.indices.dropFirst(a + 1).map { (panes[a], panes[$0]) } }
                let areApart = pairs.allSatisfy { a, b in
                    a.endRow <= b.row || b.endRow <= a.row || a.endColumn <= b.column || b.endColumn <= a.column
                }
                #expect(areInside && areApart, "\(columns)x\(rows): \(panes)")
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
