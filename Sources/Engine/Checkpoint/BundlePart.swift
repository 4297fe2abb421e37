// BundlePart.swift — what a bundle.json names: a GGUF file, a Hugging Face folder, or a folder with a GGUF model in it. Read
// by BundleManifest.

internal import Foundation

/// What a part is for.
enum BundlePart: Sendable, Equatable {
    case target
    case vision
    case draft(String)
    case projector(String)

    /// What messages call it.
    var title: String {
        switch self {
        case .target: "target"
        case .vision: "vision model"
        case .draft(let name): "draft '\(name)'"
        case .projector(let name): "projector of '\(name)'"
        }
    }

    /// Where a part lies, and what came with it.
    struct Place: Sendable, Equatable {
        let url: URL
        /// Eyes of its own: a LLaVA's folder, or the vision file beside a GGUF model.
        var vision: URL?
    }

    /// Finds a part that `manifest` names by a path below `folder`.
    func locate(_ path: String, in folder: URL, manifest: String) throws(ModelBundleError) -> Place {
        // A bundle may come from a stranger, so it names only what lies in its own folder.
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.contains("\0"), parts.allSatisfy({ !$0.isEmpty && $0 != ".." }) else {
            throw .pathOutside(manifest, path: path)
        }
        let url = folder.appending(path: path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw .missingPart(manifest, part: path, role: title)
        }
        guard isFolder.boolValue else { return Place(url: url) }
        do {
            let inside = URL(filePath: url.path, directoryHint: .isDirectory)
            if let found = HuggingFaceFolder.isOne(url.path) ? try checked(inside) : try gguf(in: inside) {
                return found
            }
        } catch {
            throw .badPart(manifest, part: path, role: title, reason: "\(error)")
        }
        throw .emptyPart(manifest, part: path, role: title)
    }

    /// A Hugging Face folder of the kind that serves this part.
    private func checked(_ folder: URL) throws(HuggingFaceError) -> Place {
        let kind = try HuggingFaceFolder.kind(of: folder.path)
        let sees = kind == .llava || kind == .originalLlava
        func refuse(_ wanted: String) -> HuggingFaceError {
            HuggingFaceError(folder.path, .wrongKind(found: kind.name, wanted: wanted))
        }
        switch self {
        case .target, .draft: if kind == .tower { throw refuse("a language model") }
        case .vision: if kind == .language { throw refuse("a vision tower or a LLaVA") }
        case .projector: if !sees { throw refuse("a LLaVA, whose projector is wanted") }
        }
        return Place(url: folder, vision: sees ? folder : nil)
    }

    /// The model of a folder of GGUF files, or its vision file where that is what is wanted.
    private func gguf(in folder: URL) throws(ModelPlaceError) -> Place? {
        switch self {
        case .target, .draft:
            return try GGUFFolder.model(of: folder, as: folder.path).map { Place(url: $0.model, vision: $0.vision) }
        case .vision: return GGUFFolder.vision(beside: folder.appending(path: "any")).map { Place(url: $0) }
        case .projector: return GGUFFolder.projector(in: folder).map { Place(url: $0) }
        }
    }
}
