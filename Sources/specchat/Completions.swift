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
        let names = ["small", "small+lookup", "medium", "medium+lookup", "lookup", "none"].filter {
            $0.hasPrefix(typed)
        }
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

/// The completion script of bash as the parser's library makes it, which knows no default subcommand.
enum BashCompletion {
    private static let root = "\n_specchat() {\n"
    private static let subcommands = "    # Offer subcommand / subcommand argument completions\n"

    /// Options without a subcommand are the chat's. A text that is no such script comes back as it is.
    static func withChatByDefault(_ script: String) -> String {
        guard let start = script.range(of: root),
            let place = script.range(of: subcommands, range: start.upperBound..<script.endIndex)
        else { return script }
        let byDefault = """
                # Without a subcommand the chat starts
                if [[ "${COMP_WORDS[1]}" == -* ]]; then
                    unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")
                    "_specchat_chat"
                    return
                fi


            """
        return script.replacingCharacters(in: place.lowerBound..<place.lowerBound, with: byDefault)
    }
}
