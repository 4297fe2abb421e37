// TerminalProbe.swift — what the terminal says about itself, and what pictures may therefore be.

/// Which way pictures take to the screen, when the user says.
public enum ImageProtocol: String, Sendable, Equatable, CaseIterable {
    case auto, sixel, blocks, none
}

/// A terminal's answers to `TerminalProbe.query`.
struct TerminalProbe: Sendable, Equatable {
    /// The terminal has answered, and says that it draws sixels.
    var hasSixel = false
    /// The primary device attributes came: every terminal answers that.
    var isAnswered = false
    var cellWidth: Int?
    var cellHeight: Int?
    var maximumWidth: Int?
    var maximumHeight: Int?

    /// Largest picture, size of a cell, and last the question that every terminal answers.
    static let query = "\u{1B}[?2;1;0S\u{1B}[16t\u{1B}[c"

    /// Takes in answers, with their ESC; returns the rest, which someone has typed ahead.
    mutating func read(_ text: String) -> String {
        var reader = KeyReader()
        var typed = ""
        for scalar in text.unicodeScalars {
            switch reader.feed(.scalar(scalar)).first {
            case .report(let report): readReport(report)
            // Before the terminal was in raw mode it made a newline of Enter.
            case .key(.enter), .key(.control("j")): typed += "\r"
            case .key(.character(let character)): typed.append(character)
            default: break
            }
        }
        return typed
    }

    /// Takes in one answer without its ESC: "[?63;1;4c".
    mutating func readReport(_ report: String) {
        guard report.hasPrefix("["), let end = report.last else { return }
        let body = report.dropFirst().dropLast()
        let numbers = body.drop { $0 == "?" }.split(separator: ";").map { Int($0) ?? -1 }
        switch end {
        case "c" where body.hasPrefix("?"):
            isAnswered = true
            // The first number is the terminal's class; 4 among the others is sixel graphics.
            hasSixel = numbers.dropFirst().contains(4)
        case "t" where numbers.count == 3 && numbers[0] == 6 && numbers[1] > 0 && numbers[2] > 0:
            cellHeight = numbers[1]
            cellWidth = numbers[2]
        case "S" where numbers.count == 4 && numbers[0] == 2 && numbers[1] == 0 && numbers[2] > 0 && numbers[3] > 0:
            maximumWidth = numbers[2]
            maximumHeight = numbers[3]
        default: break
        }
    }

    /// The best style that the user's wish, the terminal and its colours allow.
    func style(
        wish: ImageProtocol, palette: Palette, isUTF8: Bool, size: Size, pixels: (width: Int, height: Int)?
    ) -> PictureStyle {
        let blocks: PictureStyle = palette == .full && isUTF8 ? .halfBlocks : .signs
        switch wish {
        case .none: return .none
        case .blocks: return blocks
        case .auto where !hasSixel: return blocks
        case .auto, .sixel: break
        }
        // The window's pixels include the terminal's own margin; integer division drops it.
        let fromWindow = pixels.map { ($0.width / max(1, size.columns), $0.height / max(1, size.rows)) }
        let width = cellWidth ?? fromWindow?.0 ?? 10
        let height = cellHeight ?? fromWindow?.1 ?? 20
        guard (2...200).contains(width), (2...200).contains(height) else { return blocks }
        // xterm drops a picture beyond its limit without a trace; 1000 pixels is its default.
        return .sixel(
            SixelLimits(
                cellWidth: width, cellHeight: height, maximumWidth: min(1000, maximumWidth ?? 1000),
                maximumHeight: min(1000, maximumHeight ?? 1000)))
    }
}
