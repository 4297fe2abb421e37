// PathText.swift — paths as people type, paste and drop them: quoted, escaped, as file: addresses, with ~.

enum PathText {
    static let pictureEndings = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]

    /// The file that `text` names: quotes, backslashes and the `file://` form are undone; `~` stays.
    static func path(from text: String) -> String {
        let trimmed = text.trimmed
        if let address = withoutPrefix("file://", trimmed) { return fromAddress(address) }
        for quote in ["'", "\""] where trimmed.count >= 2 && trimmed.hasPrefix(quote) && trimmed.hasSuffix(quote) {
            return String(trimmed.dropFirst().dropLast())
        }
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

    /// The path, when the whole text is one picture file's path and nothing else: it then need not be a question.
    static func wholePicturePath(_ text: String) -> String? {
        let trimmed = text.trimmed
        guard !trimmed.contains("\n"), !trimmed.hasPrefix("/image ") else { return nil }
        let marks = ["/", "~/", "./", "../", "file://", "'/", "\"/", "'~/", "\"~/", "'./", "\"./"]
        guard marks.contains(where: trimmed.hasPrefix) else { return nil }
        let isWrapped = trimmed.hasPrefix("'") || trimmed.hasPrefix("\"") || trimmed.hasPrefix("file:")
        // "/etc/a.png or /b.png" is a sentence; a path's own spaces are quoted or escaped.
        if !isWrapped, hasBareSpace(trimmed) { return nil }
        let path = path(from: trimmed)
        let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return path.contains(".") && pictureEndings.contains(ending) ? path : nil
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

    private static func hasBareSpace(_ text: String) -> Bool {
        zip(text, " " + text).contains { $0 == " " && $1 != "\\" }
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
