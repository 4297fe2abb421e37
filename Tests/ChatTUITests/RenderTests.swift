// RenderTests.swift — whole screens, typed out: what a reader sees at each size.

import Engine
import Testing

@testable import ChatTUI

struct `A screen` {
    @Test func `of 80x24 shows answer, tree, figures and keys`() {
        #expect(
            screen(Samples.answering(), 80, 24) == [
                "╭─ specchat · demo · draft small ──────────────────────────────────────────────╮",
                "│ you What is on the mat?                                                      │",
                "│ bot The cat sat on the mat, next to a small red ball and a blue mug▌         │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "│                                                                              │",
                "├─ draft tree · round 2/2 · live · 3 of 8 accepted · +4 tokens ────────────────┤",
                "│ ·ball ┬─ ✓ ·and .81 ┬─ ✓ ·a .55 ──┬─ ✓ ·blue .40 ─┬─ ★ ·mug                  │",
                "│       │             │             │               ╰─ ✗ ·cup .60              │",
                "│       │             │             ╰─ ✗ ·green .22 ── · ·cup .50              │",
                "│       │             ╰─ ✗ ·the .20                                            │",
                "│       ╰─ ✗ . .11                                                             │",
                "│ ✓ accepted  ★ target's own  ✗ rejected  · not reached                        │",
                "├────────────────────────────────── Esc stop  Tab tree  F2 tree size  F1 help ─┤",
                "│ ›                                                                            │",
                "╰─ answering · 96 tok/s · 2.50 tok/round · 38% accepted · first token 0.25 s ──╯",
            ])
    }

    @Test func `of 40x10 keeps the conversation and one line of tree`() {
        #expect(
            screen(Samples.answering(), 40, 10) == [
                "╭─ specchat · demo · draft small ──────╮",
                "│ you What is on the mat?              │",
                "│ bot The cat sat on the mat, next to  │",
                "│     a small red ball and a blue mug▌ │",
                "│                                      │",
                "├─ draft tree · round 2/2 · live ──────┤",
                "│ ·and✓ ·a✓ ·blue✓ ·mug★  3/8          │",
                "├──────── Esc stop  Tab tree  F1 help ─┤",
                "│ ›                                    │",
                "╰─ answering · 96 tok/s ───────────────╯",
            ])
    }

    @Test func `of 120x40 has a column of figures and the rounds before`() {
        let lines = screen(Samples.answering(), 120, 40)
        #expect(
            lines.prefix(11).map { String($0.dropFirst(76)) } == [
                "┬─ figures ────────────────────────────────╮",
                "│ draft    6.1 ms  3 passes                │",
                "│ verify   19.8 ms  9 nodes                │",
                "│ budget   8 nodes  expects 3.4            │",
                "│          best rate at 8 nodes            │",
                "│                                          │",
                "│ answer   2.50 tokens a round             │",
                "│ drafted  8, of them accepted 3 (38%)     │",
                "│ by depth 100 100 100 0 %                 │",
                "│ rounds   ▃█                              │",
                "│ speedup  no plain pass to compare yet    │",
            ])
        #expect(lines[34].hasPrefix("│     1  ·sat★  0/0 "))
    }

    @Test func `of 200x60 has three columns`() {
        let lines = screen(Samples.answering(), 200, 60)
        #expect(lines.count == 60 && lines.allSatisfy { $0.count == 200 })
        let title = lines[0]
        #expect(title.contains("specchat") && title.contains("┬─ draft tree") && title.contains("┬─ figures"))
        #expect(lines[1].contains("·ball ┬─ ✓ ·and .81"))
    }

    @Test(arguments: [Size(rows: 9, columns: 80), Size(rows: 24, columns: 39), Size(rows: 1, columns: 3)])
    func `that is too small says what it needs`(size: Size) {
        let lines = render(Samples.answering(), size: size).lines
        #expect(lines.count == size.rows)
        if size.columns >= 39 { #expect(lines[0].contains("Too small: specchat needs 40x10.")) }
    }

    @Test func `at the start explains itself`() {
        var state = AppState()
        state.welcome = ["Ask about a picture.", "It has seen drawn scenes only."]
        _ = state.enqueue(.load)
        _ = reduce(&state, .engine(.progress(.init(phase: .loading, completed: 6_000_000, total: 12_000_000))), at: 0.1)
        let lines = screen(state, 80, 24)
        #expect(lines[2].contains("Ask about a picture."))
        #expect(lines[15].contains("a small draft model proposes a tree"))
        #expect(lines[23].contains("loading ━━━━━───── 50% of 12.0 MB"))
    }

    @Test func `in ASCII holds nothing but ASCII`() {
        var state = Samples.answering()
        state.symbols = .ascii
        #expect(screen(state, 120, 40).joined().allSatisfy { $0.isASCII })
        state.overlay = HelpText.overlay(for: state)
        #expect(screen(state, 80, 24).joined().allSatisfy { $0.isASCII })
    }

    @Test func `never shows raw what model, files, prompts or notices say`() {
        let evil = "\u{1B}[2J\u{9B}31m\u{07}\u{202E}x\u{1B}]0;t\u{07}"
        var state = Samples.answering()
        state.modelName = evil
        state.draftName = evil
        state.hint = evil
        state.addTurn(.question(.sent), evil)
        state.addTurn(.failure, evil)
        state.addTurn(.picture, evil)
        state.composer.insert(evil)
        let image = PixelImage(
            width: 1, height: 1, pixels: [0, 0, 0], source: .init(name: evil, width: 1, height: 1))
        state.photo = Photo(name: evil, image: image, id: 1)
        for (columns, rows) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
            for cell in render(state, size: Size(rows: rows, columns: columns)).cells {
                #expect(
                    cell.text.unicodeScalars.allSatisfy {
                        ![.control, .format].contains($0.properties.generalCategory)
                    })
            }
        }
    }

    /// Wide cells cover exactly the cells that they say, on every row of every screen.
    @Test func `keeps its columns with wide characters in every pane`() {
        var state = Samples.answering()
        state.modelName = "模型名"
        state.addTurn(.question(.sent), String(repeating: "日本語 text ", count: 20))
        state.composer.insert(String(repeating: "語", count: 100))
        for (columns, rows) in [(80, 24), (81, 25), (120, 40), (200, 60), (40, 10)] {
            let frame = render(state, size: Size(rows: rows, columns: columns))
            for row in 0..<rows {
                var column = 0
                while column < columns {
                    let width = frame[row, column].width
                    #expect(width > 0, "\(columns)x\(rows) row \(row) column \(column)")
                    for covered in column + 1..<column + max(1, width) { #expect(frame[row, covered].width == 0) }
                    column += max(1, width)
                }
            }
        }
    }

    @Test func `grows the composer with its text and keeps the cursor inside`() {
        var state = Samples.answering()
        state.composer.insert((1...12).map { "line \($0)" }.joined(separator: "\n"))
        let frame = render(state, size: Size(rows: 24, columns: 80))
        #expect(frame.lines[22].contains("line 12") && frame.lines[17].contains("line 7"))
        #expect(frame.cursor == .init(row: 22, column: 11))
    }

    @Test func `shows the help over everything and hides the cursor`() {
        var state = Samples.answering()
        state.overlay = HelpText.overlay(for: state)
        let frame = render(state, size: Size(rows: 24, columns: 80))
        #expect(frame.lines.joined().contains("Esc close") && frame.cursor == nil)
        #expect(frame.lines.contains { $0.contains("PgUp, PgDn") })
    }
}

