// HarmlessText.swift — text that a terminal may be given: what models, files and prompts hold is never trusted.

/// `text` with every control character but line end and tab shown as a picture of itself: models, files and prompts may
/// hold escape sequences, and a terminal would obey them.
public func harmless(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isHarmful) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case _ where !isHarmful(scalar): shown.append(scalar)
        case 0..<0x20: shown.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
        case 0x7F: shown.append("\u{2421}")
        default: shown.append("\u{FFFD}")
        }
    }
    return String(shown)
}

/// `json` with what JSON leaves as it is, and a terminal obeys, escaped: the same value to every reader.
public func harmlessJSON(_ json: String) -> String {
    // The other control characters are escaped by every writer of JSON.
    func isHarmfulInJSON(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0x7F && isHarmful(scalar) }
    guard json.unicodeScalars.contains(where: isHarmfulInJSON) else { return json }
    return json.unicodeScalars.reduce(into: "") { text, scalar in
        if isHarmfulInJSON(scalar) {
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
            text.unicodeScalars.append(scalar)
        }
    }
}

/// Control characters (C0, DEL, C1) and those that reorder the text around them.
private func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: false
    case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
}
