// ComposerHistory.swift — what was written before: going through it with Up and Down, and searching it with Ctrl-R.

struct ComposerHistory: Sendable, Equatable {
    /// The oldest first.
    private(set) var entries: [String] = []
    /// Index into `entries` while older ones are looked at; absent while writing.
    private var recalled: Int?
    /// What was being written before the look into the past.
    private var draft = ""

    static let capacity = 1000

    mutating func add(_ text: String) {
        guard !text.trimmed.isEmpty, entries.last != text else { return }
        entries.append(text)
        if entries.count > ComposerHistory.capacity { entries.removeFirst() }
        recalled = nil
    }

    /// Takes over what earlier programs wrote.
    mutating func begin(with entries: [String]) { self.entries = Array(entries.suffix(ComposerHistory.capacity)) }

    /// The text was changed, so it is no entry any more.
    mutating func leave() { recalled = nil }

    /// The entry before; nil at the oldest.
    mutating func older(than text: String) -> String? {
        let older = (recalled ?? entries.count) - 1
        guard entries.indices.contains(older) else { return nil }
        if recalled == nil { draft = text }
        recalled = older
        return entries[older]
    }

    /// The entry after, and after the newest what was being written; nil while writing.
    mutating func newer() -> String? {
        guard let recalled else { return nil }
        let newer = recalled + 1
        self.recalled = newer < entries.count ? newer : nil
        return newer < entries.count ? entries[newer] : draft
    }
}

/// A search through the history, letter by letter, as shells have it.
struct HistorySearch: Sendable, Equatable {
    private(set) var wanted = ""
    /// Index of the entry that is shown; absent before the first letter, and when nothing fits.
    private(set) var found: Int?
    /// What was being written before the search.
    let draft: String

    /// Nothing holds what is wanted.
    var isFailing: Bool { !wanted.isEmpty && found == nil }

    init(draft: String) { self.draft = draft }

    /// What the screen says above the composer.
    var prompt: String { isFailing ? "nothing holds: \(wanted)" : "search: \(wanted)" }

    /// Wants one letter more; the entry that is shown stays when it still fits.
    mutating func type(_ text: String, in entries: [String]) {
        wanted += text
        find(in: entries, from: found ?? entries.count - 1)
    }

    /// Wants one letter less, and looks again from the newest.
    mutating func erase(in entries: [String]) {
        guard !wanted.isEmpty else { return }
        wanted.removeLast()
        find(in: entries, from: entries.count - 1)
    }

    /// Goes on to an older entry; the one that is shown stays when there is none.
    mutating func older(in entries: [String]) {
        guard let found else { return find(in: entries, from: entries.count - 1) }
        let shown = entries[found]
        if let next = entries[..<found].lastIndex(where: { fits($0) && $0 != shown }) { self.found = next }
    }

    mutating func newer(in entries: [String]) {
        guard let found else { return }
        let shown = entries[found]
        if let next = entries[(found + 1)...].firstIndex(where: { fits($0) && $0 != shown }) { self.found = next }
    }

    private mutating func find(in entries: [String], from last: Int) {
        found = wanted.isEmpty || entries.isEmpty ? nil : entries[...last].lastIndex { fits($0) }
    }

    private func fits(_ entry: String) -> Bool { entry.lowercased().contains(wanted.lowercased()) }
}
