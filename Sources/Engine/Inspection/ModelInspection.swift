// ModelInspection.swift — from a name to a description: a reference, a bundle, a folder or a file. `specchat inspect` asks
// here.

internal import Foundation

extension CheckpointDescription {
    /// Describes what `name` stands for. A model that cannot be run is described all the same, with the reason; a file that
    /// cannot be read, or that is damaged, is an error.
    ///
    /// - Parameters:
    ///   - name: a file, a folder, or a model's name in another program's store.
    ///   - places: the stores of other programs.
    public init(of name: String, places: ModelPlaces = .here) throws {
        if let stored = try places.locate(name) {
            self = try Self.stored(stored, places: places)
            return
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: name, isDirectory: &isFolder), isFolder.boolValue {
            self = try Self.folder(
                name.count > 1 && name.hasSuffix("/") ? String(name.dropLast()) : name, places: places)
        } else {
            self = try Self.file(name, places: places)
        }
    }

    /// Token ids of a text by the vocabulary of what `name` stands for, without the beginning token.
    public static func tokenize(_ text: String, by name: String, places: ModelPlaces = .here) throws -> [Int32] {
        Tokenizer(try vocabulary(of: places.locate(name)?.model.path ?? name, places: places)).encode(text)
    }

    private static func vocabulary(of path: String, places: ModelPlaces) throws -> Vocabulary {
        let url = URL(filePath: path)
        switch url.lastPathComponent {
        case "tokenizer.model", "tokenizer.json", "tokenizer_config.json":
            return try TokenizerFolder(folder: url.deletingLastPathComponent().path).vocabulary(rows: nil)
        default: break
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return try Vocabulary(GGUF(path: path))
        }
        if FolderFiles(path).hasTokenizer { return try TokenizerFolder(folder: path).vocabulary(rows: nil) }
        let bundle = try ModelBundle.open(
            model: path, mmproj: nil, draft: "none", draftProjector: nil, places: places)
        return try LanguageCheckpoint(path: bundle.target.path).vocabulary()
    }

    // MARK: Names and folders

    private static func stored(_ model: StoredModel, places: ModelPlaces) throws -> CheckpointDescription {
        var description = try CheckpointDescription(of: model.model.path, places: places)
        description.summary.insert(Line("model", "\(model.reference), in \(model.model.path)"), at: 0)
        return try description.accompanied(by: model.vision, as: "vision file")
    }

    private static func folder(_ path: String, places: ModelPlaces) throws -> CheckpointDescription {
        let files = FolderFiles(path)
        if files.names.contains(BundleManifest.fileName) { return try bundle(path, places: places) }
        if HuggingFaceFolder.isOne(path) { return CheckpointDescription(folder: path, places: places) }
        let url = URL(filePath: path, directoryHint: .isDirectory)
        let model: StoredModel?
        do throws(ModelPlaceError) { model = try GGUFFolder.model(of: url, as: path) } catch {
            return refused(path, files, because: error.description)
        }
        guard let model else { return refused(path, files, because: FolderFiles.reason(files.names, in: path)) }
        var description = try CheckpointDescription(of: model.model.path, places: places)
        description.summary.insert(Line("folder", "one model, \(model.model.lastPathComponent)"), at: 0)
        return try description.accompanied(by: model.vision, as: "vision file")
    }

    /// With the summary of another file that goes with it.
    private func accompanied(by file: URL?, as title: String) throws -> CheckpointDescription {
        guard let file else { return self }
        var whole = self
        let lines = try GGUF(path: file.path)
        whole.sections.insert(
            Section("\(title) \(file.lastPathComponent)", CheckpointDescription(lines).summary), at: 0)
        return whole
    }

    /// A folder with no model in it that could be named by it.
    private static func refused(_ path: String, _ files: FolderFiles, because reason: String) -> CheckpointDescription {
        CheckpointDescription(
            [Line("folder", files.sentence), Line(advice: reason, as: Line.problem), Line("runs here", "no")],
            sections: [Section("files", files.lines)])
    }

    // MARK: Bundles

    private static func bundle(_ path: String, places: ModelPlaces) throws -> CheckpointDescription {
        let bundle = try ModelBundle.open(
            model: path, mmproj: nil, draft: nil, draftProjector: nil, places: places)
        var lines = DescriptionLines()
        lines.add("bundle", bundle.name)
        if let notice = bundle.notice { lines.add("notice", notice) }
        lines.add("drafts by", bundle.drafters ?? "nobody")
        if let framing = bundle.preprocessing {
            lines.add("prepared", framing == .pad ? "padded" : "the middle cut out")
        }
        var parts = [("target", bundle.target)] + (bundle.vision.map { [("vision", $0)] } ?? [])
        for draft in bundle.drafts {
            parts.append(("draft \(draft.name)", draft.model))
            if let projector = draft.projector { parts.append(("projector of \(draft.name)", projector)) }
        }
        var sections: [Section] = []
        let root = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL.path + "/"
        for (title, url) in parts.map({ ($0, $1.standardizedFileURL) }) {
            let place = url.path.hasPrefix(root) ? String(url.path.dropFirst(root.count)) : url.path
            do {
                let part = try CheckpointDescription(of: url.path, places: places)
                sections.append(Section("\(title): \(place)", part.summary.filter { $0.name != "runs here" }))
                if part.hasProblem { lines.add(Line.problem, "its \(title) cannot be used; see below") }
            } catch {
                sections.append(Section("\(title): \(place)", [Line(error)]))
                lines.add(Line.problem, "its \(title) cannot be used; see below")
            }
        }
        lines.conclude("specchat --model \(Wording.argument(path))")
        return CheckpointDescription(lines.lines, sections: sections)
    }

