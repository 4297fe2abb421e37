// SessionsOverlay.swift — the list of saved conversations: its rows, its search, and deleting. Opened by /sessions.

import Engine

extension AppState {
    /// /sessions: the list, narrowed to the conversations that hold these words.
    mutating func listSessions(_ search: String) -> [Effect] { [.session(.list(search: search))] }

    /// The list has come, or what a search has found.
    mutating func showSessions(_ lines: [SessionLine], search: String) {
        session.deleting = nil
        let rows = SessionsOverlay.rows(lines)
        if var open = overlay, open.kind == .sessions {
            // An answer to what was typed before is no answer any more.
            guard (open.filter?.text ?? "") == search else { return }
            open.replaceRows(rows)
            open.title = SessionsOverlay.title
            overlay = open
        } else if overlay == nil {
            guard !lines.isEmpty || !search.isEmpty else {
                hint = "no conversation is saved yet"
                return
            }
            overlay = SessionsOverlay.make(rows, search: search)
        }
    }

    /// Keys that the list has for itself; nil for those that every list has.
    mutating func pressInSessions(_ key: Key) -> [Effect]? {
        guard var overlay else { return nil }
        if let deleting = session.deleting {
            session.deleting = nil
            overlay.title = SessionsOverlay.title
            self.overlay = overlay
            guard [.character("d"), .character("y"), .delete, .control("d")].contains(key) else { return [] }
            return [.session(.delete(id: deleting, search: overlay.filter?.text ?? ""))]
        }
        switch key {
        case .escape, .control("c"), .control("g"), .function(1), .enter: return nil
        case .delete, .control("d"):
            confirmDelete(in: &overlay)
            self.overlay = overlay
            return []
        default: return nil
        }
    }

    private mutating func confirmDelete(in overlay: inout Overlay) {
        guard case .run(.resume(let id?))? = overlay.chosen?.choice else { return }
        session.deleting = id
        overlay.title = "delete \(id) for good? d deletes, any other key keeps it"
    }
}

enum SessionsOverlay {
    static let title = "conversations"

    /// - Parameter search: what the rows are narrowed to so far; letters are typed behind it.
    static func make(_ rows: [Overlay.Row], search: String) -> Overlay {
        var overlay = Overlay(
            kind: .sessions, title: title, rows: rows, isFiltered: true, isFilteredElsewhere: true, filter: search)
        overlay.keys = [KeyHint("Del", "delete")]
        return overlay
    }

    static func rows(_ lines: [SessionLine]) -> [Overlay.Row] {
        let dates = lines.reduce(0) { max($0, $1.date.count) } + 2
        return lines.map { line in
            let pictures = line.pictures == 0 ? "" : ", \(Figures.count(line.pictures, "picture"))"
            let facts = "\(Figures.count(line.turns, "turn"))\(pictures), \(line.model)"
            let mark = line.isShown ? " (on the screen)" : ""
            var spans = [
                Span(line.date.padded(to: dates), .faint), Span("\(line.id)  ", .key),
                Span(line.title + mark, .strong),
            ]
            spans.append(Span("  \(facts)", .faint))
            if !line.excerpt.isEmpty { spans += [Span("  ", .text)] + line.excerpt }
            return Overlay.Row(spans, choice: .run(.resume(id: line.id)))
        }
    }
}
