// FileLookup.swift — the disk, as the composer's completion asks for it.

import Foundation

struct FileLookup {
    let home: String?

    /// With the home folder of its user for a leading `~` or `~name`; a name that nobody has stays.
    func expanding(_ path: String) -> String {
        guard path.hasPrefix("~") else { return path }
        let user = path.dropFirst().prefix { $0 != "/" }
        guard !user.isEmpty else { return PathText.expandingHome(path, home: home) }
        guard let other = NSHomeDirectoryForUser(String(user)) else { return path }
        return other + path.dropFirst(user.count + 1)
    }

    func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        let file = expanding(path)
        return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// Pictures and folders whose path begins with what was typed, written so that they can be typed on.
    func completions(of typed: String) -> [String] {
        let path = PathText.path(from: typed)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let beginning = String(path.dropFirst(folder.count))
        let place = folder.isEmpty ? "." : expanding(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        return names.sorted().compactMap { name in
            guard name.hasPrefix(beginning), beginning.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: place + "/" + name, isDirectory: &isFolder)
            if exists, isFolder.boolValue { return PathText.escaped(folder + name) + "/" }
            let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
            return PathText.pictureEndings.contains(ending) ? PathText.escaped(folder + name) : nil
        }
    }
}