    // MARK: Files

    private static func file(_ path: String, places: ModelPlaces) throws -> CheckpointDescription {
        let bytes: FileBytes
        do throws(FileFault) { bytes = try FileBytes(path: path) } catch { throw GGUFError(file: path, error) }
        let head = bytes.copy(at: 0, count: min(bytes.count, FileKind.enough))
        let name = URL(filePath: path).lastPathComponent
        let folder = URL(filePath: path).deletingLastPathComponent().path
        if head.starts(with: Array("GGUF".utf8)) { return try gguf(path) }
        if SafetensorsFile.mayBe(head) || name.hasSuffix(".safetensors") && FileKind.isBinary(head) {
            return CheckpointDescription(try SafetensorsFile(path: path))
        }
        switch name {
        case BundleManifest.fileName: return try bundle(folder, places: places)
        case "config.json", "adapter_config.json", HuggingFaceShards.indexName:
            if HuggingFaceFolder.isOne(folder) { return CheckpointDescription(folder: folder, places: places) }
        case "tokenizer.model", "tokenizer.json", "tokenizer_config.json": return try tokenizer(name, in: folder)
        default: break
        }
        let kind = FileKind(head, path: path)
        return CheckpointDescription([
            Line("file", "\(name), \(Wording.size(bytes.count))"), Line("kind", kind.what),
            Line(advice: kind.wanted, as: "wanted"),
            Line("runs here", "no"),
        ])
    }

    /// A part of a split model is described by itself where the others are not there to join.
    private static func gguf(_ path: String) throws -> CheckpointDescription {
        do throws(GGUFError) {
            return CheckpointDescription(try GGUF(path: path))
        } catch {
            guard let part = try? GGUF(alone: path), let split = try? GGUFSplit(part) else { throw error }
            var lines = DescriptionLines()
            lines.add(
                "file", "GGUF version \(part.version), \(split.title) of a model, \(Wording.size(part.byteCount))")
            lines.attempt { throw error }
            lines.conclude("")
            let whole = CheckpointDescription(part)
            return CheckpointDescription(lines.lines, sections: whole.sections)
        }
    }

    private static func tokenizer(_ name: String, in folder: String) throws -> CheckpointDescription {
        let vocabulary = try TokenizerFolder(folder: folder).vocabulary(rows: nil)
        let count = { (kind: Vocabulary.Kind) in "\(vocabulary.kinds.count { $0 == kind })" }
        return CheckpointDescription([
            Line("file", "\(name), a tokenizer"), ModelLines.vocabulary(vocabulary, origin: name),
            Line("of them", "\(count(.normal)) words, \(count(.byte)) bytes, \(count(.control)) control tokens"),
            Line("wanted", "The folder of the model that it belongs to, or a .gguf file, which has its own."),
            Line("runs here", "no: a tokenizer alone"),
        ])
    }
}

extension FolderFiles {
    /// Why a folder holds no model, and what to do.
    static func reason(_ names: [String], in path: String) -> String {
        func ends(_ endings: String...) -> String? { names.first { name in endings.contains { name.hasSuffix($0) } } }
        if names.contains("snapshots"), let name = Self.repository(path) {
            return "It is one model of the Hugging Face cache. Name it hf:\(name)."
        }
        if names.contains("manifests"), names.contains("blobs") {
            return "It holds Ollama's models. Name one as ollama:NAME; `specchat models` lists them."
        }
        if ends(".safetensors") != nil {
            return
                "It holds weights without a config.json, which says what they are for. Copy the model's other files too."
        }
        if let file = ends(".bin", ".pt", ".pth") {
            return HuggingFaceError("It", .pyTorchOnly(file: file)).description
        }
        if let file = ends(".onnx") {
            return "It holds an ONNX graph (\(file)), which is not read. Take the model it was made from."
        }
        if names.contains("tokenizer.json") || names.contains("tokenizer.model") {
            return "It holds a tokenizer without a model. Copy the model's other files too."
        }
        return ModelBundleError.noManifest(folder: path).description
            + " `specchat models \(Wording.argument(path))` lists the models in folders below it."
    }

    /// "owner/name" of a folder that is called models--owner--name.
    private static func repository(_ path: String) -> String? {
        let name = URL(filePath: path).lastPathComponent
        guard name.hasPrefix("models--") else { return nil }
        return String(name.dropFirst("models--".count)).replacing("--", with: "/", maxReplacements: 1)
    }
}
