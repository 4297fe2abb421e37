// InspectCommand.swift — `specchat inspect`: what a file or folder is, what a text is in its tokens, and what a model sees
// of a picture.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a model's file or folder holds, what it takes, how it cuts a text, or what it sees.",
        discussion: """
            Explains GGUF files, Hugging Face folders, single files of them, bundles and the names that `specchat models` \
            lists: kind, sizes, types, words, eyes, what is missing, and whether it runs here. Of what is no model it says \
            what it is, and what is wanted in its place.

            EXAMPLES:
              specchat inspect llava-1.5-7b.gguf
              specchat inspect llava-1.5-7b-hf
              specchat inspect ollama:llava:7b
              specchat inspect target.gguf --tokenize "a red square"
              specchat inspect target.gguf --tokenize - < text.txt
              specchat inspect llava-1.5-7b-hf --quantize q4_0
              specchat inspect mmproj-model-f16.gguf --image photo.jpg
              specchat inspect Assets/demo --image photo.jpg --out seen.png
            """)

    @Argument(
        help: ArgumentHelp(
            "A file, a folder, or a name in another program's store such as hf:owner/name.", valueName: "model"),
        completion: .models)
    var model: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Print the token ids of this text instead; - reads it from the standard input.", valueName: "text"))
    var tokenize: String?

    @Option(
        help: ArgumentHelp(
            "Say instead what the model takes with its F32, F16 or BF16 matrices made into this type, part by part, and "
                + "whether it is kept packed already.", valueName: "type"))
    var quantize: Quantisation?

    @Option(
        help: ArgumentHelp("Show what the vision tower is shown of this picture instead.", valueName: "file"),
        completion: .pictures)
    var image: String?

    @Option(help: ArgumentHelp("Write what it is shown as a PNG file, in place of drawing it.", valueName: "file"))
    var out: String?

    @Flag(help: "Replace an earlier file of --out.")
    var force = false

    @Option(help: "How the picture is drawn on the screen.")
    var imageProtocol: ImageProtocol?

    func validate() throws {
        let asked = [("--tokenize", tokenize != nil), ("--image", image != nil), ("--quantize", quantize != nil)]
            .filter(\.1).map(\.0)
        guard asked.count < 2 else {
            throw ValidationError("\(asked[0]) and \(asked[1]) ask for different things. Give one of them.")
        }
        guard image != nil || (out == nil && imageProtocol == nil) else {
            throw ValidationError("--out and --image-protocol need a picture. Name one with --image FILE.")
        }
        guard !force || out != nil else { throw ValidationError("--force goes with --out") }
    }

    func run() throws {
        if let tokenize {
            // Read as it is: a line end at the end of the input is a token like any other.
            let text = tokenize == "-" ? try TextInput.all() : tokenize
            let tokens = try CheckpointDescription.tokenize(text, by: model)
            try TextOutput.standard.line(tokens.map(String.init).joined(separator: " "))
        } else if let image {
            try show(PixelImage.read(image))
        } else if let quantize {
            let bundle = try ModelBundle.open(model: model, mmproj: nil, draft: nil, draftProjector: nil)
            let cache = try Settings.resolved(flags: []).weightCacheOptions
            let description = try CheckpointDescription(packing: bundle, named: model, as: quantize, cache: cache)
            try TextOutput.standard.line(harmless(description.text))
        } else {
            try TextOutput.standard.line(harmless(try CheckpointDescription(of: model).text))
        }
    }

    private func show(_ image: PixelImage) throws {
        let target = try out.map { path in try AtomicFile(path: path, replacing: force) }
        let preview = try preview(of: image)
        let sheet = preview.sheet
        if let target {
            let bytes: [UInt8] = try sheet.png()
            try target.write(bytes)
        } else if TextOutput.standard.isTerminal {
            let settings = try Settings.resolved(flags: [])
            let printer = PicturePrinter(
                imageProtocol: imageProtocol ?? settings.imageProtocol, color: settings.color)
            try TextOutput.standard.write(String(decoding: printer.bytes(of: sheet), as: UTF8.self))
        }
        let size = "\(image.source.width) × \(image.source.height)"
        let lines = [
            "picture  \(image.source.name), \(size) pixels", "seen     \(preview.sentence)",
            "tokens   \(preview.tokens)",
        ]
        try TextOutput.standard.line(harmless(lines.joined(separator: "\n")))
    }

    private func preview(of image: PixelImage) throws -> PicturePreview {
        var isFolder: ObjCBool = false
        let isFile = !FileManager.default.fileExists(atPath: model, isDirectory: &isFolder) || !isFolder.boolValue
        if isFile, !ModelPlaces.isReference(model) { return try PicturePreview(of: image, byVisionFile: model) }
        let bundle = try ModelBundle.open(model: model, mmproj: nil, draft: "none", draftProjector: nil)
        return try PicturePreview(of: image, by: bundle)
    }
}
