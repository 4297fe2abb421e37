// ModelPlaces.swift — where people keep models: the stores of other programs, by the names that these give. Asked by
// ModelBundle for what --model and --draft say, and by `specchat models` for all there is.

public import Foundation

/// The files of one model in a store.
public struct StoredModel: Sendable, Equatable {
    /// What `--model` takes: "ollama:llava:7b", or a path.
    public let reference: String
    /// A GGUF file or a Hugging Face folder.
    public let model: URL
    /// The vision file that lies with it.
    public let vision: URL?

    init(_ reference: String, model: URL, vision: URL? = nil) {
        self.reference = reference
        self.model = model
        self.vision = vision
    }
}

/// A kind of store.
public enum ModelPlace: String, Sendable, Equatable, CaseIterable {
    /// The cache of Hugging Face's tools, which llama.cpp uses too.
    case huggingFace = "hf"
    case ollama
    case lmStudio = "lmstudio"
    /// The cache of older versions of llama.cpp.
    case llamaCpp = "llamacpp"

    /// What people call it.
    var title: String {
        switch self {
        case .huggingFace: "the Hugging Face cache"
        case .ollama: "Ollama's models"
        case .lmStudio: "LM Studio's models"
        case .llamaCpp: "llama.cpp's cache"
        }
    }
}

/// The stores of this machine, which need not exist.
public struct ModelPlaces: Sendable {
    /// Folders in which each store may be, the likeliest first.
    let folders: [ModelPlace: [URL]]

    /// By the rules of each program.
    public init(environment: [String: String], home: URL) {
        func named(_ variable: String) -> URL? {
            environment[variable].flatMap { $0.isEmpty ? nil : URL(filePath: $0, directoryHint: .isDirectory) }
        }
        let cache = named("XDG_CACHE_HOME") ?? home.appending(path: ".cache")
        let hub =
            named("HF_HUB_CACHE") ?? named("HUGGINGFACE_HUB_CACHE")
            ?? (named("HF_HOME") ?? cache.appending(path: "huggingface")).appending(path: "hub")
        folders = [
            .huggingFace: [hub],
            .ollama: [
                named("OLLAMA_MODELS"), home.appending(path: ".ollama/models"),
                // The service's own user, as Ollama's installer for Linux makes it.
                URL(filePath: "/usr/share/ollama/.ollama/models", directoryHint: .isDirectory),
            ].compactMap { $0 },
            .lmStudio: [home.appending(path: ".lmstudio/models"), home.appending(path: ".cache/lm-studio/models")],
            .llamaCpp: [named("LLAMA_CACHE") ?? cache.appending(path: "llama.cpp")],
        ]
    }

