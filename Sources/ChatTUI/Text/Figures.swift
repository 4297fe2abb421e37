// Figures.swift — numbers as the panels write them.

enum Figures {
    /// `value` with `digits` decimals, rounded to nearest: "3.1".
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "-" }
        let whole = Int(scaled / scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(Int(scaled) - whole * Int(scale))
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A probability in three columns: ".81", "1.0", ".00".
    static func probability(_ value: Float) -> String {
        value >= 0.995 ? "1.0" : String(fixed(Double(max(0, value)), 2).dropFirst())
    }

    static func percent(_ part: Int, of whole: Int) -> String {
        whole == 0 ? "-" : "\((part * 100 + whole / 2) / whole)%"
    }

    /// Milliseconds, with a decimal where it says something: "6.1 ms", "214 ms".
    static func milliseconds(_ seconds: Double) -> String {
        let value = seconds * 1000
        return value < 100 ? "\(fixed(value, 1)) ms" : "\(fixed(value, 0)) ms"
    }

    static func speed(_ tokensPerSecond: Double) -> String {
        fixed(tokensPerSecond, tokensPerSecond < 10 ? 1 : 0)
    }

    static func megabytes(_ bytes: Int) -> String { "\(fixed(Double(bytes) / 1_000_000, 1)) MB" }

    /// "1 node", "3 nodes".
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}
