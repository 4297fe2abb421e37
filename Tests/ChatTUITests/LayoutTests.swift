// LayoutTests.swift — panes fill the screen, never overlap and never leave it, whatever its size.

import Testing

@testable import ChatTUI

struct `Screen layout` {
    /// Every size from the smallest up; the first that breaks a rule is named.
    @Test(arguments: [TreeSize.off, .mini, .full], [false, true])
    func `gives every pane room of its own at every size`(treeSize: TreeSize, hasPhoto: Bool) {
        let wishes = Layout.Wishes(treeSize: treeSize, hasPhoto: hasPhoto, composerRows: 9)
        let broken = sizes.first { size in
            let layout = Layout(size, wishes)
            let panes = [layout.transcript, layout.photo, layout.statistics, layout.tree, layout.composer]
                .compactMap { $0 }
            let areInside = panes.allSatisfy {
                !$0.isEmpty && $0.row > 0 && $0.endRow < size.rows && $0.column > 0 && $0.endColumn < size.columns
            }
            let areApart = panes.indices.allSatisfy { a in
                panes.indices.dropFirst(a + 1).allSatisfy { !panes[a].intersects(panes[$0]) }
            }
            return !areInside || !areApart
        }
        #expect(broken == nil)
    }

    @Test(arguments: [TreeSize.off, .mini, .full], [false, true])
    func `follows the rules of its width and height`(treeSize: TreeSize, hasPhoto: Bool) {
        let broken = sizes.first { size in
            let layout = Layout(size, .init(treeSize: treeSize, hasPhoto: hasPhoto))
            let (transcript, tree, photo) = (layout.transcript, layout.tree, layout.photo)
            let isWide = size.columns >= 100
            let isLow = size.rows < 20
            return (tree == nil) != (treeSize == .off)
                // A low screen has one row of tree; a narrow one has it below the transcript.
                || tree != nil && (layout.isTreeMini != (isLow || treeSize == .mini))
                || layout.isTreeMini && tree.map { $0.rows != 1 } ?? false
                || tree.map { size.columns < 160 && $0.row < transcript.endRow } ?? false
                || tree.map { size.columns >= 160 && size.rows >= 30 && !layout.isTreeMini && $0.row != transcript.row }
                    ?? false
                // Figures need a wide screen, and a picture is never given up for them.
                || layout.statistics != nil && !isWide
                || isWide && hasPhoto && photo == nil
                || layout.statistics.map { $0.rows > (photo?.rows ?? .max) } ?? false
                || photo.map { $0.column <= transcript.endColumn || $0.row != transcript.row } ?? false
                // There is always room for the conversation.
                || transcript.rows < 2 || transcript.columns < 30
        }
        #expect(broken == nil)
    }

    private var sizes: [Size] { (10...70).flatMap { rows in (40...220).map { Size(rows: rows, columns: $0) } } }

    @Test func `takes no tree pane when the tree is off`() {
        let layout = Layout(Size(rows: 24, columns: 80), .init(treeSize: .off))
        #expect(layout.tree == nil)
    }

    @Test func `shows the tree as one line on a low screen`() {
        let layout = Layout(Size(rows: 19, columns: 80), .init())
        #expect(layout.isTreeMini && layout.tree?.rows == 1)
    }
}
