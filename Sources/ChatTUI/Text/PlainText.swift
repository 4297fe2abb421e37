// PlainText.swift — text for a terminal or pipe that no screen stands in front of.

/// Makes text harmless to print: the same words, with everything that could command a terminal spelt out.
public enum PlainText {
    /// `text` with control characters (but newline and tab) and invisible direction marks spelt out.
    public static func safe(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" || !needsSpelling(scalar) {
                safe.unicodeScalars.append(scalar)
            } else {
                safe += DisplayText.glyphs(String(Character(scalar))).map(\.text).joined()
            }
        }
        return safe
    }

    /// Columns that a terminal gives to one line.
    public static func width(_ line: String) -> Int { DisplayText.width(line) }

    /// One line cut to so many columns; what was cut leaves an ellipsis.
    public static func clipped(_ line: String, to width: Int) -> String {
        DisplayText.clipped(line, to: width).map(\.text).joined()
    }

    private static func needsSpelling(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // The joiner makes one emoji of several and moves nothing.
        case .format: scalar.value != 0x200D && scalar.value != 0xAD
        default: false
        }
    }
}