    public static var here: ModelPlaces {
        // Where the variable says, as the other programs have it; the system's own word may be another.
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"].flatMap {
            $0.hasPrefix("/") ? URL(filePath: $0, directoryHint: .isDirectory) : nil
        }
        return ModelPlaces(environment: environment, home: home ?? FileManager.default.homeDirectoryForCurrentUser)
    }

    /// Whether `name` names a model in a store, there or not; anything else is a path.
    public static func isReference(_ name: String) -> Bool {
        name.firstIndex(of: ":").map { ModelPlace(rawValue: String(name[..<$0])) != nil } ?? false
    }

    /// Whether what was typed so far may become a model's name in a store.
    public static func mayBeReference(_ typed: String) -> Bool {
        ModelPlace.allCases.contains { "\($0.rawValue):".hasPrefix(typed) || typed.hasPrefix("\($0.rawValue):") }
    }

    /// Every model's name in a store, as `--model` takes it.
    public func references() -> [String] {
        ModelPlace.allCases.flatMap { place in
            (folders[place] ?? []).flatMap { store -> [String] in
                switch place {
                case .huggingFace: HubCache(folder: store).all().map(\.reference)
                case .ollama: OllamaStore(folder: store).all().map(\.reference)
                case .lmStudio, .llamaCpp:
                    GGUFFolder.all(in: store).map { model in
                        "\(place.rawValue):" + model.model.path.dropFirst(store.path.count).drop { $0 == "/" }
                    }
                }
            }
        }
    }

    /// The files that a reference such as "hf:owner/name" names; nil for what is a path.
    func locate(_ reference: String) throws(ModelPlaceError) -> StoredModel? {
        guard let colon = reference.firstIndex(of: ":"),
            let place = ModelPlace(rawValue: String(reference[..<colon]))
        else { return nil }
        let name = String(reference[reference.index(after: colon)...])
        // A name becomes part of a path below; it must not leave the store.
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.contains("\0"), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw .badName(reference, place)
        }
        let stores = folders[place] ?? []
        for store in stores {
            let found: StoredModel?
            switch place {
            case .huggingFace: found = try HubCache(folder: store).locate(name, as: reference)
            case .ollama: found = try OllamaStore(folder: store).locate(name, as: reference)
            case .lmStudio, .llamaCpp: found = try GGUFFolder.locate(name, in: store, as: reference)
            }
            if let found { return found }
        }
        throw .absent(reference, place, searched: stores.map(\.path))
    }

    /// Every model of every store, and of the folders that are named besides, each folder searched in full.
    ///
    /// What cannot be made sense of is left out: other programs keep other things there too.
    public func all(besides paths: [URL] = []) -> [StoredModel] {
        var found: [StoredModel] = []
        for place in ModelPlace.allCases {
            for store in folders[place] ?? [] {
                switch place {
                case .huggingFace: found += HubCache(folder: store).all()
                case .ollama: found += OllamaStore(folder: store).all()
                case .lmStudio, .llamaCpp: found += GGUFFolder.all(in: store)
                }
            }
        }
        for path in paths { found += GGUFFolder.all(in: path) }
        return found
    }
}

/// A reference that leads to no model, and what to do about it.
public enum ModelPlaceError: Error, Sendable, Equatable, CustomStringConvertible {
    case badName(String, ModelPlace)
    case absent(String, ModelPlace, searched: [String])
    case several(String, [String])
    case noModel(String, folder: String)
    case incomplete(String, file: String)
    case badManifest(String, file: String)

    public var description: String {
        switch self {
        case .badName(let reference, let place):
            "'\(printable(reference))' names nothing in \(place.title). Write it as \(Self.example(place))."
        case .absent(let reference, let place, let searched):
            "\(printable(reference)) is not in \(place.title) (\(searched.map(printable).joined(separator: ", "))). "
                + "\(Self.fetch(reference, place)) `specchat models` lists what is there."
        case .several(let reference, let names):
            "\(printable(reference)) holds several models: \(names.map(printable).joined(separator: ", ")). "
                + "Name one, such as \(printable(reference))/\(names.first.map(printable) ?? "")."
        case .noModel(let reference, let folder):
            "\(printable(reference)) holds no GGUF file and no safetensors weights (\(printable(folder))). "
                + "Fetch a version of the model that has them."
        case .incomplete(let reference, let file):
            "\(printable(reference)) is incomplete: \(printable(file)) is missing. Fetch it again."
        case .badManifest(let reference, let file):
            "\(printable(file)), Ollama's list of the files of \(printable(reference)), cannot be read. "
                + "Pull the model again."
        }
    }

    private static func example(_ place: ModelPlace) -> String {
        switch place {
        case .huggingFace: "hf:owner/name, or hf:owner/name/file.gguf"
        case .ollama: "ollama:llava:7b"
        case .lmStudio: "lmstudio:publisher/model"
        case .llamaCpp: "llamacpp:file.gguf"
        }
    }

    private static func fetch(_ reference: String, _ place: ModelPlace) -> String {
        let name = printable(String(reference.drop { $0 != ":" }.dropFirst()))
        return switch place {
        case .huggingFace: "`hf download \(name)` fetches it."
        case .ollama: "`ollama pull \(name)` fetches it."
        case .lmStudio: "LM Studio fetches it."
        case .llamaCpp: "Newer versions of llama.cpp keep their models in the Hugging Face cache: hf:owner/name."
        }
    }
}
