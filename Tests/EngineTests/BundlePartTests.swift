import Foundation
import Testing

@testable import Engine

/// A bundle whose parts are folders: what each test breaks in one place.
private final class FolderBundle {
    let scratch: ScratchFolder
    var manifest: [String: Any] = [
        "format": 1, "name": "n", "target": "llava", "default_draft": "small",
        "drafts": [["name": "small", "model": "draft"]],
    ]

    init() throws {
        scratch = try ScratchFolder()
        try TinyFolder().write(to: scratch, under: "llava/")
        try TinyFolder().write(to: scratch, under: "eyes/")
        var text = TinyFolder()
        text.becomeText()
        try text.write(to: scratch, under: "draft/")
        try scratch.write(#"{"model_type": "clip_vision_model"}"#, to: "clip/config.json")
        try scratch.write(#"{"model_type": "bert"}"#, to: "bert/config.json")
        try scratch.write(GGUFBuilder.language().bytes, to: "files/model.gguf")
        try scratch.write(GGUFBuilder.vision().bytes, to: "files/mmproj-model.gguf")
        try scratch.write("nothing", to: "empty/README.md")
    }

    func open() throws -> ModelBundle {
        try scratch.write(Array(JSONSerialization.data(withJSONObject: manifest)), to: "bundle.json")
        return try ModelBundle.open(model: scratch.path, mmproj: nil, draft: nil, draftProjector: nil)
    }

    func message() -> String {
        do {
            return "opened: \(try open())"
        } catch { return "\(error)" }
    }
}

@Suite struct `Folders as parts of a bundle` {
    private let bundle: FolderBundle

    init() throws { bundle = try FolderBundle() }

    @Test func `a LLaVA's folder is target and eyes, and prepares pictures as it says itself`() throws {
        let opened = try bundle.open()
        #expect(opened.target.lastPathComponent == "llava" && opened.vision == opened.target)
        #expect(opened.draft?.model.lastPathComponent == "draft" && opened.draft?.projector == nil)
        #expect(opened.preprocessing == nil)
        let checkpoint = try LanguageCheckpoint(path: opened.target.path)
        let vision = try VisionCheckpoint(path: try #require(opened.vision).path, language: opened.target.path)
        #expect(vision.configuration.projector.outputs == checkpoint.configuration.hidden)
        #expect(try LanguageCheckpoint(path: #require(opened.draft).model.path).configuration.hidden == 8)
    }

    @Test func `each part may be a folder of its own`() throws {
        bundle.manifest["vision"] = "eyes"
        bundle.manifest["preprocessing"] = "crop"
        bundle.manifest["drafts"] = [["name": "small", "model": "llava", "projector": "eyes"]]
        let opened = try bundle.open()
        #expect(opened.vision?.lastPathComponent == "eyes" && opened.preprocessing == .crop)
        #expect(opened.draft?.projector?.lastPathComponent == "eyes")
        bundle.manifest["drafts"] = [["name": "small", "model": "llava"]]
        #expect(try bundle.open().draft?.projector?.lastPathComponent == "llava")
    }

    @Test func `a folder of GGUF files stands for the model or the vision file in it`() throws {
        bundle.manifest["target"] = "files"
        bundle.manifest["drafts"] = [["name": "small", "model": "files", "projector": "files"]]
        let opened = try bundle.open()
        #expect(opened.target.lastPathComponent == "model.gguf")
        #expect(opened.vision?.lastPathComponent == "mmproj-model.gguf" && opened.preprocessing == .pad)
        #expect(opened.draft?.model.lastPathComponent == "model.gguf")
        #expect(opened.draft?.projector?.lastPathComponent == "mmproj-model.gguf")
    }

    @Test(arguments: [
        ("target", "clip", "names 'clip' as its target: ", "holds a CLIP vision tower, not a language model."),
        ("target", "bert", "names 'bert' as its target: ", "holds a text encoder ('bert')"),
        (
            "vision", "draft", "names 'draft' as its vision model: ",
            "holds a language model without eyes, not a vision tower"
        ),
        (
            "target", "empty", "names the folder 'empty' as its target, ",
            "neither a config.json nor one such GGUF file."
        ),
        ("vision", "gone", "names 'gone' as its vision model, ", "which is not there."),
    ])
    func `a folder that does not serve is refused by the name of the part`(
        part: String, path: String, beginning: String, end: String
    ) throws {
        bundle.manifest[part] = path
        let message = bundle.message()
        #expect(message.contains("/bundle.json \(beginning)") && message.contains(end), "\(message)")
    }

    @Test func `a draft's folders are refused by the draft's name`() throws {
        bundle.manifest["drafts"] = [["name": "small", "model": "clip"]]
        #expect(bundle.message().contains("names 'clip' as its draft 'small': "))
        bundle.manifest["drafts"] = [["name": "small", "model": "draft", "projector": "draft"]]
        #expect(bundle.message().contains("names 'draft' as its projector of 'small': "))
        #expect(bundle.message().contains("not a LLaVA, whose projector is wanted"))
    }
}
