// ModelBundle.swift — which files make up a model: a folder with a bundle.json, or files named one by one. Made by the
// command line, opened by Chat.

public import Foundation

/// The files of a model: target, vision, drafts. All of them existed when the bundle was opened; none was read.
public struct ModelBundle: Sendable, Equatable {
    /// A model that drafts for the target.
    public struct Draft: Sendable, Equatable {
        public let name: String
        public let model: URL
        /// Brings the target's vision features to the draft; a draft without one reads text only.
        public let projector: URL?
    }

    /// How a picture is brought to a square.
    public enum Preprocessing: String, Sendable, Equatable, Codable {
        /// Padded with the mean colour, as the original LLaVA-1.5 does.
        case pad
        /// The middle is cut out, as Hugging Face's LLaVA-1.5 does.
        case crop
    }

    public let name: String
    public let target: URL
    /// Vision tower and the target's projector; without it the model reads text only.
    public let vision: URL?
    public let drafts: [Draft]
    /// Name of the draft to use; absent for none.
    public let defaultDraft: String?
    /// Whether words that were said before are looked up to draft from, beside the draft or in its place.
    public let looksUp: Bool
    /// Absent where the vision checkpoint itself knows.
    public let preprocessing: Preprocessing?
    /// One sentence that a chat begins with: what the model can and cannot do.
    public let notice: String?

    /// Who drafts, as `--draft` names it: "small+lookup"; absent for nobody.
    public var drafters: String? {
        let names = [draft?.name, looksUp ? ModelBundle.lookup : nil].compactMap { $0 }
        return names.isEmpty ? nil : names.joined(separator: "+")
    }

    /// The draft to use.
    public var draft: Draft? { drafts.first { $0.name == defaultDraft } }

    /// Finds the files of a model.
    ///
    /// - Parameters:
    ///   - model: a folder with a bundle.json, a Hugging Face folder, a folder with one GGUF model in it, a GGUF language
    ///     model, or its name in another program's store, such as "ollama:llava:7b"; absent for the demo.
    ///   - mmproj: a GGUF vision file or a Hugging Face folder in place of the bundle's.
    ///   - draft: a draft's name in the bundle, or a GGUF language model or a Hugging Face folder, which joins the
    ///     bundle's drafts as the last one, either with "+lookup" for words that were said before; "lookup" for those
    ///     alone; or "none". Absent for the bundle's own choice, or lookup where it has none: beside a trained draft
    ///     lookups have cost more than they brought (`Benchmarks/README.md`).
    ///   - draftProjector: a GGUF projector, or a LLaVA's folder, for the draft, in place of the bundle's.
    ///   - places: the stores of other programs; drafts and vision files may be named by them too.
    public static func open(
        model: String?, mmproj: String?, draft: String?, draftProjector: String?, places: ModelPlaces = .here
    ) throws(ModelBundleError) -> ModelBundle {
        let base = if let model { try bundle(of: model, in: places) } else { try demo() }
        let mmproj = try mmproj.map { path throws(ModelBundleError) in try Self.path(of: path, in: places) }
        let vision: URL? = if let mmproj { try file(mmproj, for: "--mmproj") } else { nil }
        let projector: URL? = if let draftProjector { try file(draftProjector, for: "--draft-projector") } else { nil }
        let (named, looksUp) = base.drafters(draft)
        let model = try named.map { name throws(ModelBundleError) in try Self.path(of: name, in: places) }
        let (drafts, chosen) = try base.choose(model, projector: projector)
        return ModelBundle(
            name: base.name, target: base.target, vision: vision ?? base.vision, drafts: drafts, defaultDraft: chosen,
            looksUp: looksUp, preprocessing: base.preprocessing, notice: base.notice)
    }

    /// Words that were said before, as `--draft` names them.
    public static let lookup = "lookup"

