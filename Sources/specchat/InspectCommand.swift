// InspectCommand.swift — `specchat inspect`: what a model file holds, what a text is in its tokens, and what it sees of a
// picture.

import ArgumentParser
import ChatTUI
import Engine
import Foundation

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a GGUF file holds, how its vocabulary cuts a text, or what it sees of a picture.",
        discussion: """
            EXAMPLES:
              specchat inspect llava-1.5-7b.gguf
              specchat inspect target.gguf --tokenize "a red square"
              specchat inspect target.gguf --tokenize - < text.txt
              specchat inspect mmproj-model-f16.gguf --image photo.jpg
              specchat inspect Assets/demo --image photo.jpg --out seen.png
            """)

    @Argument(
        help: ArgumentHelp("The GGUF file; with --image, a bundle's folder too.", valueName: "file"),
        completion: .models)
    var file: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Print the token ids of this text instead; - reads it from the standard input.", valueName: "text"))
    var tokenize: String?

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
        guard tokenize == nil || image == nil else {
            throw ValidationError("--tokenize and --image ask for different things. Give one of them.")
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
            let tokens = try CheckpointDescription.tokenize(text, path: file)
            try TextOutput.standard.line(tokens.map(String.init).joined(separator: " "))
        } else if let image {
            try show(PixelImage.read(image))
        } else {
            try TextOutput.standard.line(harmless(try CheckpointDescription(path: file).text))
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
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder.boolValue else {
            return try PicturePreview(of: image, byVisionFile: file)
        }
        let bundle = try ModelBundle.open(model: file, mmproj: nil, draft: "none", draftProjector: nil)
        return try PicturePreview(of: image, by: bundle)
    }
}
