import Testing

@testable import Engine

private let bundles: [(ModelBundleError, String)] = [
    (.noDemo, "The demo model was not found. Give a model with --model, or its folder in SPECCHAT_ASSETS."),
    (
        .noDemoAtAssets("/x"),
        "/x, which SPECCHAT_ASSETS names, holds no bundle.json. Correct it or unset it."
    ),
    (.missing("/x", option: "--model"), "/x does not exist. Check the path given with --model."),
    (
        .folderForFile("/x", option: "--mmproj"),
        "/x is a folder without a config.json. Give a .gguf file or a Hugging Face folder with --mmproj."
    ),
    (
        .noManifest(folder: "/x"),
        "/x holds neither a config.json nor a bundle.json. "
            + "Give a Hugging Face folder, a bundle's folder or a .gguf file with --model."
    ),
    (
        .badManifest("/x/bundle.json", reason: "it is not JSON"),
        "/x/bundle.json is not a model's bundle.json: it is not JSON. Correct it or copy it again."
    ),
    (
        .newerManifest("/x/bundle.json", format: 2),
        "/x/bundle.json has format 2; this version knows format 1. Use a newer specchat."
    ),
    (
        .pathOutside("/x/bundle.json", path: "../y"),
        "/x/bundle.json names '../y', but only files in its own folder may be named. Correct it."
    ),
    (
        .missingPart("/x/bundle.json", part: "y", role: "target"),
        "/x/bundle.json names 'y' as its target, which is not there. Copy the whole folder again."
    ),
    (
        .emptyPart("/x/bundle.json", part: "y", role: "draft 'small'"),
        "/x/bundle.json names the folder 'y' as its draft 'small', which holds neither a config.json nor one such GGUF file. "
            + "Name the file itself, or a Hugging Face folder."
    ),
    (
        .badPart("/x/bundle.json", part: "y", role: "target", reason: "/x/y is empty. Copy it again."),
        "/x/bundle.json names 'y' as its target: /x/y is empty. Copy it again."
    ),
    (
        .unknownDraft("tiny", known: ["small", "medium"]),
        "There is no draft 'tiny': neither a file nor one of small, medium. Choose another with --draft, or none."
    ),
    (
        .unknownDraft("tiny", known: []),
        "There is no draft 'tiny': neither a file nor a draft of the model, which has none. "
            + "Choose another with --draft, or none."
    ),
    (
        .badFolder(HuggingFaceError("/x", .noWeights)),
        "/x holds no .safetensors files. Copy or download the model's weights into it."
    ),
    (
        .badPlace(.badName("ollama:", .ollama)),
        "'ollama:' names nothing in Ollama's models. Write it as ollama:llava:7b."
    ),
    (
        .projectorWithoutDraft,
        "--draft-projector was given, but no draft is in use. Name the draft that it belongs to with --draft."
    ),
]

private func number(_ error: ModelBundleError) -> Int {
    switch error {
    case .noDemo: 0
    case .noDemoAtAssets: 1
    case .missing: 2
    case .folderForFile: 3
    case .noManifest: 4
    case .badManifest: 5
    case .newerManifest: 6
    case .pathOutside: 7
    case .missingPart: 8
    case .unknownDraft: 9
    case .projectorWithoutDraft: 10
    case .badFolder: 11
    case .badPlace: 12
    case .emptyPart: 13
    case .badPart: 14
    }
}

@Suite struct `Bundle messages` {
    @Test func `every fault of a bundle has its message`() {
        for (error, message) in bundles { #expect(error.description == message) }
        #expect(Set(bundles.map { number($0.0) }) == Set(0...14))
    }
}
