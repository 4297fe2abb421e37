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

    /// The bundle of a folder; every file and folder that it names is there.
    static func open(_ folder: URL) throws(ModelBundleError) -> ModelBundle {
        let url = folder.appending(path: fileName)
        guard FileManager.default.fileExists(atPath: url.path) else { throw .noManifest(folder: folder.path) }
        let manifest = try read(url)
        func locate(_ path: String, _ part: BundlePart) throws(ModelBundleError) -> BundlePart.Place {
            try part.locate(path, in: folder, manifest: url.path)
        }
        var drafts: [ModelBundle.Draft] = []
        for draft in manifest.drafts ?? [] {
            guard !draft.name.isEmpty, !["none", ModelBundle.lookup].contains(draft.name),
                !drafts.contains(where: { $0.name == draft.name })
            else {
                throw .badManifest(url.path, reason: "a draft cannot be called '\(draft.name)', or not twice")
            }
            let model = try locate(draft.model, .draft(draft.name))
            // A draft that is a LLaVA of its own brings its projector along.
            var projector = model.url.hasDirectoryPath ? model.vision : nil
            if let path = draft.projector { projector = try locate(path, .projector(draft.name)).url }
            drafts.append(ModelBundle.Draft(name: draft.name, model: model.url, projector: projector))
        }
        if let name = manifest.defaultDraft, !drafts.contains(where: { $0.name == name }) {
            throw .badManifest(url.path, reason: "its default_draft '\(name)' is none of its drafts")
        }
        let target = try locate(manifest.target, .target)
        let vision: URL? =
            if let path = manifest.vision { try locate(path, .vision).url } else { target.vision }
        // Hugging Face's folders say themselves how pictures are prepared.
        let framing: ModelBundle.Preprocessing? = vision?.hasDirectoryPath == true ? nil : .pad
        return ModelBundle(
            name: manifest.name, target: target.url, vision: vision, drafts: drafts,
            defaultDraft: manifest.defaultDraft, looksUp: manifest.defaultDraft == nil,
            preprocessing: manifest.preprocessing ?? framing, notice: manifest.notice)
    }

    private static func read(_ url: URL) throws(ModelBundleError) -> BundleManifest {
        let data: Data
        do throws(FileFault) { data = Data(try FileBytes.read(url.path, limit: largest)) } catch {
            throw .badManifest(url.path, reason: "it \(error.clause)")
        }
        do {
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
}
