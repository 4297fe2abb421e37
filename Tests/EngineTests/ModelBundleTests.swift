import Foundation
import Testing

@testable import Engine

/// A folder that is gone after the test.
private final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString, directoryHint: .isDirectory)

    /// - Parameter files: paths inside the folder with what they hold.
    init(_ files: [String: String]) throws {
        for (path, text) in files {
            let file = url.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }
}

private let manifest = """
    {"format": 1, "name": "specchat-demo", "target": "target.gguf", "vision": "vision.gguf",
     "drafts": [{"name": "small", "model": "small.gguf", "projector": "small-projector.gguf"},
                {"name": "text", "model": "drafts/text.gguf"}],
     "default_draft": "small", "preprocessing": "crop", "notice": "Drawn scenes only."}
    """

private func wholeFolder(_ manifest: String = manifest) throws -> Folder {
    let names = ["target", "vision", "small", "small-projector", "drafts/text", "other", "eye"]
    let files = Dictionary(uniqueKeysWithValues: names.map { ("\($0).gguf", "x") })
    return try Folder(files.merging(["bundle.json": manifest]) { $1 })
}

private func open(
    _ model: String?, mmproj: String? = nil, draft: String? = nil, draftProjector: String? = nil
) throws -> ModelBundle {
    try ModelBundle.open(model: model, mmproj: mmproj, draft: draft, draftProjector: draftProjector)
}

@Suite struct `Model bundle` {
    @Test func `a folder's bundle names all its files`() throws {
        let folder = try wholeFolder()
        let bundle = try open(folder.url.path)
        #expect(bundle.name == "specchat-demo")
        #expect(bundle.target.path == folder.path("target.gguf"))
        #expect(bundle.vision?.path == folder.path("vision.gguf"))
        #expect(bundle.drafts.map(\.name) == ["small", "text"])
        #expect(bundle.draft?.model.path == folder.path("small.gguf"))
        #expect(bundle.draft?.projector?.path == folder.path("small-projector.gguf"))
        #expect(bundle.drafts[1].model.path == folder.path("drafts/text.gguf"))
        #expect(bundle.drafts[1].projector == nil)
        #expect(bundle.preprocessing == .crop)
        #expect(bundle.notice == "Drawn scenes only.")
        #expect(try open(folder.path("bundle.json")).drafts == bundle.drafts)
    }

