// FileLookup.swift — the disk, as the composer's completion asks for it.

import Foundation

struct FileLookup {
    let home: String?

    func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        let file = PathText.expandingHome(path, home: home)
        return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// Pictures and folders whose path begins with what was typed, written so that they can be typed on.
    func completions(of typed: String) -> [String] {
        let path = PathText.path(from: typed)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let beginning = String(path.dropFirst(folder.count))
        let place = folder.isEmpty ? "." : PathText.expandingHome(folder, home: home)
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
