// FuzzTokenizer.swift — libFuzzer's way into the readers of tokenizer.model and tokenizer.json. Built by Fuzz/run, not by
// the package.

/// Reads the bytes as both kinds of file and, where they are one, cuts a text with it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTokenizer(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    attempt(bytes) { () throws(TokenizerFileError) in try Vocabulary(sentencePieceModel: bytes, file: "f", rows: 4096) }
    attempt(bytes) { () throws(TokenizerFileError) in try Vocabulary(tokenizerJSON: bytes, file: "f") }
    if let json = try? JSONReader.read(bytes) {
        var declared = TokenizerDeclarations()
        declared.read(configuration: json)
        declared.read(addedTokens: json)
        declared.read(specialTokens: json)
        declared.read(generation: json)
    }
    return 0
}

private func attempt(_ bytes: [UInt8], _ read: () throws(TokenizerFileError) -> Vocabulary) {
    do throws(TokenizerFileError) {
        let vocabulary = try read()
        let tokenizer = Tokenizer(vocabulary)
        // The end of the input is a text too: it must survive any vocabulary.
        let text = String(decoding: bytes.suffix(256), as: UTF8.self)
        for parsingControl in [false, true] {
            let tokens = tokenizer.encode(text, parsingControl: parsingControl)
            precondition(tokens.allSatisfy { vocabulary.pieces.indices.contains(Int($0)) })
            _ = tokenizer.decode(tokens)
        }
        precondition(vocabulary.stops.allSatisfy { vocabulary.pieces.indices.contains(Int($0)) })
    } catch {
        let message = error.description
        precondition(message.count < 2_000)
        precondition(!message.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
}