    @Test func `only name and target are needed`() throws {
        let folder = try wholeFolder(#"{"format": 1, "name": "n", "target": "target.gguf"}"#)
        let bundle = try open(folder.url.path)
        #expect(bundle.vision == nil && bundle.drafts.isEmpty && bundle.draft == nil && bundle.notice == nil)
        #expect(bundle.preprocessing == .pad)
    }

    @Test func `a language model's file is a bundle of its own`() throws {
        let folder = try wholeFolder()
        let bundle = try open(folder.path("other.gguf"), mmproj: folder.path("eye.gguf"))
        #expect(bundle.name == "other")
        #expect(bundle.vision?.path == folder.path("eye.gguf"))
        #expect(bundle.drafts.isEmpty && bundle.defaultDraft == nil)
    }

    @Test func `a draft is chosen by name, by file, or not at all`() throws {
        let folder = try wholeFolder()
        #expect(try open(folder.url.path).defaultDraft == "small")
        #expect(try open(folder.url.path, draft: "text").draft?.name == "text")
        let none = try open(folder.url.path, draft: "none")
        #expect(none.draft == nil && none.drafts.count == 2)
        let file = try open(folder.url.path, draft: folder.path("other.gguf"), draftProjector: folder.path("eye.gguf"))
        #expect(file.drafts.map(\.name) == ["small", "text", "other"])
        #expect(file.draft?.model.path == folder.path("other.gguf"))
        #expect(file.draft?.projector?.path == folder.path("eye.gguf"))
    }

    @Test func `a draft's file that is called as one of the bundle's is told from it`() throws {
        let folder = try wholeFolder()
        let path = folder.path("small.gguf")
        let bundle = try open(folder.url.path, draft: path)
        #expect(bundle.drafts.map(\.name) == ["small", "text", path])
        #expect(bundle.draft?.projector == nil)
    }

    @Test func `options replace the bundle's files`() throws {
        let folder = try wholeFolder()
        let eye = folder.path("eye.gguf")
        let bundle = try open(folder.url.path, mmproj: eye, draftProjector: eye)
        #expect(bundle.vision?.path == eye)
        #expect(bundle.draft?.projector?.path == eye)
        #expect(bundle.target.path == folder.path("target.gguf"))
    }

    @Test(arguments: [
        ("[1]", "it is no JSON object"),
        ("{", "it is not JSON"),
        (#"{"name": "n"}"#, "it has no 'format'"),
        (#"{"format": 1, "name": "n"}"#, "it has no 'target'"),
        (#"{"format": 1, "name": 5, "target": "target.gguf"}"#, "its 'name' is of the wrong type"),
        (
            #"{"format": 1, "name": "n", "target": "target.gguf", "drafts": [{"name": "a"}]}"#,
            "it has no 'drafts 1 model'"
        ),
        (
            #"{"format": 1, "name": "n", "target": "target.gguf", "preprocessing": "stretch"}"#,
            "its 'preprocessing' has a value that is not known"
        ),
        (
            #"{"format": 1, "name": "n", "target": "target.gguf", "default_draft": "big"}"#,
            "its default_draft 'big' is none of its drafts"
        ),
        (
            #"{"format": 1, "name": "n", "target": "target.gguf", "drafts": [{"name": "none", "model": "other.gguf"}]}"#,
            "a draft cannot be called 'none', or not twice"
        ),
        (String(repeating: " ", count: 1_048_577), "it is 1048577 bytes long, and 1048576 are read"),
    ])
    func `a broken bundle.json is refused with the reason`(text: String, reason: String) throws {
        let folder = try wholeFolder(text)
        #expect(throws: ModelBundleError.badManifest(folder.path("bundle.json"), reason: reason)) {
            try open(folder.url.path)
        }
    }

    @Test(arguments: ["/etc/passwd", "../target.gguf", "drafts/../../target.gguf", "", "drafts//text.gguf", ".."])
    func `a bundle names nothing outside its folder`(path: String) throws {
        let folder = try wholeFolder(#"{"format": 1, "name": "n", "target": "\#(path)"}"#)
        #expect(throws: ModelBundleError.pathOutside(folder.path("bundle.json"), path: path)) {
            try open(folder.url.path)
        }
    }

    @Test func `what is not there is named`() throws {
        let folder = try wholeFolder(#"{"format": 2}"#)
        let manifest = folder.path("bundle.json")
        #expect(throws: ModelBundleError.newerManifest(manifest, format: 2)) { try open(folder.url.path) }
        try Data(#"{"format": 1, "name": "n", "target": "lost.gguf"}"#.utf8).write(to: URL(filePath: manifest))
        #expect(throws: ModelBundleError.missingPart(manifest, part: "lost.gguf", role: "target")) {
            try open(folder.url.path)
        }
        try Data(#"{"format": 1, "name": "n", "target": "drafts"}"#.utf8).write(to: URL(filePath: manifest))
        #expect(try open(folder.url.path).target.lastPathComponent == "text.gguf")
        let target = folder.path("target.gguf")
        #expect(throws: ModelBundleError.missing("/no/such", option: "--model")) { try open("/no/such") }
        #expect(throws: ModelBundleError.missing("/no/eye", option: "--mmproj")) { try open(target, mmproj: "/no/eye") }
        #expect(throws: ModelBundleError.folderForFile(folder.url.path, option: "--mmproj")) {
            try open(target, mmproj: folder.url.path)
        }
        let inner = folder.path("drafts")
        #expect(try open(inner).target.lastPathComponent == "text.gguf")
        let empty = folder.path("empty")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
        #expect(throws: ModelBundleError.noManifest(folder: empty)) { try open(empty) }
        #expect(throws: ModelBundleError.unknownDraft("tiny", known: [])) { try open(target, draft: "tiny") }
        #expect(throws: ModelBundleError.projectorWithoutDraft) { try open(target, draftProjector: target) }
        #expect(throws: ModelBundleError.projectorWithoutDraft) {
            try open(target, draft: "none", draftProjector: target)
        }
    }

    @Test func `a bundle's draft drafts alone, and words are looked up where it has none`() throws {
        let folder = try wholeFolder()
        let whole = folder.url.path, alone = folder.path("other.gguf")
        let choices: [(model: String, draft: String?, drafters: String?, looksUp: Bool)] = [
            (whole, nil, "small", false), (whole, "text", "text", false), (whole, "small+lookup", "small+lookup", true),
            (whole, "lookup", "lookup", true), (whole, "none", nil, false), (alone, nil, "lookup", true),
            (alone, "none", nil, false), (alone, folder.path("small.gguf"), "small", false),
            (alone, folder.path("small.gguf") + "+lookup", "small+lookup", true),
        ]
        for choice in choices {
            let bundle = try open(choice.model, draft: choice.draft)
            #expect(bundle.drafters == choice.drafters && bundle.looksUp == choice.looksUp, "\(choice)")
        }
        let without = try wholeFolder(#"{"format": 1, "name": "n", "target": "target.gguf"}"#)
        #expect(try open(without.url.path).drafters == "lookup")
    }

    @Test func `the demo model is found where the program was put`() throws {
        let folder = try Folder([
            "usr/share/specchat/demo/bundle.json": "", "package/Assets/demo/bundle.json": "",
            "here/Assets/demo/bundle.json": "", "mine/bundle.json": "", "yours/demo/bundle.json": "", "no/file": "",
        ])
        func find(_ assets: String?, executable: String) throws -> String {
            try ModelBundle.demoFolder(
                environment: assets.map { ["SPECCHAT_ASSETS": folder.path($0)] } ?? [:],
                executable: URL(filePath: folder.path(executable)),
                currentFolder: folder.url.appending(path: "here")
            ).resolvingSymlinksInPath().path
        }
        func place(_ name: String) -> String { URL(filePath: folder.path(name)).resolvingSymlinksInPath().path }
        let built = "package/.build/x86_64-unknown-linux-gnu/release/specchat"
        #expect(try find("mine", executable: built) == place("mine"))
        #expect(try find("yours", executable: built) == place("yours/demo"))
        #expect(try find(nil, executable: "usr/bin/specchat") == place("usr/share/specchat/demo"))
        #expect(try find(nil, executable: built) == place("package/Assets/demo"))
        #expect(try find(nil, executable: "elsewhere/specchat") == place("here/Assets/demo"))
        #expect(throws: ModelBundleError.noDemoAtAssets(folder.path("no"))) { try find("no", executable: built) }
        #expect(throws: ModelBundleError.noDemo) {
            try ModelBundle.demoFolder(environment: [:], executable: nil, currentFolder: folder.url)
        }
    }

    @Test func `the demo model in the package is whole, and its parts fit together`() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bundle = try open(package.appending(path: "Assets/demo").path)
        let file = try GGUF(path: bundle.target.path)
        let target = try LanguageModelConfiguration(file)
        let vocabulary = try Vocabulary(file)
        let tower = try VisionConfiguration(GGUF(path: #require(bundle.vision).path))
        #expect(tower.projector.outputs == target.hidden)
        #expect(bundle.draft != nil && bundle.drafts.count == 2 && bundle.notice != nil)
        for draft in bundle.drafts {
            let file = try GGUF(path: draft.model.path)
            let projector = try ProjectorConfiguration(GGUF(path: #require(draft.projector).path))
            #expect(try projector.outputs == LanguageModelConfiguration(file).hidden)
            #expect(projector.inputs == tower.hidden)
            #expect(try Vocabulary(file) == vocabulary)
        }
        let template = try #require(try file.string("tokenizer.chat_template"))
        #expect(ChatTemplate.recognised(in: template) == .plain)
    }
}
