// GGUFPartTests.swift — the files of a folder are told by what they hold, whatever they are called.

import Foundation
import Testing

@testable import Engine

@Suite struct `The parts of a folder of GGUF files` {
    private let scratch: ScratchFolder
    private var folder: String { scratch.path + "/model" }

    init() throws { scratch = try ScratchFolder() }

    private func write(_ files: [String: GGUFBuilder]) throws {
        for (name, file) in files { try scratch.write(file.bytes, to: "model/\(name)") }
    }

    private func bundle() throws -> ModelBundle {
        try ModelBundle.open(model: folder, mmproj: nil, draft: nil, draftProjector: nil)
    }

    @Test(arguments: [
        ("llava.gguf", "clip-vit.gguf"), ("b.gguf", "a.gguf"), ("a.gguf", "b.gguf"),
        // Names that say the contrary.
        ("llava-with-mmproj.gguf", "model-f16.gguf"), ("llava-00001-of-00001.gguf", "vision.GGUF"),
    ])
    func `are a model and its vision file by any name`(model: String, vision: String) throws {
        try write([model: .language(), vision: .vision(), "for-a-draft.gguf": .projector(), "._\(model)": .language()])
        let bundle = try bundle()
        #expect(bundle.target.lastPathComponent == model)
        #expect(bundle.vision?.lastPathComponent == vision)
        let inside = try CheckpointDescription(of: folder)
        #expect(inside.sections[0].title == "vision file \(vision)" && !inside.hasProblem)
        let survey = ModelSurvey(GGUFFolder.all(in: URL(filePath: folder, directoryHint: .isDirectory)))
        #expect(survey.entries.map { $0.model.model.lastPathComponent } == [model])
        #expect(survey.entries[0].model.vision?.lastPathComponent == vision)
    }

    @Test func `are told by their tensors where they do not say what they are`() throws {
        for (name, builder, part) in [
            ("language", GGUFBuilder.language(), GGUFPart.language), ("vision", .vision(), .vision),
            ("projector", .projector(), .projector),
        ] {
            #expect(try GGUFPart.read(FileBytes(copying: builder.bytes), file: name) == part)
            var silent = builder
            silent.set("general.architecture", nil)
            #expect(try GGUFPart.read(FileBytes(copying: silent.bytes), file: name) == part)
        }
        let empty = GGUFBuilder()
        #expect(try GGUFPart.read(FileBytes(copying: empty.bytes), file: "empty") == nil)
        // Behind its architecture a language model may be broken: whoever opens it says how.
        let cut = GGUFBuilder.language().header
        #expect(try GGUFPart.read(FileBytes(copying: cut), file: "cut") == .language)
        #expect(throws: GGUFError.self) { try GGUFPart.read(FileBytes(copying: Array("GGUF".utf8)), file: "cut") }
    }

    @Test func `that cannot be read are what their names say`() throws {
        try scratch.write("x", to: "model/a.gguf")
        try scratch.write("x", to: "model/mmproj-a.gguf")
        let bundle = try bundle()
        #expect(bundle.target.lastPathComponent == "a.gguf" && bundle.vision?.lastPathComponent == "mmproj-a.gguf")
    }

    @Test func `are still several models where there are several`() throws {
        try write(["a.gguf": .language(), "b.gguf": .language(), "mmproj-eyes.gguf": .vision()])
        #expect(throws: ModelBundleError.badPlace(.several(folder, ["a.gguf", "b.gguf"]))) { try bundle() }
    }

    @Test func `leave a vision file to the model that it fits, and drafts beside it without a fault`() throws {
        let demo = Golden.folder.appending(path: "../../../Assets/demo").standardizedFileURL
        let entries = ModelSurvey(GGUFFolder.all(in: demo)).entries
        #expect(
            entries.map { $0.model.model.lastPathComponent } == [
                "draft-medium.gguf", "draft-small.gguf", "target.gguf",
            ])
        let visions = entries.map(\.vision)
        #expect(visions == [.none, .none, .file(demo.appending(path: "vision.gguf"))])
    }

    @Test func `of a bundle serve as what the bundle names them for`() throws {
        try write(["p.gguf": .projector(), "v.gguf": .vision(), "l.gguf": .language()])
        let url = URL(filePath: scratch.path, directoryHint: .isDirectory)
        func found(_ part: BundlePart) throws -> String {
            try part.locate("model", in: url, manifest: "bundle.json").url.lastPathComponent
        }
        #expect(try found(.target) == "l.gguf" && found(.vision) == "v.gguf" && found(.draft("d")) == "l.gguf")
        #expect(try found(.projector("d")) == "p.gguf")
        try scratch.remove("model/p.gguf")
        #expect(try found(.projector("d")) == "v.gguf")
    }
}
