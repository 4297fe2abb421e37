// PaletteText.swift — the command palette: every command, and every word that one takes, to be found by typing.

extension CommandTable {
    /// Commands that need nothing more run at once; the others go into the composer to be completed.
    static func palette() -> Overlay {
        let offers = CommandEntry.Group.allCases.flatMap { entries(of: $0) }.flatMap { CommandTable.offers(of: $0) }
        let columns = offers.reduce(0) { max($0, $1.usage.count) } + 2
        let rows = offers.map { offer in
            Overlay.Row([Span(offer.usage.padded(to: columns), .key), Span(offer.help, .faint)], choice: offer.choice)
        }
        return Overlay(kind: .palette, title: "commands", rows: rows, isFiltered: true)
    }

    private typealias Offer = (usage: String, help: String, choice: Overlay.Choice)

    private static func offers(of entry: CommandEntry) -> [Offer] {
        if case .word(let words, _) = entry.argument {
            return words.map { word in
                ("\(entry.name) \(word)", entry.help, .run(entry.command(word)))
            }
        }
        let isComplete = entry.argument.isOptional
        return [(entry.usage, entry.help, isComplete ? .run(entry.command("")) : .write(entry.name + " "))]
    }
}