struct `The photo pane` {
    private func state(_ style: PictureStyle) -> AppState {
        var state = Samples.answering()
        let pixels = (0..<64 * 48).flatMap { index -> [UInt8] in
            index % 64 < 32 ? [255, 0, 0] : [0, 0, 255]
        }
        let image = PixelImage(
            width: 64, height: 48, pixels: pixels, source: .init(name: "p.png", width: 64, height: 48))
        state.pictureStyle = style
        state.photo = Photo(name: "p.png", image: image, id: 1)
        return state
    }

    @Test func `draws half blocks in the picture's colours and proportions`() throws {
        let frame = render(state(.halfBlocks), size: Size(rows: 24, columns: 80))
        let photo = frame.cells.filter { $0.role == .photo }
        #expect(photo.count == 26 * 10)
        #expect(photo.first?.foreground == 196 && photo.last?.background == 21)
        #expect(frame.picture == nil)
    }

    @Test func `lays a sixel on rows that differ and are never blank, right of the border`() throws {
        let limits = PixelLimits(cellWidth: 10, cellHeight: 20, maximumWidth: 1000, maximumHeight: 1000)
        let frame = render(state(.pixels(.sixel, limits)), size: Size(rows: 24, columns: 80))
        let area = try #require(frame.picture)
        let rows = (area.row..<area.endRow).map { row in (area.column..<area.endColumn).map { frame[row, $0].text } }
        #expect(rows.allSatisfy { Set($0).count == 1 && $0[0] != " " })
        #expect(Set(rows.map { $0[0] }).count == rows.count)
        #expect((area.row..<area.endRow).allSatisfy { frame[$0, area.column - 1].text == "│" })
        #expect(area.endRow < 23)
    }

