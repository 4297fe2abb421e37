// TerminalProbe.swift — what the terminal says about itself when it is asked, in one round trip.

/// Which way pictures take to the screen, when the user says.
public enum ImageProtocol: String, Sendable, Equatable, CaseIterable {
    case auto, sixel, kitty, iterm2, blocks, ascii, none
}

/// A terminal's answers to `TerminalProbe.query`.
struct TerminalProbe: Sendable, Equatable {
    /// The primary device attributes came: every terminal answers that.
    private(set) var isAnswered = false
    /// Those attributes, which say among others whether it draws sixels.
    private(set) var attributes: [Int] = []
    private(set) var cellWidth: Int?
    private(set) var cellHeight: Int?
    private(set) var maximumWidth: Int?
    private(set) var maximumHeight: Int?
    /// Name and version, such as "XTerm(379)".
    private(set) var version: String?
    /// The answer to a picture of kitty's protocol that was only asked about: "OK" or why not.
    private(set) var kittyAnswer: String?
    /// The features that iTerm2's protocol reports; with F among them it takes files.
    private(set) var itermFeatures: String?
    /// Red, green and blue of the background, 0...1.
    private(set) var backgroundColor: [Double]?

    var hasSixel: Bool { attributes.contains(4) }

    /// The questions. Last comes the one that every terminal answers, so that silence to the others costs no time.
    ///
    /// - Parameters:
    ///   - asksInStrings: also in sequences that an old terminal would print; see `TerminalFacts`.
    ///   - asksForPictures: also for the picture protocols that nothing between us and the terminal may understand.
    static func query(asksInStrings: Bool, asksForPictures: Bool) -> String {
        // Largest picture, size of a cell.
        var query = "\u{1B}[?2;1;0S\u{1B}[16t"
        if asksInStrings {
            query += "\u{1B}]11;?\u{1B}\\\u{1B}[>q"
            if asksForPictures {
                query += "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}]1337;Capabilities\u{1B}\\"
            }
        }
        return query + "\u{1B}[c"
    }

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

    /// Takes in one answer without its ESC: "[?63;1;4c", "]11;rgb:0000/0000/0000", "P>|XTerm(379)", "_Gi=31;OK".
    mutating func readReport(_ report: String) {
        let body = String(report.dropFirst())
        switch report.first {
        case "[": readNumbers(body)
        case "]" where body.hasPrefix("11;"): backgroundColor = TerminalProbe.color(String(body.dropFirst(3)))
        case "]" where body.hasPrefix("1337;Capabilities="):
            itermFeatures = String(body.dropFirst("1337;Capabilities=".count).prefix(200))
        case "P" where body.hasPrefix(">|"): version = String(body.dropFirst(2).prefix(100))
        case "_" where body.hasPrefix("Gi=31;"): kittyAnswer = String(body.dropFirst("Gi=31;".count).prefix(100))
        default: break
        }
    }

    private mutating func readNumbers(_ report: String) {
        guard let end = report.last else { return }
        let body = report.dropLast()
        let numbers = body.drop { $0 == "?" }.split(separator: ";").map { Int($0) ?? -1 }
        switch end {
        case "c" where body.hasPrefix("?"):
            isAnswered = true
            // The first number is the terminal's class.
            attributes = Array(numbers.dropFirst())
        case "t" where numbers.count == 3 && numbers[0] == 6 && numbers[1] > 0 && numbers[2] > 0:
            cellHeight = numbers[1]
            cellWidth = numbers[2]
        case "S" where numbers.count == 4 && numbers[0] == 2 && numbers[1] == 0 && numbers[2] > 0 && numbers[3] > 0:
            maximumWidth = numbers[2]
            maximumHeight = numbers[3]
        default: break
        }
    }

    /// "rgb:ffff/ffff/ffff", with one to four digits for each.
    private static func color(_ text: String) -> [Double]? {
        guard text.hasPrefix("rgb:") || text.hasPrefix("rgba:") else { return nil }
        let parts = text.drop { $0 != ":" }.dropFirst().split(separator: "/").prefix(3)
        let values = parts.compactMap { part -> Double? in
            guard (1...4).contains(part.count), let value = UInt32(part, radix: 16) else { return nil }
            return Double(value) / Double((1 << (4 * part.count)) - 1)
        }
        return values.count == 3 ? values : nil
    }
}
