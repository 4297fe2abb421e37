// HubCache.swift — the cache that Hugging Face's tools share: models--owner--name, with a folder for each version.

internal import Foundation

struct HubCache {
    let folder: URL

    /// The model that `name` names: "owner/name", "owner/name/file.gguf", or "owner/name:Q4_K_M" as llama.cpp has it.
    func locate(_ name: String, as reference: String) throws(ModelPlaceError) -> StoredModel? {
        let parts = name.split(separator: "/")
        guard parts.count >= 2 else { throw .badName(reference, .huggingFace) }
        let repository = parts[1].split(separator: ":", maxSplits: 1)
        guard let base = repository.first else { throw .badName(reference, .huggingFace) }
        guard let snapshot = snapshot(of: "models--\(parts[0])--\(base)") else { return nil }
        if parts.count > 2 {
            let file = snapshot.appending(path: parts[2...].joined(separator: "/"))
            guard FileManager.default.fileExists(atPath: file.path) else {
                throw .incomplete(reference, file: file.lastPathComponent)
            }
            return StoredModel(reference, model: file, vision: GGUFFolder.vision(beside: file))
        }
        if HuggingFaceFolder.isOne(snapshot.path) { return StoredModel(reference, model: snapshot) }
        let type = repository.count > 1 ? String(repository[1]) : nil
        guard let model = try GGUFFolder.model(of: snapshot, type: type, as: reference) else {
            throw .noModel(reference, folder: snapshot.path)
        }
        return model
    }

    func all() -> [StoredModel] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().flatMap { name -> [StoredModel] in
            guard name.hasPrefix("models--"), let snapshot = snapshot(of: name) else { return [] }
            // An owner's name holds no "--"; a model's may.
            let parts = name.dropFirst("models--".count).split(
                separator: "--", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return [] }
            let reference = "hf:\(parts[0])/\(parts[1])"
            if HuggingFaceFolder.isOne(snapshot.path) { return [StoredModel(reference, model: snapshot)] }
            return GGUFFolder.all(in: snapshot).map { file in
                let inside = file.model.path.dropFirst(snapshot.path.count).drop { $0 == "/" }
                return StoredModel("\(reference)/\(inside)", model: file.model, vision: file.vision)
            }
        }
    }

    /// The folder of the version that "main" stands for; without one, the only version that is there.
    private func snapshot(of repository: String) -> URL? {
        let root = folder.appending(path: repository)
        let versions = root.appending(path: "snapshots")
        if let commit = try? String(contentsOf: root.appending(path: "refs/main"), encoding: .utf8) {
            let name = commit.trimmingCharacters(in: .whitespacesAndNewlines)
            let url = versions.appending(path: name)
            if !name.isEmpty, name.allSatisfy(\.isHexDigit), FileManager.default.fileExists(atPath: url.path) {
                return url
            }
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: versions.path)) ?? []
        return names.count == 1 ? versions.appending(path: names[0]) : nil
    }
}
