// PicturePrinter.swift — a picture on standard output in the way that the terminal takes pictures: no screen, no model.

public import Engine
import Foundation

/// Draws a picture among the lines of a command's output.
public struct PicturePrinter {
    private let facts: TerminalFacts

    /// Asks the terminal what it can draw.
    public init(imageProtocol: ImageProtocol, color: ColorChoice, environment: [String: String]? = nil) {
        let environment = environment ?? ProcessInfo.processInfo.environment
        Terminal.useLocale()
        var facts = TerminalFacts(environment: environment)
        facts.isTerminal = Terminal.obstacle(terminalName: facts.name) != .notATerminal
        facts.wish = imageProtocol
        _ = facts.ask(color)
        self.facts = facts
    }

    init(facts: TerminalFacts) { self.facts = facts }

    /// The bytes that draw `image` from the beginning of the cursor's line on, and leave the cursor below it; empty where
    /// there is no terminal, or no picture is wanted.
    public func bytes(of image: PixelImage) -> [UInt8] {
        guard facts.isTerminal else { return [] }
        // A line stays free for the prompt.
        let box = Size(rows: max(1, facts.size.rows - 2), columns: max(1, facts.size.columns))
        switch facts.pictureStyle {
        case .none: return []
        case .signs: return Self.lines(PhotoArt(signs: image, rows: box.rows, columns: box.columns))
        case .halfBlocks: return Self.lines(PhotoArt(halfBlocks: image, rows: box.rows, columns: box.columns))
        case .pixels(let way, let limits):
            return Self.pixels(image, by: way, within: limits, box: box)
                ?? Self.lines(PhotoArt(halfBlocks: image, rows: box.rows, columns: box.columns))
        }
    }

    private static func lines(_ art: PhotoArt) -> [UInt8] {
        var text = ""
        for row in 0..<art.rows {
            for column in 0..<art.columns {
                let cell = art[row, column]
                if let foreground = cell.foreground { text += "\u{1B}[38;5;\(foreground)m" }
                if let background = cell.background { text += "\u{1B}[48;5;\(background)m" }
                text.append(cell.text)
            }
            text += art.cells.contains { $0.foreground != nil } ? "\u{1B}[0m\n" : "\n"
        }
        return Array(text.utf8)
    }

    private static func pixels(
        _ image: PixelImage, by way: PixelWay, within limits: PixelLimits, box: Size
    ) -> [UInt8]? {
        let width = min(limits.maximumWidth, box.columns * limits.cellWidth)
        let height = min(limits.maximumHeight, box.rows * limits.cellHeight)
        // Never enlarged: a pixel of the model is a pixel of the screen.
        let scale = min(1, Double(width) / Double(image.width), Double(height) / Double(image.height))
        let small = image.resized(
            width: max(1, Int(Double(image.width) * scale)), height: max(1, Int(Double(image.height) * scale)))
        let rows = (small.height + limits.cellHeight - 1) / limits.cellHeight
        let columns = (small.width + limits.cellWidth - 1) / limits.cellWidth
        guard let drawing = way.drawing.draw(small, over: Size(rows: rows, columns: columns), id: 1) else { return nil }
        // Room is made first, so that drawing never scrolls; where the cursor is left differs from terminal to terminal.
        let before = String(repeating: "\n", count: rows) + "\u{1B}[\(rows)A\u{1B}7"
        return Array(before.utf8) + drawing + Array("\u{1B}8\u{1B}[\(rows)B\r".utf8)
    }
}
