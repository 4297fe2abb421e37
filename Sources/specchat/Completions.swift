// Completions.swift — what the shells' completion scripts offer behind our options.

import ArgumentParser
import ConversationStore
import Engine
import Foundation

extension CompletionKind {
    /// Folders, GGUF files, bundles, and models in other programs' stores.
    static let models = CompletionKind.custom { _, _, typed in ModelCompletion.candidates(for: typed) }
    static let pictures = CompletionKind.file(
        extensions: ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"])

    /// Drafts by name, and whatever file may be one.
    static let drafts = CompletionKind.custom { _, _, typed in
        let names = ["small", "small+lookup", "medium", "medium+lookup", "lookup", "none"].filter {
            $0.hasPrefix(typed)
        }
        return names + ModelCompletion.candidates(for: typed)
    }

    /// Conversations, the last one first.
    static let conversations = CompletionKind.custom { _, _, typed in
        let stored = (try? SessionsCommand.store()?.list(limit: 100)) ?? []
        return stored.map { $0.id.description }.filter { $0.hasPrefix(typed) }
    }
}

enum ModelCompletion {
    /// What can be named as a model and begins with what was typed.
    static func candidates(
        for typed: String, places: ModelPlaces = .here, shell: CompletionShell? = CompletionShell.requesting
    ) -> [String] {
        // Bash hands over what was typed with its quotes; see BashCompletion.
        let typed =
            shell == .bash ? String(typed.drop { "'\"".contains($0) }.replacing("\\", with: "")) : typed
        // The stores are searched only for what may become a name in one.
        let names = ModelPlaces.mayBeReference(typed) ? places.references().filter { $0.hasPrefix(typed) } : []
        // Behind a colon zsh looks for a description. Paths it finds itself, see ZshCompletion.
        if shell == .zsh { return names.map { $0.replacing(":", with: "\\:") } }
        return names + PathCompletion.candidates(for: typed, endings: ["gguf"], names: ["bundle.json"])
    }
}

enum PathCompletion {
    /// Folders, and files with one of these endings or names, whose path begins with what was typed, "~/" perhaps.
    static func candidates(for typed: String, endings: Set<String>, names wanted: Set<String> = []) -> [String] {
        let folder = typed.lastIndex(of: "/").map { String(typed[...$0]) } ?? ""
        let beginning = typed.dropFirst(folder.count)
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        let place = folder.hasPrefix("~/") && !home.isEmpty ? home + folder.dropFirst() : folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.isEmpty ? "." : place)) ?? []
        return names.sorted().compactMap { name in
            guard name.hasPrefix(beginning), beginning.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: place + name, isDirectory: &isFolder) else { return nil }
            if isFolder.boolValue { return folder + name + "/" }
            let isWanted = wanted.contains(name) || endings.contains((name as NSString).pathExtension.lowercased())
            return isWanted ? folder + name : nil
        }
    }
}
