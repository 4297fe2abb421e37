// InspectCommand.swift — `specchat inspect`: what a GGUF file holds, and what a text is in its tokens.

import ArgumentParser
import Engine

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a GGUF file holds, or how its vocabulary cuts a text.",
        discussion: """
            EXAMPLES:
              specchat inspect llava-1.5-7b.gguf
              specchat inspect target.gguf --tokenize "a red square"
              specchat inspect target.gguf --tokenize - < text.txt
            """)

    @Argument(help: ArgumentHelp("The GGUF file.", valueName: "file"), completion: .models)
    var file: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Print the token ids of this text instead; - reads it from the standard input.", valueName: "text"))
    var tokenize: String?

    func run() throws {
        if let tokenize {
            // Read as it is: a line end at the end of the input is a token like any other.
            let text = tokenize == "-" ? try TextInput.all() : tokenize
            let tokens = try CheckpointDescription.tokenize(text, path: file)
            try TextOutput.standard.line(tokens.map(String.init).joined(separator: " "))
        } else {
            try TextOutput.standard.line(harmless(try CheckpointDescription(path: file).text))
        }
    }
}
