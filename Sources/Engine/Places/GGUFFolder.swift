// GGUFFolder.swift — folders that hold GGUF files as people download them: a model, perhaps its vision file beside it,
// whatever they are called.

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
        let files = files(in: folder)
        let models = files.filter { $0.part == .language }.map(\.url)
            .filter { file in type.map { file.lastPathComponent.lowercased().contains($0.lowercased()) } ?? true }
        guard let model = models.first else { return nil }
        guard models.count == 1 else { throw .several(reference, models.map(\.lastPathComponent)) }
        guard FileManager.default.fileExists(atPath: model.path) else {
            throw .incomplete(reference, file: model.lastPathComponent)
        }
        return StoredModel(reference, model: model, vision: files.first { $0.part == .vision }?.url)
    }

    /// Every model below `folder`: GGUF files, and Hugging Face folders with safetensors weights.
    static func all(in folder: URL) -> [StoredModel] {
        guard
            let tree = FileManager.default.enumerator(
                at: folder, includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles])
        else { return [] }
        var found: [StoredModel] = []
        if HuggingFaceFolder.isOne(folder.path) { found.append(StoredModel(folder.path, model: folder)) }
        var folders: Set<URL> = []
        var looked = 0
        while looked < most, let url = tree.nextObject() as? URL {
            looked += 1
            if url.pathExtension.lowercased() == "gguf" {
                folders.insert(url.deletingLastPathComponent())
            } else if HuggingFaceFolder.isOne(url.path) {
                found.append(StoredModel(url.path, model: url))
                tree.skipDescendants()
            }
        }
        for folder in folders {
            let files = files(in: folder), vision = only(.vision, of: files)
            for file in files where file.part == .language {
                found.append(StoredModel(file.url.path, model: file.url, vision: vision))
            }
        }
        return found.sorted { $0.reference < $1.reference }
    }

    /// The vision file in a model's folder, if there is just one.
    static func vision(beside model: URL) -> URL? { only(.vision, of: files(in: model.deletingLastPathComponent())) }

    /// The file of a folder that brings features of pictures to a model, if there is just one: a projector alone, or one
    /// that came with its tower.
    static func projector(in folder: URL) -> URL? {
        let files = files(in: folder)
        return only(.projector, of: files) ?? only(.vision, of: files)
    }

    private static func only(_ part: GGUFPart, of files: [File]) -> URL? {
        let found = files.filter { $0.part == part }
        return found.count == 1 ? found[0].url : nil
    }

    private typealias File = (url: URL, part: GGUFPart)

    /// A folder's GGUF files, of a split model the first, each by what its header says. What cannot be read is what its
    /// name says: a download that was broken off is to be told of as a model, not passed over.
    private static func files(in folder: URL) -> [File] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            let file = folder.appending(path: name)
            guard file.pathExtension.lowercased() == "gguf", !name.hasPrefix("."), !isLaterPart(file) else {
                return nil
            }
            let named = name.lowercased().contains("mmproj") ? GGUFPart.vision : .language
            return (file, GGUFPart(path: file.path) ?? named)
        }
    }

    /// "…-00002-of-00003.gguf": only the first part of a split model stands for it.
    private static func isLaterPart(_ file: URL) -> Bool {
        let name = file.deletingPathExtension().lastPathComponent
        guard let match = name.firstMatch(of: /-(\d{5})-of-\d{5}$/) else { return false }
        return match.1 != "00001"
    }
}
