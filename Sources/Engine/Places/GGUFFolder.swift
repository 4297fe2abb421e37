// GGUFFolder.swift — folders that hold GGUF files as people download them: a model, perhaps its vision file beside it.

internal import Foundation

enum GGUFFolder {
    /// Files and folders that are looked at below one place at most: a home folder given by mistake must not take minutes.
    private static let most = 100_000

    /// The model that `name` names below `store`: a file, or a folder with one model in it.
    static func locate(
        _ name: String, in store: URL, as reference: String
    ) throws(ModelPlaceError) -> StoredModel? {
        let url = store.appending(path: name)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return nil }
        guard isFolder.boolValue else {
            return StoredModel(reference, model: url, vision: vision(beside: url))
        }
        return try model(of: url, as: reference)
    }

    /// The one model of a folder, or the one whose name holds the quantisation that is asked for.
    ///
    /// - Parameter type: a part of the file's name such as "Q4_K_M"; case does not matter.
    static func model(
        of folder: URL, type: String? = nil, as reference: String
    ) throws(ModelPlaceError) -> StoredModel? {
        let files = contents(of: folder).filter { $0.pathExtension.lowercased() == "gguf" }
        let models = files.filter { !isVision($0) && !isLaterPart($0) }
            .filter { file in type.map { file.lastPathComponent.lowercased().contains($0.lowercased()) } ?? true }
        guard let model = models.first else { return nil }
        guard models.count == 1 else { throw .several(reference, models.map(\.lastPathComponent)) }
        guard FileManager.default.fileExists(atPath: model.path) else {
            throw .incomplete(reference, file: model.lastPathComponent)
        }
        return StoredModel(reference, model: model, vision: files.first(where: isVision))
    }

    /// Every model below `folder`: GGUF files, and Hugging Face folders with safetensors weights.
    static func all(in folder: URL) -> [StoredModel] {
        guard
            let tree = FileManager.default.enumerator(
                at: folder, includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles])
        else { return [] }
        var found: [StoredModel] = []
        if HuggingFaceFolder.isOne(folder.path) { found.append(StoredModel(folder.path, model: folder)) }
        var looked = 0
        while looked < most, let url = tree.nextObject() as? URL {
            looked += 1
            if url.pathExtension.lowercased() == "gguf" {
                guard !isVision(url), !isLaterPart(url) else { continue }
                found.append(StoredModel(url.path, model: url, vision: vision(beside: url)))
            } else if HuggingFaceFolder.isOne(url.path) {
                found.append(StoredModel(url.path, model: url))
                tree.skipDescendants()
            }
        }
        return found.sorted { $0.reference < $1.reference }
    }

    /// The vision file in a model's folder, if there is just one.
    static func vision(beside model: URL) -> URL? {
        let files = contents(of: model.deletingLastPathComponent()).filter(isVision)
        return files.count == 1 ? files[0] : nil
    }

    /// By its name, as llama.cpp's tools and those who publish models call them.
    static func isVision(_ file: URL) -> Bool {
        let name = file.lastPathComponent.lowercased()
        return file.pathExtension.lowercased() == "gguf" && name.contains("mmproj")
    }

    /// "…-00002-of-00003.gguf": only the first part of a split model stands for it.
    private static func isLaterPart(_ file: URL) -> Bool {
        let name = file.deletingPathExtension().lastPathComponent
        guard let match = name.firstMatch(of: /-(\d{5})-of-\d{5}$/) else { return false }
        return match.1 != "00001"
    }

    private static func contents(of folder: URL) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appending(path: $0) }
    }
}