    /// What `--draft` says of a draft model (absent: the bundle's own choice), and whether words are looked up.
    private func drafters(_ choice: String?) -> (model: String?, looksUp: Bool) {
        guard let choice else { return (nil, draft == nil) }
        if choice == Self.lookup { return ("none", true) }
        let ending = "+" + Self.lookup
        guard choice.hasSuffix(ending), !FileManager.default.fileExists(atPath: choice) else { return (choice, false) }
        return (String(choice.dropLast(ending.count)), true)
    }

    /// The demo model that comes with the program.
    static func demo() throws(ModelBundleError) -> ModelBundle {
        try BundleManifest.open(
            demoFolder(
                environment: ProcessInfo.processInfo.environment, executable: Bundle.main.executableURL,
                currentFolder: URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)))
    }

    /// The folder that holds the demo model's folder, and what else comes with the program.
    public static func demoAssets() throws(ModelBundleError) -> URL {
        try demoFolder(
            environment: ProcessInfo.processInfo.environment, executable: Bundle.main.executableURL,
            currentFolder: URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        ).deletingLastPathComponent()
    }

    /// The demo model's folder: where SPECCHAT_ASSETS says; else beside an installed program; else in the package that
    /// the program was built from; else under the current folder.
    static func demoFolder(
        environment: [String: String], executable: URL?, currentFolder: URL
    ) throws(ModelBundleError) -> URL {
        func hasBundle(_ folder: URL) -> Bool {
            FileManager.default.fileExists(atPath: folder.appending(path: BundleManifest.fileName).path)
        }
        if let named = environment["SPECCHAT_ASSETS"], !named.isEmpty {
            let folder = URL(filePath: named, directoryHint: .isDirectory)
            guard let found = [folder, folder.appending(path: "demo")].first(where: hasBundle) else {
                throw .noDemoAtAssets(named)
            }
            return found
        }
        var places: [URL] = []
        if var folder = executable?.resolvingSymlinksInPath().deletingLastPathComponent() {
            places.append(folder.deletingLastPathComponent().appending(path: "share/specchat/demo"))
            // From .build/x86_64-unknown-linux-gnu/release up to the package, and not much further.
            for _ in 0..<6 {
                places.append(folder.appending(path: "Assets/demo"))
                folder.deleteLastPathComponent()
            }
        }
        places.append(currentFolder.appending(path: "Assets/demo"))
        guard let found = places.first(where: hasBundle) else { throw .noDemo }
        return found
    }

    // MARK: Other programs' stores

    private static func located(_ name: String, in places: ModelPlaces) throws(ModelBundleError) -> StoredModel? {
        do throws(ModelPlaceError) { return try places.locate(name) } catch { throw .badPlace(error) }
    }

    private static func bundle(of model: String, in places: ModelPlaces) throws(ModelBundleError) -> ModelBundle {
        guard let stored = try located(model, in: places) else { return try bundle(at: model) }
        let base = try bundle(at: stored.model.path)
        return ModelBundle(
            name: model, target: base.target, vision: stored.vision ?? base.vision, drafts: base.drafts,
            defaultDraft: base.defaultDraft, looksUp: base.looksUp, preprocessing: base.preprocessing,
            notice: base.notice)
    }

    /// A path, or that of a model in a store.
    private static func path(of name: String, in places: ModelPlaces) throws(ModelBundleError) -> String {
        try located(name, in: places)?.model.path ?? name
    }

    /// A folder's bundle, or a bundle made of one language model.
    private static func bundle(at path: String) throws(ModelBundleError) -> ModelBundle {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .missing(path, option: "--model")
        }
        if isFolder.boolValue, HuggingFaceFolder.isOne(path),
            !FileManager.default.fileExists(atPath: "\(path)/\(BundleManifest.fileName)")
        {
            return try bundle(ofHuggingFaceFolder: path)
        }
        if isFolder.boolValue { return try bundle(ofFolder: URL(filePath: path, directoryHint: .isDirectory)) }
        let url = URL(filePath: path)
        if !isFolder.boolValue, url.lastPathComponent == BundleManifest.fileName {
            return try BundleManifest.open(url.deletingLastPathComponent())
        }
        let parent = url.deletingLastPathComponent().path
        if url.pathExtension == "safetensors", HuggingFaceFolder.isOne(parent) {
            return try bundle(ofHuggingFaceFolder: parent)
        }
        return ModelBundle(
            name: url.deletingPathExtension().lastPathComponent, target: url, vision: nil, drafts: [],
            defaultDraft: nil, looksUp: true,
            preprocessing: nil, notice: nil)
    }

    /// What its bundle.json says; without one, the GGUF model in it and the vision file beside that.
    private static func bundle(ofFolder folder: URL) throws(ModelBundleError) -> ModelBundle {
        guard !FileManager.default.fileExists(atPath: folder.appending(path: BundleManifest.fileName).path) else {
            return try BundleManifest.open(folder)
        }
        let stored: StoredModel?
        do throws(ModelPlaceError) {
            stored = try GGUFFolder.model(of: folder, as: folder.path)
        } catch { throw .badPlace(error) }
        guard let stored else { throw .noManifest(folder: folder.path) }
        return ModelBundle(
            name: stored.model.deletingPathExtension().lastPathComponent, target: stored.model, vision: stored.vision,
            drafts: [], defaultDraft: nil, looksUp: true, preprocessing: nil, notice: nil)
    }

    /// One folder is language model and vision model; config.json says whether it can see.
    private static func bundle(ofHuggingFaceFolder path: String) throws(ModelBundleError) -> ModelBundle {
        let kind = try kind(of: path)
        let url = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
        return ModelBundle(
            name: url.lastPathComponent, target: url,
            vision: kind == .llava || kind == .originalLlava ? url : nil, drafts: [], defaultDraft: nil,
            looksUp: true, preprocessing: nil, notice: nil)
    }

    private static func kind(of path: String) throws(ModelBundleError) -> HuggingFaceKind {
        do throws(HuggingFaceError) { return try HuggingFaceFolder.kind(of: path) } catch { throw .badFolder(error) }
    }

    private static func file(_ path: String, for option: String) throws(ModelBundleError) -> URL {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .missing(path, option: option)
        }
        guard isFolder.boolValue else { return URL(filePath: path) }
        guard HuggingFaceFolder.isOne(path) else { throw .folderForFile(path, option: option) }
        return URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
    }

    /// The drafts and the chosen one's name, by what `--draft` and `--draft-projector` ask for.
    private func choose(_ draft: String?, projector: URL?) throws(ModelBundleError) -> ([Draft], String?) {
        guard let choice = draft ?? defaultDraft, choice != "none" else {
            guard projector == nil else { throw .projectorWithoutDraft }
            return (drafts, nil)
        }
        if let index = drafts.firstIndex(where: { $0.name == choice }) {
            guard let projector else { return (drafts, choice) }
            var drafts = drafts
            drafts[index] = Draft(name: choice, model: drafts[index].model, projector: projector)
            return (drafts, choice)
        }
        guard FileManager.default.fileExists(atPath: choice) else {
            throw .unknownDraft(choice, known: drafts.map(\.name))
        }
        let model = try Self.file(choice, for: "--draft")
        var name = model.hasDirectoryPath ? model.lastPathComponent : model.deletingPathExtension().lastPathComponent
        // A file may be called as one of the bundle's drafts is; its whole path tells them apart.
        if name.isEmpty || drafts.contains(where: { $0.name == name }) { name = choice }
        // A draft that is a LLaVA of its own brings its projector along.
        let isFolder = HuggingFaceFolder.isOne(model.path)
        let kind = isFolder ? try Self.kind(of: model.path) : .language
        let own = kind == .llava || kind == .originalLlava ? model : nil
        return (drafts + [Draft(name: name, model: model, projector: projector ?? own)], name)
    }
}
