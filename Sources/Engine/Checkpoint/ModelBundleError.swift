// ModelBundleError.swift — why the files of a model were not found, each said in one line: what, where, what to do.

/// A model whose files are not where they were said to be.
public enum ModelBundleError: Error, Sendable, Equatable, CustomStringConvertible {
    case noDemo
    case noDemoAtAssets(String)
    case missing(String, option: String)
    case folderForFile(String, option: String)
    case noManifest(folder: String)
    case badManifest(String, reason: String)
    case newerManifest(String, format: Int)
    case pathOutside(String, path: String)
    case missingPart(String, part: String, role: String)
    case emptyPart(String, part: String, role: String)
    case badPart(String, part: String, role: String, reason: String)
    case unknownDraft(String, known: [String])
    case projectorWithoutDraft
    case badFolder(HuggingFaceError)
    case badPlace(ModelPlaceError)

    public var description: String {
        switch self {
        case .noDemo:
            "The demo model was not found. Give a model with --model, or its folder in SPECCHAT_ASSETS."
        case .noDemoAtAssets(let folder):
            "\(printable(folder)), which SPECCHAT_ASSETS names, holds no bundle.json. Correct it or unset it."
        case .missing(let path, let option): "\(printable(path)) does not exist. Check the path given with \(option)."
        case .folderForFile(let path, let option):
            "\(printable(path)) is a folder without a config.json. Give a .gguf file or a "
                + "Hugging Face folder with \(option)."
        case .noManifest(let folder):
            "\(printable(folder)) holds neither a config.json nor a bundle.json. Give a Hugging Face folder, a bundle's folder or "
                + "a .gguf file with --model."
        case .badManifest(let file, let reason):
            "\(printable(file)) is not a model's bundle.json: \(printable(reason)). Correct it or copy it again."
        case .newerManifest(let file, let format):
            "\(printable(file)) has format \(format); this version knows format 1. Use a newer specchat."
        case .pathOutside(let file, let path):
            "\(printable(file)) names '\(printable(path))', but only files in its own folder may be named. Correct it."
        case .missingPart(let file, let part, let role):
            "\(printable(file)) names '\(printable(part))' as its \(printable(role)), which is not there. "
                + "Copy the whole folder again."
        case .emptyPart(let file, let part, let role):
            "\(printable(file)) names the folder '\(printable(part))' as its \(printable(role)), which holds neither a "
                + "config.json nor one such GGUF file. Name the file itself, or a Hugging Face folder."
        case .badPart(let file, let part, let role, let reason):
            "\(printable(file)) names '\(printable(part))' as its \(printable(role)): \(reason)"
        case .unknownDraft(let name, let known):
            "There is no draft '\(printable(name))': neither a file nor "
                + (known.isEmpty
                    ? "a draft of the model, which has none. "
                    : "one of \(known.map(printable).joined(separator: ", ")). ")
                + "Choose another with --draft, or none."
        case .projectorWithoutDraft:
            "--draft-projector was given, but no draft is in use. Name the draft that it belongs to with --draft."
        case .badFolder(let error): error.description
        case .badPlace(let error): error.description
        }
    }
}
