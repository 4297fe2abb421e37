// BundleManifest.swift — the bundle.json of a model folder, checked and turned into a ModelBundle.

internal import Foundation

/// What a bundle.json holds.
struct BundleManifest: Decodable {
    struct Draft: Decodable {
        let name: String
        let model: String
        let projector: String?
    }

    let name: String
    let target: String
    let vision: String?
    let drafts: [Draft]?
    let defaultDraft: String?
    let preprocessing: ModelBundle.Preprocessing?
    let notice: String?

    static let fileName = "bundle.json"
    private static let largest = 1 << 20

    private enum CodingKeys: String, CodingKey {
        case name, target, vision, drafts, preprocessing, notice
        case defaultDraft = "default_draft"
    }

    /// Read before all else: another format may mean anything by its other keys.
    private struct Format: Decodable {
        let format: Int
    }

    /// The bundle of a folder; every file that it names is there.
    static func open(_ folder: URL) throws(ModelBundleError) -> ModelBundle {
        let url = folder.appending(path: fileName)
        guard FileManager.default.fileExists(atPath: url.path) else { throw .noManifest(folder: folder.path) }
        let manifest = try read(url)
        func file(_ path: String) throws(ModelBundleError) -> URL { try locate(path, in: folder, manifest: url) }
        var drafts: [ModelBundle.Draft] = []
        for draft in manifest.drafts ?? [] {
            guard !draft.name.isEmpty, !["none", ModelBundle.lookup].contains(draft.name),
                !drafts.contains(where: { $0.name == draft.name })
            else {
                throw .badManifest(url.path, reason: "a draft cannot be called '\(draft.name)', or not twice")
            }
            let projector: URL? = if let path = draft.projector { try file(path) } else { nil }
            drafts.append(ModelBundle.Draft(name: draft.name, model: try file(draft.model), projector: projector))
        }
        if let name = manifest.defaultDraft, !drafts.contains(where: { $0.name == name }) {
            throw .badManifest(url.path, reason: "its default_draft '\(name)' is none of its drafts")
        }
        let vision: URL? = if let path = manifest.vision { try file(path) } else { nil }
        return ModelBundle(
            name: manifest.name, target: try file(manifest.target),
            vision: vision, drafts: drafts,
            defaultDraft: manifest.defaultDraft, looksUp: manifest.defaultDraft == nil,
            preprocessing: manifest.preprocessing ?? .pad, notice: manifest.notice)
    }

    private static func read(_ url: URL) throws(ModelBundleError) -> BundleManifest {
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= largest else {
                throw ModelBundleError.badManifest(url.path, reason: "it is \(size) bytes long")
            }
            let data = try Data(contentsOf: url)
            let format = try JSONDecoder().decode(Format.self, from: data).format
            guard format == 1 else { throw ModelBundleError.newerManifest(url.path, format: format) }
            return try JSONDecoder().decode(BundleManifest.self, from: data)
        } catch let error as ModelBundleError {
            throw error
        } catch let error as DecodingError {
            throw .badManifest(url.path, reason: reason(error))
        } catch {
            throw .badManifest(url.path, reason: "it cannot be read")
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "\($0 + 1)" } ?? $0.stringValue }.joined(separator: " ")
        }
        switch error {
        case .keyNotFound(let key, let context): return "it has no '\(name(context.codingPath + [key]))'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return context.codingPath.isEmpty
                ? "it is no JSON object" : "its '\(name(context.codingPath))' is of the wrong type"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "its '\(name(context.codingPath))' has a value that is not known"
        default: return "it is not JSON"
        }
    }

    /// A file of the bundle. A bundle may come from a stranger, so it names only what lies in its own folder.
    private static func locate(_ path: String, in folder: URL, manifest: URL) throws(ModelBundleError) -> URL {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.contains("\0"), parts.allSatisfy({ !$0.isEmpty && $0 != ".." }) else {
            throw .pathOutside(manifest.path, path: path)
        }
        let url = folder.appending(path: path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue else {
            throw .missingPart(manifest.path, part: path)
        }
        return url
    }
}
