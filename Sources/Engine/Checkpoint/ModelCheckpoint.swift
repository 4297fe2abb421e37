// ModelCheckpoint.swift — a model as it lies on disk, whatever the format: sizes, tensors, words. Opened by Chat, packed
// into weights by Model.

/// A language model's file or folder, opened and checked; no weight is read yet.
struct LanguageCheckpoint {
    let configuration: LanguageModelConfiguration
    let tensors: any TensorSource
    private let origin: Origin

    private enum Origin {
        case gguf(GGUF)
        case folder(HuggingFaceFolder)
    }

    /// Opens the GGUF file or the Hugging Face folder at `path`.
    init(path: String) throws {
        if HuggingFaceFolder.isOne(path) {
            try self.init(HuggingFaceFolder(path: path))
        } else {
            try self.init(GGUF(path: path))
        }
    }

    init(_ folder: HuggingFaceFolder) throws(HuggingFaceError) {
        configuration = try LanguageModelConfiguration(folder)
        tensors = folder
        origin = .folder(folder)
    }

    init(_ file: GGUF) throws(GGUFError) {
        configuration = try LanguageModelConfiguration(file)
        tensors = file
        origin = .gguf(file)
    }

    /// The tokenizer that the checkpoint brings along, with the tokens that end an answer.
    func vocabulary() throws -> Vocabulary {
        switch origin {
        case .gguf(let file): try Vocabulary(file)
        case .folder(let folder): try folder.vocabulary(rows: configuration.vocabulary)
        }
    }

    /// The chat template as the checkpoint words it, or a family's name; absent where it has none.
    func template() throws -> String? {
        switch origin {
        case .gguf(let file): return try file.string("tokenizer.chat_template")
        case .folder(let folder) where folder.kind == .originalLlava:
            // A template in such a folder is that of the language model from which LLaVA was made.
            let type = try folder.configuration.string("model_type") ?? ""
            let isTiled = try folder.configuration.string("image_aspect_ratio") == "anyres"
            let hasChatML = try vocabulary().pieces.contains("<|im_start|>")
            return ChatTemplate.original(architecture: type, isTiled: isTiled, hasChatML: hasChatML).rawValue
        case .folder(let folder): return try TokenizerFolder(folder: folder.path).chatTemplate()
        }
    }
}

/// A vision tower with the projector of its language model, opened and checked.
struct VisionCheckpoint {
    let configuration: VisionConfiguration
    let tensors: any TensorSource

    /// Opens the GGUF file or the Hugging Face folder at `path`.
    ///
    /// - Parameters:
    ///   - language: the language model in use; it has the projector where `path` is a tower alone.
    ///   - places: the stores of other programs, for a tower that lies in a folder of its own.
    init(path: String, language: String? = nil, places: ModelPlaces = .here) throws {
        if HuggingFaceFolder.isOne(path) {
            try self.init(HuggingFaceVision(path: path, language: language, places: places))
        } else {
            try self.init(GGUF(path: path))
        }
    }

    init(_ vision: HuggingFaceVision) throws(HuggingFaceError) {
        configuration = try VisionConfiguration(vision)
        tensors = vision
    }

    init(_ file: GGUF) throws(GGUFError) {
        configuration = try VisionConfiguration(file)
        tensors = file
    }

    var projector: ProjectorCheckpoint {
        ProjectorCheckpoint(configuration: configuration.projector, tensors: tensors)
    }
}

/// A projector: part of a vision checkpoint, or alone in its own (a draft's).
struct ProjectorCheckpoint {
    let configuration: ProjectorConfiguration
    let tensors: any TensorSource

    init(configuration: ProjectorConfiguration, tensors: any TensorSource) {
        self.configuration = configuration
        self.tensors = tensors
    }

    /// Opens the GGUF file or the LLaVA's folder at `path`.
    init(path: String) throws {
        if HuggingFaceFolder.isOne(path) {
            let folder = try HuggingFaceFolder(path: path)
            self.init(configuration: try ProjectorConfiguration(folder), tensors: folder)
        } else {
            try self.init(GGUF(path: path))
        }
    }

    init(_ file: GGUF) throws(GGUFError) {
        configuration = try ProjectorConfiguration(file)
        tensors = file
    }
}