    @Test func `keeps a sixel within what the terminal takes`() throws {
        let limits = PixelLimits(cellWidth: 10, cellHeight: 20, maximumWidth: 150, maximumHeight: 100)
        let frame = render(state(.pixels(.sixel, limits)), size: Size(rows: 60, columns: 200))
        let area = try #require(frame.picture)
        #expect(area.columns * 10 <= 150 && area.rows * 20 <= 100)
    }

    @Test func `makes way for the help`() {
        var state = state(
            .pixels(.sixel, PixelLimits(cellWidth: 10, cellHeight: 20, maximumWidth: 900, maximumHeight: 900)))
        state.overlay = HelpText.overlay(for: state)
        let frame = render(state, size: Size(rows: 24, columns: 80))
        #expect(frame.picture == nil && !frame.cells.contains { $0.role == .filler })
    }

    @Test func `uses signs where there are no colours`() {
        let frame = render(state(.signs), size: Size(rows: 24, columns: 80))
        let photo = frame.cells.filter { $0.role == .photo }
        #expect(!photo.isEmpty && photo.allSatisfy { $0.text.utf8.count == 1 && $0.foreground == nil })
    }
}

struct `The theme` {
    @Test func `says nothing by colour alone`() {
        let verdicts: [NodeVerdict] = [.accepted, .bonus, .rejected, .unreached, .drafted]
        for symbols in [Symbols.unicode, .ascii] {
            #expect(Set(verdicts.map(symbols.mark)).count == verdicts.count)
        }
    }

    @Test func `uses no colour when NO_COLOR is set`() {
        let theme = Theme(
            .dark, palette: Palette(colors: 256, wish: .auto, environment: ["NO_COLOR": "1"]), background: .dark)
        for role in Role.allCases {
            let look = theme.appearance(of: Cell(role: role, foreground: 196, background: 21))
            #expect(look.foreground == nil && look.background == nil)
        }
        #expect(Palette(colors: 256, wish: .auto, environment: ["NO_COLOR": ""]) == .full)
    }

    @Test func `keeps to eight colours where there are no more`() {
        for choice in ThemeChoice.allCases {
            for (colors, limit) in [(8, 8), (16, 16), (88, 16), (1 << 24, 8)] {
                let palette = Palette(colors: colors, wish: .auto, environment: [:])
                for background in [Background.dark, .light] {
                    let theme = Theme(choice, palette: palette, background: background)
                    for role in Role.allCases where role != .photo {
                        #expect(Int(theme.appearance(of: Cell(role: role)).foreground ?? 0) < limit)
                    }
                }
            }
        }
    }
}
