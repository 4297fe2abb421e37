// OllamaStore.swift — Ollama's models: a manifest for each name, and files that are called by their digests.

internal import Foundation

struct OllamaStore {
    let folder: URL

    private struct Manifest: Decodable {
        struct Layer: Decodable {
            let mediaType: String
            let digest: String
        }
        let layers: [Layer]
    }

    private static let registry = "registry.ollama.ai"
    private static let largestManifest = 1 << 20

    /// The model that `name` names: "llava", "llava:7b", "user/name:tag", "hf.co/owner/name:tag".
    func locate(_ name: String, as reference: String) throws(ModelPlaceError) -> StoredModel? {
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        let colon = name[slash...].lastIndex(of: ":")
        let tag = colon.map { String(name[name.index(after: $0)...]) } ?? "latest"
        let path = colon.map { String(name[..<$0]) } ?? name
        guard !tag.isEmpty, !path.isEmpty else { throw .badName(reference, .ollama) }
        let parts = path.split(separator: "/")
        let place =
            switch parts.count {
            case 1: "\(Self.registry)/library/\(path)"
            case 2: "\(Self.registry)/\(path)"
            default: path
            }
        let manifest = folder.appending(path: "manifests/\(place)/\(tag)")
        guard FileManager.default.fileExists(atPath: manifest.path) else { return nil }
        return try model(of: manifest, as: reference)
    }

    func all() -> [StoredModel] {
        let root = folder.appending(path: "manifests")
        guard let tree = FileManager.default.enumerator(atPath: root.path) else { return [] }
        var found: [StoredModel] = []
        while let path = tree.nextObject() as? String {
            let parts = path.split(separator: "/").map(String.init)
            guard parts.count >= 4 else { continue }
            var names = Array(parts.dropLast())
            if names[0] == Self.registry { names.removeFirst() }
            if names[0] == "library" { names.removeFirst() }
            let reference = "ollama:\(names.joined(separator: "/")):\(parts[parts.count - 1])"
            if let model = try? model(of: root.appending(path: path), as: reference) { found.append(model) }
        }
        return found.sorted { $0.reference < $1.reference }
    }

    private func model(of manifest: URL, as reference: String) throws(ModelPlaceError) -> StoredModel {
        let layers: [Manifest.Layer]
        do {
            let bytes = try FileBytes.read(manifest.path, limit: Self.largestManifest)
            layers = try JSONDecoder().decode(Manifest.self, from: Data(bytes)).layers
        } catch {
            throw .badManifest(reference, file: manifest.path)
        }
        func file(_ kind: String) throws(ModelPlaceError) -> URL? {
            guard let layer = layers.first(where: { $0.mediaType == "application/vnd.ollama.image.\(kind)" }) else {
                return nil
            }
            // The digest becomes a file's name: nothing but a digest may.
            guard layer.digest.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil else {
                throw .badManifest(reference, file: manifest.path)
            }
            let blob = folder.appending(path: "blobs/" + layer.digest.replacing(":", with: "-"))
            guard FileManager.default.fileExists(atPath: blob.path) else {
                throw .incomplete(reference, file: blob.path)
            }
            return blob
        }
        guard let model = try file("model") else { throw .badManifest(reference, file: manifest.path) }
        return StoredModel(reference, model: model, vision: try file("projector"))
    }
}
