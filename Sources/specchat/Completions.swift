// Completions.swift — what the shells' completion scripts offer behind our options.

import ArgumentParser
import ConversationStore
import Foundation

extension CompletionKind {
    static let models = CompletionKind.file(extensions: ["gguf"])
    static let pictures = CompletionKind.file(
        extensions: ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"])

    /// Drafts by name, and whatever file may be one.
    static let drafts = CompletionKind.custom { _, _, typed in
        let names = ["small", "medium", "none"].filter { $0.hasPrefix(typed) }
        return names + PathCompletion.candidates(for: typed, endings: ["gguf"])
    }

    /// Conversations, the last one first.
    static let conversations = CompletionKind.custom { _, _, typed in
        let stored = (try? SessionsCommand.store()?.list(limit: 100)) ?? []
        return stored.map { $0.id.description }.filter { $0.hasPrefix(typed) }
    }
}

enum PathCompletion {
    /// Folders, and files with one of these endings, whose path begins with what was typed.
    static func candidates(for typed: String, endings: Set<String>) -> [String] {
        let folder = typed.lastIndex(of: "/").map { String(typed[...$0]) } ?? ""
        let beginning = typed.dropFirst(folder.count)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return names.sorted().compactMap { name in
            guard name.hasPrefix(beginning), beginning.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder + name, isDirectory: &isFolder) else { return nil }
            if isFolder.boolValue { return folder + name + "/" }
            return endings.contains((name as NSString).pathExtension.lowercased()) ? folder + name : nil
        }
    }
}
