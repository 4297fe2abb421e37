// EditorLauncher.swift — the composer's text in the user's own editor. ScreenLoop gives the terminal back meanwhile.

import Foundation

/// Which editor, and what comes of it. A failure of any kind leaves the text as it was.
struct EditorLauncher {
    /// The program and its arguments.
    let words: [String]

    /// - Parameter wish: the editor of the settings; absent: $VISUAL, $EDITOR, or vi.
    init(wish: String?, environment: [String: String]) {
        let wishes = [wish, environment["VISUAL"], environment["EDITOR"]].compactMap { $0?.trimmed }
        words = PathText.words(wishes.first { !$0.isEmpty } ?? "vi")
    }

    /// The command's own name, for messages.
    var name: String { PathText.fileName(words[0]) }

    /// Lets the editor change `text`; blocks until it has ended.
    ///
    /// - Parameter wait: waits for the child, and returns how it ended.
    func edit(_ text: String, wait: (ChildProcess) -> ChildProcess.Ending?) -> EditOutcome {
        let folder: URL
        do { folder = try EditorLauncher.makeFolder() } catch {
            return .failed("no temporary file can be made (\(EditorLauncher.reason(error))); the text is as it was")
        }
        // The folder is removed whole: editors leave backups and swap files beside the file.
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "question.md")
        guard
            FileManager.default.createFile(
                atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { return .failed("the temporary file cannot be written; the text is as it was") }
        switch ChildProcess.start(words + [file.path]) {
        case .failure(let failure):
            return .failed(
                "\(name) cannot be started (\(failure.reason)): set $VISUAL or $EDITOR; the text is as it was")
        case .success(let child):
            switch wait(child) {
            case .status(0): return EditorLauncher.read(file, before: text)
            case .status(127): return .failed("\(name) was not found; the text is as it was")
            case .status(let code): return .failed("\(name) ended with code \(code); the text is as it was")
            case .signal(let number): return .failed("\(name) was ended by signal \(number); the text is as it was")
            case .stopped?, nil: return .failed("\(name) was left; the text is as it was")
            }
        }
    }

    /// A folder that only its owner may look into.
    private static func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        return folder
    }

    /// Editors end a file with a newline whether or not the text had one.
    private static func read(_ file: URL, before text: String) -> EditOutcome {
        guard let data = try? Data(contentsOf: file) else {
            return .failed("the edited file is gone; the text is as it was")
        }
        guard var edited = String(data: data, encoding: .utf8) else {
            return .failed("the edited file is not UTF-8; the text is as it was")
        }
        if edited.hasSuffix("\n"), !text.hasSuffix("\n") { edited.removeLast() }
        return .edited(edited)
    }

    private static func reason(_ error: any Error) -> String { (error as NSError).localizedDescription }
}
