// PathText.swift — paths as people type, paste and drop them: quoted, escaped, as file: addresses, with ~.

enum PathText {
    static let pictureEndings = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]

    /// The file that `text` names: quotes, backslashes and the `file://` form are undone; `~` stays.
    static func path(from text: String) -> String {
        let trimmed = text.trimmed
        if let address = withoutPrefix("file://", trimmed) { return fromAddress(address) }
        if trimmed.hasPrefix("'") || trimmed.hasPrefix("\""), let path = unquoted(trimmed) { return path }
        var path = ""
        var isEscaped = false
        for character in trimmed {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                path.append(character)
                isEscaped = false
            }
        }
        return isEscaped ? path + "\\" : path
    }

    /// The files that a command's argument names: a line each, or words each; a name with bare spaces is one file when
    /// its words do not all look like pictures.
    static func paths(in text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).flatMap { line -> [String] in
            let words = words(String(line))
            return words.count > 1 && words.allSatisfy(isPicture) ? words : [path(from: String(line))]
        }
    }

    /// The paths, when the whole text is paths of picture files and nothing else: it then need not be a question.
    static func wholePicturePaths(_ text: String) -> [String]? {
        let trimmed = text.trimmed
        // Marks first: a pasted megabyte is not searched for words.
        guard beginsLikePath(trimmed), trimmed.utf8.count <= longestPathList else { return nil }
        let words = rawWords(trimmed)
        guard words.allSatisfy({ beginsLikePath(String($0)) }) else { return nil }
        let paths = words.map { path(from: String($0)) }
        // A quote that is still there was never closed.
        return paths.allSatisfy { isPicture($0) && !$0.hasPrefix("'") && !$0.hasPrefix("\"") } ? paths : nil
    }

    /// What a text that is nothing but paths of pictures may mean, the likeliest first: words as a shell has them, or a
    /// path with bare spaces on every line, as some file managers drop them. Empty for every other text.
    static func readings(of text: String) -> [[String]] {
        var readings = wholePicturePaths(text).map { [$0] } ?? []
        guard beginsLikePath(text), text.utf8.count <= longestPathList else { return readings }
        let lines = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
        // One slash is a command's: "/image a b.png".
        let isPaths = lines.allSatisfy { line in
            let first = line.prefix { !$0.isWhitespace }
            return beginsLikePath(line) && isPicture(line)
                && !(first.hasPrefix("/") && !first.dropFirst().contains("/"))
        }
        if isPaths, !readings.contains(lines) { readings.append(lines) }
        return readings
    }

    private static let longestPathList = 64 * 1024

    /// Whether the text begins as only a path does. "/help" does too.
    static func beginsLikePath(_ text: String) -> Bool {
        let marks = ["/", "~", "./", "../", "file://"]
        return marks.contains { text.hasPrefix($0) || text.hasPrefix("'" + $0) || text.hasPrefix("\"" + $0) }
    }

    /// Whether the name ends as a picture file's does.
    static func isPicture(_ path: String) -> Bool {
        guard let dot = path.lastIndex(of: ".") else { return false }
        return pictureEndings.contains(path[path.index(after: dot)...].lowercased())
    }

    // MARK: Words

    /// The words of a line as a shell would read them.
    static func words(_ text: String) -> [String] { rawWords(text).map { path(from: String($0)) } }

    /// The words with their quotes and backslashes. A quote counts at the beginning of a word, so that "it's" is one.
    static func rawWords(_ text: String) -> [Substring] {
        var words: [Substring] = []
        var start: String.Index?
        var quote: Character?
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if start == nil {
                if character.isWhitespace { continue }
                start = index
                isQuoted = character == "'" || character == "\""
            }
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if isQuoted, character == "'" || character == "\"" {
                quote = character
            } else if character.isWhitespace, let from = start {
                words.append(text[from..<index])
                start = nil
            }
        }
        return start.map { words + [text[$0...]] } ?? words
    }

    /// Undoes a shell's quoting, as file managers write it: 'it'\''s here.png'; nil when a quote is left open.
    private static func unquoted(_ text: String) -> String? {
        var path = ""
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                if quote == "\"", character != "\"", character != "\\" { path.append("\\") }
                path.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { path.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
            } else {
                path.append(character)
            }
        }
        return quote == nil ? path : nil
    }

    /// With the home folder for a leading `~`.
    static func expandingHome(_ path: String, home: String?) -> String {
        guard let home, path == "~" || path.hasPrefix("~/") else { return path }
        return home + path.dropFirst()
    }

    /// A path that `path(from:)` reads back: spaces and the like escaped.
    static func escaped(_ path: String) -> String {
        path.reduce(into: "") { text, character in
            if " '\"\\".contains(character) { text.append("\\") }
            text.append(character)
        }
    }

    static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    static func commonPrefix(_ words: [String]) -> String {
        guard var common = words.first.map(Array.init) else { return "" }
        for word in words.dropFirst() {
            let same = zip(common, word).prefix { $0 == $1 }.count
            common.removeSubrange(same...)
        }
        return String(common)
    }

    private static func withoutPrefix(_ prefix: String, _ text: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    /// `localhost/a%20b.png` or `/a%20b.png` into a path.
    private static func fromAddress(_ address: String) -> String {
        let local = withoutPrefix("localhost", address) ?? address
        var bytes: [UInt8] = []
        var rest = Array(local.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
