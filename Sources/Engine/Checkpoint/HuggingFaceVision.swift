// HuggingFaceVision.swift — where a LLaVA in Hugging Face folders has its tower and its projector: in one folder or two.

internal import Foundation

/// A tower's folder and its projector's, often the same, as one source of tensors.
struct HuggingFaceVision: TensorSource {
    let tower: HuggingFaceFolder
    /// The LLaVA that the projector belongs to, whose config.json says which layer is read.
    let model: HuggingFaceFolder

    var path: String { tower.path }
    var byteCount: Int { tower.byteCount + (tower.path == model.path ? 0 : model.byteCount) }

    /// Opens what lies at `path`.
    ///
    /// - Parameters:
    ///   - language: the language model in use; it has the projector where `path` is a tower alone.
    ///   - places: the stores of other programs, for a tower that lies in a folder of its own.
    init(path: String, language: String?, places: ModelPlaces = .here) throws(HuggingFaceError) {
        let folder = try HuggingFaceFolder(path: path)
        switch folder.kind {
        case .llava: (tower, model) = (folder, folder)
        case .originalLlava: (tower, model) = (try Self.tower(of: folder, places: places), folder)
        case .tower:
            guard let language, HuggingFaceFolder.isOne(language) else { throw HuggingFaceError(path, .noProjector) }
            let model = try HuggingFaceFolder(path: language)
            guard model.hasTensor("mm.0.weight") else { throw HuggingFaceError(path, .noProjector) }
            (tower, self.model) = (folder, model)
        case .language:
            throw HuggingFaceError(
                path, .wrongKind(found: folder.kind.name, wanted: "a vision tower or a LLaVA"))
        }
    }

    init(tower: HuggingFaceFolder, model: HuggingFaceFolder) {
        (self.tower, self.model) = (tower, model)
    }

    /// The tower that an original LLaVA names: a folder in it or beside it, in its folder's weights, or in the Hugging Face
    /// cache.
    private static func tower(
        of folder: HuggingFaceFolder, places: ModelPlaces
    ) throws(HuggingFaceError) -> HuggingFaceFolder {
        let name = try folder.configuration.string("mm_vision_tower") ?? ""
        let parts = name.split(separator: "/").filter { $0 != ".." && $0 != "." }
        let here = URL(filePath: folder.path, directoryHint: .isDirectory).standardizedFileURL
        let around = [
            here, here.deletingLastPathComponent(), here.deletingLastPathComponent().deletingLastPathComponent(),
        ]
        for place in around {
            for count in [2, 1] where parts.count >= count {
                let path = place.appending(path: parts.suffix(count).joined(separator: "/")).path
                if path != folder.path, let found = try tower(at: path) { return found }
            }
        }
        if folder.hasTensor("v.patch_embd.weight") { return folder }
        // What the cache has under a name that is none of its models is no tower; its own error would lead astray.
        if parts.count == 2, let stored = try? places.locate("hf:\(name)"), let found = try tower(at: stored.model.path)
        {
            return found
        }
        throw HuggingFaceError(
            folder.path,
            .missingTower(
                name.isEmpty ? "a CLIP vision tower" : name,
                searched: (around + (places.folders[.huggingFace] ?? [])).map(\.path)))
    }

    /// The tower in this folder; absent where there is none, and an error where it is there and cannot be read.
    private static func tower(at path: String) throws(HuggingFaceError) -> HuggingFaceFolder? {
        guard FileManager.default.fileExists(atPath: "\(path)/config.json") else { return nil }
        let found = try HuggingFaceFolder(path: path)
        return found.kind == .tower ? found : nil
    }

    /// Projector and row ends are the model's; all else is the tower's.
    private func owner(of name: String) -> HuggingFaceFolder {
        name.hasPrefix("v.") ? tower : model
    }

    func hasTensor(_ name: String) -> Bool { owner(of: name).hasTensor(name) }

    func shape(_ name: String) throws(HuggingFaceError) -> [Int] { try owner(of: name).shape(name) }

    func tensor(named name: String) throws(HuggingFaceError) -> StoredTensor {
        try owner(of: name).tensor(named: name)
    }

    func tensor(named name: String, rows: Int, columns: Int) throws(HuggingFaceError) -> StoredTensor {
        try owner(of: name).tensor(named: name, rows: rows, columns: columns)
    }

    func expect(_ name: String, rows: Int, columns: Int) throws(HuggingFaceError) {
        try owner(of: name).expect(name, rows: rows, columns: columns)
    }

    func identity() -> [UInt8] {
        tower.path == model.path ? tower.identity() : tower.identity() + model.identity()
    }

    func stamp() -> [UInt8] { tower.stamp() + model.stamp() }
}
