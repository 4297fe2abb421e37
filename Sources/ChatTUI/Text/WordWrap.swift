// WordWrap.swift — text of one look into lines of at most so many columns, for notes, dialogs and welcomes.

enum WordWrap {
    /// The lines of `text`, broken as LineBreaker does; never empty.
    static func lines(_ text: String, width: Int) -> [[Glyph]] {
        precondition(width > 0, "WordWrap: a line needs at least one column")
        var breaker = LineBreaker(width: width)
        breaker.add(text, .text)
        return breaker.finished().map { $0.flatMap(\.glyphs) }
    }
}
