// ModelPlacesTests.swift — models in other programs' stores: what each name finds, and what is said where it finds nothing.

import Foundation
import Testing

@testable import Engine

/// A home folder with stores in it, gone after the test.
private final class Home {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString, directoryHint: .isDirectory)
    private static let assets = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Assets/demo")

    deinit { try? FileManager.default.removeItem(at: url) }

    func places(_ environment: [String: String] = [:]) -> ModelPlaces {
        ModelPlaces(environment: environment, home: url)
    }

    @discardableResult
    func file(_ path: String, _ text: String = "x") throws -> String {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    /// A link at `path` to a file of the demo model, as caches have links to their blobs.
    func demo(_ name: String, at path: String) throws {
        let link = url.appending(path: path)
        try FileManager.default.createDirectory(
            at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: Self.assets.appending(path: name))
    }

    func repository(_ name: String, _ files: [String], commit: String = "0123abcd") throws {
        let root = ".cache/huggingface/hub/models--" + name.replacing("/", with: "--")
        try file(root + "/refs/main", commit)
        for path in files { try file("\(root)/snapshots/\(commit)/\(path)") }
    }

    func manifest(_ path: String, model: Character, projector: Character? = nil) throws {
        func layer(_ kind: String, _ digit: Character) -> String {
            #"{"mediaType": "application/vnd.ollama.image.\#(kind)", "digest": "sha256:\#(String(repeating: digit, count: 64))"}"#
        }
        let layers = [layer("model", model)] + (projector.map { [layer("projector", $0)] } ?? [])
        try file(".ollama/models/manifests/" + path, #"{"layers": [\#(layers.joined(separator: ", "))]}"#)
        for digit in [model] + (projector.map { [$0] } ?? []) {
            try file(".ollama/models/blobs/sha256-" + String(repeating: digit, count: 64))
        }
    }
}

@Suite struct `Other programs' stores` {
    private let home = Home()

    private func names(_ reference: String) throws -> [String?] {
        let found = try #require(try home.places().locate(reference))
        #expect(found.reference == reference)
        return [found.model.lastPathComponent, found.vision?.lastPathComponent]
    }

    @Test func `are asked by name only`() throws {
        for path in ["model.gguf", "/x/hf", "c:/x", "hf", "HF:a/b", ""] {
            #expect(try home.places().locate(path) == nil)
            #expect(!ModelPlaces.isReference(path))
        }
        #expect(ModelPlaces.isReference("hf:a/b"))
    }

    @Test func `of Hugging Face hold folders, single files and several`() throws {
        try home.repository("llava-hf/llava-1.5-7b-hf", ["config.json", "model.safetensors"])
        try home.repository("mys/ggml_llava", ["ggml-model-q4_k.gguf", "mmproj-model-f16.gguf"])
        try home.repository(
            "x/many", ["a-Q4_K_M.gguf", "a-Q8_0.gguf", "a-F16-00001-of-00002.gguf", "a-F16-00002-of-00002.gguf"])
        #expect(try names("hf:llava-hf/llava-1.5-7b-hf") == ["0123abcd", nil])
        #expect(try names("hf:mys/ggml_llava") == ["ggml-model-q4_k.gguf", "mmproj-model-f16.gguf"])
        #expect(try names("hf:x/many:Q8_0") == ["a-Q8_0.gguf", nil])
        #expect(try names("hf:x/many:q4_k_m") == ["a-Q4_K_M.gguf", nil])
        #expect(try names("hf:x/many/a-Q8_0.gguf") == ["a-Q8_0.gguf", nil])
        let several = ["a-F16-00001-of-00002.gguf", "a-Q4_K_M.gguf", "a-Q8_0.gguf"]
        #expect(throws: ModelPlaceError.several("hf:x/many", several)) { try home.places().locate("hf:x/many") }
    }

    @Test func `of Hugging Face lie where its variables say`() throws {
        try home.file("elsewhere/models--a--b/snapshots/ff/model.gguf")
        let hub = home.url.appending(path: "elsewhere").path
        for environment in [["HF_HUB_CACHE": hub], ["HF_HOME": home.url.path, "HF_HUB_CACHE": hub]] {
            #expect(try home.places(environment).locate("hf:a/b")?.model.lastPathComponent == "model.gguf")
        }
        #expect(throws: ModelPlaceError.self) { try home.places().locate("hf:a/b") }
    }

    @Test func `of Ollama go by library names, users and other hosts`() throws {
        try home.manifest("registry.ollama.ai/library/llava/7b", model: "a", projector: "b")
        try home.manifest("registry.ollama.ai/library/llava/latest", model: "c")
        try home.manifest("registry.ollama.ai/ann/eye/v1", model: "d")
        try home.manifest("hf.co/owner/name/Q4_0", model: "e")
        func blob(_ digit: Character) -> String { "sha256-" + String(repeating: digit, count: 64) }
        #expect(try names("ollama:llava:7b") == [blob("a"), blob("b")])
        #expect(try names("ollama:llava") == [blob("c"), nil])
        #expect(try names("ollama:ann/eye:v1") == [blob("d"), nil])
        #expect(try names("ollama:hf.co/owner/name:Q4_0") == [blob("e"), nil])
        #expect(
            home.places().all().map(\.reference) == [
                "ollama:ann/eye:v1", "ollama:hf.co/owner/name:Q4_0", "ollama:llava:7b", "ollama:llava:latest",
            ])
    }

    @Test func `of LM Studio and llama.cpp hold files`() throws {
        try home.file(".lmstudio/models/lmstudio-community/llava/llava-Q4_0.gguf")
        try home.file(".lmstudio/models/lmstudio-community/llava/mmproj-f16.gguf")
        try home.file(".cache/llama.cpp/owner_name_model.gguf")
        #expect(try names("lmstudio:lmstudio-community/llava") == ["llava-Q4_0.gguf", "mmproj-f16.gguf"])
        #expect(try names("llamacpp:owner_name_model.gguf") == ["owner_name_model.gguf", nil])
        #expect(home.places().all().map { $0.model.lastPathComponent } == ["llava-Q4_0.gguf", "owner_name_model.gguf"])
    }

    @Test func `name all their models as the command line takes them`() throws {
        try home.repository("owner/eye", ["config.json", "model.safetensors"])
        try home.repository("owner/files", ["a-Q4_0.gguf"])
        try home.manifest("registry.ollama.ai/library/llava/7b", model: "a")
        try home.file(".lmstudio/models/ann/llava/llava-Q4_0.gguf")
        try home.file(".cache/llama.cpp/owner_model.gguf")
        let names = home.places().references()
        #expect(
            names == [
                "hf:owner/eye", "hf:owner/files/a-Q4_0.gguf", "ollama:llava:7b", "lmstudio:ann/llava/llava-Q4_0.gguf",
                "llamacpp:owner_model.gguf",
            ])
        for name in names { #expect(try home.places().locate(name) != nil, "\(name)") }
        for typed in ["", "h", "hf:", "hf:x", "ollama", "lmstudio:a/b"] { #expect(ModelPlaces.mayBeReference(typed)) }
        for typed in ["./h", "/", "models/x", "hf/", "x"] { #expect(!ModelPlaces.mayBeReference(typed)) }
    }

    @Test(arguments: [
        "hf:", "hf:../../etc/x", "hf:name", "ollama:..", "ollama:/x", "ollama:x:", "lmstudio:a//b", "hf:a/../b",
    ])
    func `are never left by a name`(reference: String) throws {
        #expect(throws: ModelPlaceError.self) { try home.places().locate(reference) }
    }

    @Test func `that lack something say what to fetch`() throws {
        func message(_ reference: String) -> String {
            do {
                _ = try home.places().locate(reference)
                return ""
            } catch { return error.description }
        }
        #expect(message("hf:a/b").contains("hf:a/b is not in the Hugging Face cache ("))
        #expect(message("hf:a/b").contains("`hf download a/b` fetches it."))
        #expect(message("ollama:llava").contains("`ollama pull llava` fetches it."))
        try home.repository("a/empty", ["README.md"])
        #expect(message("hf:a/empty").contains("holds no GGUF file and no safetensors weights"))
        try home.file(".ollama/models/manifests/registry.ollama.ai/library/bad/latest", "{")
        #expect(message("ollama:bad").contains("Pull the model again."))
        try home.manifest("registry.ollama.ai/library/torn/latest", model: "f")
        let blob = home.url.appending(path: ".ollama/models/blobs/sha256-" + String(repeating: "f", count: 64))
        try FileManager.default.removeItem(at: blob)
        #expect(message("ollama:torn").contains("is incomplete"))
        let evil =
            #"{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../etc/passwd"}]}"#
        try home.file(".ollama/models/manifests/registry.ollama.ai/library/evil/latest", evil)
        #expect(message("ollama:evil").contains("cannot be read"))
    }

    @Test func `are opened as models by their names`() throws {
        try home.demo("target.gguf", at: ".cache/huggingface/hub/models--demo--eye/snapshots/ab/target.gguf")
        try home.demo("vision.gguf", at: ".cache/huggingface/hub/models--demo--eye/snapshots/ab/mmproj.gguf")
        try home.demo("draft-small.gguf", at: ".lmstudio/models/demo/small/draft.gguf")
        let bundle = try ModelBundle.open(
            model: "hf:demo/eye", mmproj: nil, draft: "lmstudio:demo/small", draftProjector: nil, places: home.places())
        #expect(bundle.name == "hf:demo/eye")
        #expect(bundle.target.lastPathComponent == "target.gguf")
        #expect(bundle.vision?.lastPathComponent == "mmproj.gguf")
        #expect(bundle.draft?.model.lastPathComponent == "draft.gguf")
        #expect(throws: ModelBundleError.self) {
            try ModelBundle.open(
                model: "hf:demo/none", mmproj: nil, draft: nil, draftProjector: nil, places: home.places())
        }
    }

    @Test func `are surveyed: what fits, and why the rest does not`() throws {
        try home.demo("target.gguf", at: "models/eye/target.gguf")
        try home.demo("vision.gguf", at: "models/eye/mmproj-model.gguf")
        try home.demo("draft-small.gguf", at: "models/small/draft-small.gguf")
        try home.demo("draft-small-projector.gguf", at: "models/small/mmproj-of-another.gguf")
        try home.file("models/broken.gguf", "GGUF but no more")
        let survey = ModelSurvey(home.places().all(besides: [home.url.appending(path: "models")]))
        let entries = survey.entries
        #expect(entries.map { $0.model.model.lastPathComponent } == ["broken.gguf", "target.gguf", "draft-small.gguf"])
        #expect(entries[0].problem != nil)
        #expect(entries[1].type == "Q8_0")
        #expect(entries[1].bytes == 7_716_608)
        #expect((7_000_000...7_300_000).contains(entries[1].parameters))
        #expect(entries[1].vision == .file(home.url.appending(path: "models/eye/mmproj-model.gguf")))
        #expect(entries[1].drafts == [entries[2].model.reference])
        // A projector alone is no vision model, whatever it is called.
        #expect(entries[2].drafts.isEmpty && entries[2].vision == .none)
    }
}
